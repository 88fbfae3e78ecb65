/**
 * The bank on its systems: each with the same accounts, all up at the same time, and every load in
 * turn, round by round. At the end no system may have made or lost money.
 */
import { Key } from "../../engine/base/bytes.ts";
import { connectTxn } from "../../runtime/client/index.ts";
import { cpuSeconds } from "../cluster/cpu.ts";
import { startCluster } from "../cluster/rutile.ts";
import { splitAt } from "../cluster/split.ts";
import { accountKey, drawOf, middleOf, OPENING_BALANCE } from "./accounts.ts";
import type { Draw } from "./accounts.ts";
import { drive } from "./load.ts";
import type { Load } from "./load.ts";
import type { Options } from "./options.ts";
import { findPostgres, HOW_TO_INSTALL, startPostgres } from "./postgres.ts";
import { Connections, fillPostgres, postgresLoads, totalOfPostgres } from "./postgres-loads.ts";
import { fillRutile, rutileLoads, totalOfRutile } from "./rutile-loads.ts";
import { scratchDirectory } from "./scratch.ts";
import { channelStub, grpcJsStub } from "./stub.ts";
import { Routes, stubLoads } from "./stub-loads.ts";
import { describe } from "./table.ts";
import type { Samples } from "./table.ts";

/** Point reads that share a snapshot, and keys of a read of many. */
export const READS = { turnsPerSnapshot: 100, keysPerTurn: 16 } as const;

/** Of each load before the rounds, for compilers and caches. */
const WARM_UP_SECONDS = 4;

/** A system with its accounts. */
interface Bank {
  readonly transfers: readonly Load[];
  readonly reads: readonly Load[];
  /** The same calls by the library and without it. */
  readonly calls: readonly Load[];
  serverCpu(): number;
  total(): Promise<number>;
  close(): Promise<void>;
}

/** Runs the parts that need servers and gives all reports. */
export async function measureBanks(options: Options, samples: Samples): Promise<void> {
  const draw = drawOf(options.keys);
  const scratch = scratchDirectory(options.directory, "bench-txn-");
  const banks: Bank[] = [];
  try {
    const postgres = await openPostgres(options, scratch.path, draw);
    if (postgres !== undefined) banks.push(postgres);
    banks.push(await openRutile(options, scratch.path, draw));
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const [bank, load] of schedule(banks, options)) {
        const { clients: callers } = options;
        const seconds = round === 0 ? WARM_UP_SECONDS : options.seconds;
        const report = await drive(load, { callers, seconds, serverCpu: () => bank.serverCpu() });
        if (round === 0) continue;
        samples.add(load, report);
        console.log(`round ${round} ${describe(load, report)}`);
      }
    }
    const expected = options.keys * OPENING_BALANCE;
    for (const bank of banks) {
      const total = await bank.total();
      if (total !== expected) throw new Error(`the bank holds ${total} instead of ${expected}`);
    }
  } finally {
    await Promise.allSettled(banks.map((bank) => bank.close()));
    scratch.remove();
  }
}

/** What is wanted of every bank, so that loads that are compared follow each other closely. */
function schedule(banks: readonly Bank[], { parts }: Options): (readonly [Bank, Load])[] {
  const of = (part: "transfers" | "reads" | "calls"): (readonly [Bank, Load])[] =>
    banks.flatMap((bank) => bank[part].map((load) => [bank, load] as const));
  return [
    ...(parts.includes("transfers") ? of("transfers") : []),
    ...(parts.includes("reads") ? of("reads") : []),
    ...(parts.includes("client") ? of("calls") : []),
  ];
}

async function openPostgres(
  { alone, parts, clients, keys }: Options,
  directory: string,
  draw: Draw,
): Promise<Bank | undefined> {
  if (alone || !(parts.includes("transfers") || parts.includes("reads"))) return undefined;
  const bin = findPostgres();
  if (bin === undefined) {
    console.log(`txn: Rutile is run alone: ${HOW_TO_INSTALL}`);
    return undefined;
  }
  const server = await startPostgres(bin, directory, clients);
  const connections = new Connections();
  const close = async (): Promise<void> => {
    await connections.close();
    await server.stop();
  };
  try {
    await fillPostgres(server, keys);
    await connections.open(server, clients);
  } catch (error) {
    await close();
    throw error;
  }
  console.log(`txn: ${server.version} is the peer`);
  return {
    ...postgresLoads(connections, draw, READS),
    calls: [],
    serverCpu: () => server.cpuSeconds(),
    total: () => totalOfPostgres(server),
    close,
  };
}

async function openRutile({ keys }: Options, directory: string, draw: Draw): Promise<Bank> {
  const cluster = await startCluster({ directory, pds: 1, stores: 3 });
  const nodes = [...cluster.pds, ...cluster.stores];
  const { client, close: disconnect } = connectTxn([cluster.endpoints]);
  const stubs = [channelStub(), grpcJsStub()];
  const close = async (): Promise<void> => {
    disconnect();
    for (const stub of stubs) stub.close();
    await cluster.stop();
  };
  try {
    await splitAt(cluster, [Key(accountKey(middleOf(keys)))], false);
    await fillRutile(client, keys);
    const { transfers, reads } = rutileLoads(client, draw, READS);
    const bare = await Promise.all(
      stubs.map(async (stub) => {
        const routes = new Routes(stub, cluster.endpoints, keys);
        await routes.find();
        return stubLoads(stub, routes, draw, READS.turnsPerSnapshot);
      }),
    );
    const library = (load: Load | undefined): Load => ({ ...load!, system: "rutile/client" });
    const calls = [
      library(reads[0]),
      ...bare.map(({ get }) => get),
      library(transfers[0]),
      ...bare.map(({ transfer }) => transfer),
    ];
    return {
      transfers,
      reads,
      calls,
      serverCpu: () => nodes.reduce((sum, node) => sum + cpuSeconds(node.pid() ?? process.pid), 0),
      total: () => totalOfRutile(client),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
