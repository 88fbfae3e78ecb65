/**
 * A Rutile cluster of separate processes on loopback: placement drivers, stores, and the means to
 * kill and restart each. Data and logs lie below one directory, so a restart finds what it left.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EMPTY_KEY } from "../../engine/base/bytes.ts";
import { answersOk, flags, freePorts, startProcess, waitFor } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";
import { regionOf } from "./region.ts";

const cli = fileURLToPath(new URL("../../runtime/cli.js", import.meta.url));
const patienceMs = 120_000;
/** What the placement driver aims for unless told otherwise. */
const MAX_REPLICAS = 3;

/** What to start. */
export interface ClusterPlan {
  /** Holds one directory and one log for each node; it must exist. */
  readonly directory: string;
  readonly pds: 1 | 3;
  readonly stores: number;
  /** A configuration file for the stores, as its text. */
  readonly storeConfig?: string;
  /** Raises or lowers what the nodes log; `error` unless told. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One node of the cluster, running or not. */
export interface Node {
  readonly name: string;
  /** Where clients reach it, as host and port. */
  readonly address: string;
  /** An HTTP address that answers 200 once the node serves. */
  readonly statusUrl: string;
  readonly log: string;
  /** The process id of the running process; undefined while it is down. */
  pid(): number | undefined;
  /** Starts the process and waits until it serves. */
  start(): Promise<void>;
  /** Ends the process with SIGKILL. */
  kill(): Promise<void>;
  /** Ends the process as an operator would. */
  stop(): Promise<void>;
}

/** A started cluster. */
export interface Cluster {
  readonly pds: readonly Node[];
  readonly stores: readonly Node[];
  /** PD's client addresses, joined with commas, as every client takes them. */
  readonly endpoints: string;
  /** The store that serves at this address. Throws when it is none of ours. */
  storeAt(address: string): Node;
  /** Stops the stores, then PD. */
  stop(): Promise<void>;
}

/** Starts a cluster; waits until every node serves and the first region is replicated. */
export async function startCluster(plan: ClusterPlan): Promise<Cluster> {
  const ports = await freePorts(2 * plan.pds + 2 * plan.stores);
  const take = (): string => `127.0.0.1:${ports.pop()}`;
  const members = numbered("pd", plan.pds).map((name) => ({ name, client: take(), peer: take() }));
  const initial = members.map(({ name, peer }) => `${name}=http://${peer}`).join(",");
  const endpoints = members.map(({ client }) => client).join(",");

  const pds = members.map(({ name, client, peer }) =>
    node(plan, name, client, `http://${client}/health`, [
      "pd-server",
      ...flags({
        name,
        "data-dir": join(plan.directory, name),
        "client-urls": `http://${client}`,
        "peer-urls": `http://${peer}`,
        "initial-cluster": initial,
      }),
    ]),
  );
  const config: { config?: string } = {};
  if (plan.storeConfig !== undefined) {
    config.config = join(plan.directory, "store.toml");
    writeFileSync(config.config, plan.storeConfig);
  }
  const stores = numbered("store", plan.stores).map((name) => {
    const [address, status] = [take(), take()];
    return node(plan, name, address, `http://${status}/status`, [
      "tikv-server",
      ...flags({
        "pd-endpoints": endpoints,
        addr: address,
        "status-addr": status,
        "data-dir": join(plan.directory, name),
        ...config,
      }),
    ]);
  });
  const stop = async (): Promise<void> => {
    await Promise.all(stores.map((store) => store.stop()));
    await Promise.all(pds.map((pd) => pd.stop()));
  };
  const storeAt = (address: string): Node => {
    const found = stores.find((store) => store.address === address);
    if (found === undefined) throw new Error(`no store of ours serves at ${address}`);
    return found;
  };
  try {
    await Promise.all(pds.map((pd) => pd.start()));
    await Promise.all(stores.map((store) => store.start()));
    await waitFor("the first region has all its replicas", patienceMs, async () => {
      const region = await regionOf(members[0]!.client, EMPTY_KEY);
      return region?.leader !== undefined && region.voters === Math.min(plan.stores, MAX_REPLICAS);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { pds, stores, endpoints, storeAt, stop };
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

function node(
  plan: ClusterPlan,
  name: string,
  address: string,
  statusUrl: string,
  args: readonly string[],
): Node {
  const log = join(plan.directory, `${name}.log`);
  let running: ServerProcess | undefined;
  const end = async (how: "kill" | "stop"): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.[how]();
  };
  return {
    name,
    address,
    statusUrl,
    log,
    pid: () => running?.pid,
    start: async () => {
      mkdirSync(join(plan.directory, name), { recursive: true });
      running = startProcess({
        name,
        file: process.execPath,
        args: [cli, ...args],
        log,
        ...(plan.env === undefined ? {} : { env: plan.env }),
      });
      await waitFor(`${name} serves`, patienceMs, () => answersOk(statusUrl), [
        { process: running, log },
      ]);
    },
    kill: () => end("kill"),
    stop: () => end("stop"),
  };
}
