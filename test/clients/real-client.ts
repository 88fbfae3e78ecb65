/** The official clients as programs: which can run on this machine, and how. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildGo } from "../../bench/go.ts";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * A program with the subcommands `operations`, `write` and `verify` for raw keys, and where it has
 * transactions, `transactions`, `bank` and `audit`.
 */
export interface RealClient {
  readonly name: string;
  readonly file: string;
  /** What comes before the subcommand. */
  readonly args: readonly string[];
  /**
   * How it does transactions: not at all; over regions that it splits itself; or over regions that
   * are split for it.
   */
  readonly transactions: "none" | "splitting" | "split";
  /** What stores are to be configured with for its transactions, as TOML. */
  readonly storeConfig: string;
}

/**
 * Rust's client locks a key again when it writes what it has locked and read. Where the first lock
 * was lost with a leader, the second one hides what others wrote meanwhile: so none may be lost.
 */
const LOCKS_KEPT = `
[pessimistic-txn]
in-memory = false
pipelined = false
`;

/** A client, or why this machine cannot run it. */
export type Found =
  | { readonly name: string; readonly client: RealClient }
  | { readonly name: string; readonly missing: string };

/** Builds or installs every client that this machine has the toolchain for. */
export async function findClients(): Promise<Found[]> {
  return [
    await goClient("client-go v2.0.7, the last tagged release", "go.mod"),
    await goClient("client-go of April 2026", "recent.mod"),
    await rustClient(),
    await pythonClient(),
  ];
}

/** The program of `go/` with the dependencies of one module file. */
export async function goClient(name: string, modfile: string): Promise<Found> {
  const file = await buildGo("test/clients/go", modfile);
  return file === undefined
    ? { name, missing: "no go on this machine" }
    : { name, client: { name, file, args: [], transactions: "splitting", storeConfig: "" } };
}

/**
 * Cargo keeps what it builds outside of the repository, so that a fresh clone finds it: compiling
 * the client takes minutes.
 */
async function rustClient(): Promise<Found> {
  const name = "the crate tikv-client 0.4.0";
  try {
    await exec("cargo", ["--version"]);
  } catch {
    return { name, missing: "no cargo on this machine" };
  }
  const begun = performance.now();
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const target = process.env["CARGO_TARGET_DIR"] ?? join(cache, "rutile", "cargo-target");
  const directory = join(root, "test", "clients", "rust");
  await exec("nice", ["cargo", "build", "--quiet", "--locked"], {
    cwd: directory,
    env: { ...process.env, CARGO_TARGET_DIR: target },
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`# ${name} was built in ${seconds} s`);
  const file = join(target, "debug", "rutile-test-client");
  return { name, client: { name, file, args: [], transactions: "split", storeConfig: LOCKS_KEPT } };
}

async function pythonClient(): Promise<Found> {
  const name = "tikv-client for Python";
  const environment = join(root, "dist", "python");
  const python = join(environment, "bin", "python");
  const directory = join(root, "test", "clients", "python");
  try {
    if (!existsSync(python)) await exec("python3", ["-m", "venv", environment]);
  } catch (error) {
    return { name, missing: `no python3 with venv on this machine (${firstLine(error)})` };
  }
  try {
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await exec(python, [...install, "-r", join(directory, "requirements.txt")]);
  } catch (error) {
    return { name, missing: `its wheel does not install here (${firstLine(error)})` };
  }
  const args = [join(directory, "client.py")];
  return { name, client: { name, file: python, args, transactions: "none", storeConfig: "" } };
}

const firstLine = (error: unknown): string => String(error).split("\n", 1)[0] ?? "";
