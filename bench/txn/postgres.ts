/**
 * PostgreSQL as the peer of transactions: one server with a directory of its own, made for the run,
 * reached over a socket in that directory and nowhere else. Its settings are the defaults, which
 * sync every commit.
 */
import { execFile } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { familyCpuSeconds } from "../cluster/cpu.ts";
import { startProcess, waitFor } from "../cluster/processes.ts";
import type { User } from "../cluster/processes.ts";

const exec = promisify(execFile);

/** The version that Debian 12 has; others would be measured as gladly. */
const LIBRARY = "/usr/lib/postgresql";
const WANTED = "15";
const PATIENCE_MS = 60_000;

export const HOW_TO_INSTALL: string =
  `no PostgreSQL ${WANTED} in ${LIBRARY}/${WANTED}/bin: ` +
  `on Debian or Ubuntu, apt-get install postgresql-${WANTED} (its service need not run)`;

/** A running server. */
export interface Postgres {
  /** For example `PostgreSQL 15.8`. */
  readonly version: string;
  connect(): Promise<Client>;
  /** Of the server and all its backends and helpers. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Where its programs are; undefined where it is not installed. */
export function findPostgres(): string | undefined {
  const bin = join(LIBRARY, WANTED, "bin");
  return existsSync(join(bin, "postgres")) && existsSync(join(bin, "initdb")) ? bin : undefined;
}

/** Starts a server with its data below `directory`, for this many connections. */
export async function startPostgres(
  bin: string,
  directory: string,
  connections: number,
): Promise<Postgres> {
  const user = serverUser();
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, "data");
  const sockets = join(directory, "socket");
  mkdirSync(sockets, { mode: 0o700 });
  if (user !== undefined) chownSync(sockets, user.uid, user.gid);
  const initdb = ["--pgdata", data, "--username", "bench", "--auth", "trust", "--no-locale"];
  await exec(join(bin, "initdb"), [...initdb, "--encoding", "UTF8"], { cwd: directory, ...user });
  const log = join(directory, "postgres.log");
  const settings = {
    listen_addresses: "",
    unix_socket_directories: sockets,
    synchronous_commit: "on",
    // One for whoever loads the data, three that the server keeps for itself.
    max_connections: String(connections + 4),
  };
  const server = startProcess({
    name: "postgres",
    file: join(bin, "postgres"),
    args: ["-D", data, ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`])],
    log,
    // "Fast" and "immediate": a postmaster that is killed outright cannot end its children.
    signals: { stop: "SIGINT", kill: "SIGQUIT" },
    ...(user === undefined ? {} : { user }),
  });
  const connect = async (): Promise<Client> => {
    const client = new Client({ host: sockets, user: "bench", database: "postgres" });
    // Whoever waits for an answer hears of a broken connection; nobody else need.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  try {
    await waitFor(
      "PostgreSQL serves",
      PATIENCE_MS,
      () =>
        connect()
          .then((c) => c.end())
          .then(() => true),
      [{ process: server, log }],
    );
    const version = await versionOf(await connect());
    return {
      version,
      connect,
      cpuSeconds: () => familyCpuSeconds(server.pid),
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.kill();
    throw error;
  }
}

async function versionOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
  await client.end();
  // The distribution's name stands behind the number.
  return `PostgreSQL ${rows[0]?.server_version.split(" ")[0] ?? WANTED}`;
}

/** It refuses to run as root: then Debian's account for it is taken, or the one of nobody. */
function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("PostgreSQL does not run as root, and there is no user postgres or nobody");
}
