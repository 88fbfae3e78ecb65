/** A three-member etcd on loopback, the peer of the cluster benchmark. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { answersOk, flags, freePorts, startProcess, waitFor } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";

/** A running etcd. */
export interface Etcd {
  readonly pids: readonly number[];
  /** Where each member keeps its data. */
  readonly directories: readonly string[];
  /** The leader's client address: the member that answers fastest. */
  leader(): Promise<string>;
  /** Stops every member and starts it on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
}

/** True when the server can be run on this machine. */
export const hasEtcd = (): Promise<boolean> =>
  promisify(execFile)("etcd", ["--version"]).then(
    () => true,
    () => false,
  );

/** Starts three members with their data below `directory` and waits until all are healthy. */
export async function startEtcd(directory: string): Promise<Etcd> {
  const ports = await freePorts(6);
  const take = (): string => `127.0.0.1:${ports.pop()}`;
  const members = ["m1", "m2", "m3"].map((name) => ({ name, client: take(), peer: take() }));
  const initial = members.map(({ name, peer }) => `${name}=http://${peer}`).join(",");
  let processes: ServerProcess[] = [];

  const start = async (): Promise<void> => {
    processes = members.map((member) => startMember(directory, member, initial));
    await Promise.all(
      members.map(({ client, name }, index) =>
        waitFor(`etcd ${name} is healthy`, 120_000, () => answersOk(`http://${client}/health`), [
          { process: processes[index]!, log: join(directory, `${name}.log`) },
        ]),
      ),
    );
  };
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.stop()));
  };
  await start();
  return {
    get pids() {
      return processes.map(({ pid }) => pid);
    },
    directories: members.map(({ name }) => join(directory, name)),
    leader: () => leaderOf(members),
    restart: async () => {
      await stop();
      await start();
    },
    stop,
  };
}

function startMember(directory: string, member: Member, initial: string): ServerProcess {
  const data = join(directory, member.name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return startProcess({
    name: `etcd ${member.name}`,
    file: "etcd",
    args: flags({
      name: member.name,
      "data-dir": data,
      logger: "zap",
      "log-level": "error",
      // It refuses writes at 2 GiB otherwise, and counts all versions of a key.
      "quota-backend-bytes": String(8 * 2 ** 30),
      "listen-client-urls": `http://${member.client}`,
      "advertise-client-urls": `http://${member.client}`,
      "listen-peer-urls": `http://${member.peer}`,
      "initial-advertise-peer-urls": `http://${member.peer}`,
      "initial-cluster": initial,
    }),
    log: join(directory, `${member.name}.log`),
  });
}

/** Each member says over its JSON gateway who it is and who leads. */
async function leaderOf(members: readonly Member[]): Promise<string> {
  for (const { client } of members) {
    const response = await fetch(`http://${client}/v3/maintenance/status`, {
      method: "POST",
      body: "{}",
    });
    const status = (await response.json()) as { header: { member_id: string }; leader: string };
    if (status.leader === status.header.member_id) return client;
  }
  throw new Error("no etcd member is the leader");
}
