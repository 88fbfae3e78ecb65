/**
 * Transactions. What the commands of TiKV's transactional protocol cost one core, evaluated in
 * memory: the checks, and the records to be written, which is what a store does between taking a
 * command's latches and replicating what comes of it. Then a bank on three stores and a placement
 * driver beside PostgreSQL on the same disk: transfers by kind of commit, and reads of snapshots.
 * Then the processor time of the client library beside that of bare stubs.
 */
import { loadavg } from "node:os";
import { measure, printTable } from "./measure.ts";
import { measureBanks, READS } from "./txn/bank.ts";
import { contestants } from "./txn/commands.ts";
import { HELP, optionsOf } from "./txn/options.ts";
import type { Options } from "./txn/options.ts";
import { printComparisons, printSamples, Samples } from "./txn/table.ts";
import type { Comparison } from "./txn/table.ts";

export const name = "txn";
export const summary =
  "transactions: in memory, beside PostgreSQL 15, and the client beside bare stubs";

/** Rounds in memory are short. */
const ROUNDS_IN_MEMORY = 3;

const MANY = READS.keysPerTurn;
/** The client decides what to write, so it is held against the form that lets clients decide. */
const STATEMENTS = "PostgreSQL, transfer, statements";
const FUNCTION = "PostgreSQL, transfer, function";

const TRANSFERS: readonly Comparison[] = [
  { ours: "Rutile, transfer, one phase", peer: STATEMENTS, by: "server", target: 1 },
  { ours: "Rutile, transfer, async commit", peer: STATEMENTS, by: "server" },
  { ours: "Rutile, transfer, two phases", peer: STATEMENTS, by: "server" },
  {
    ours: "Rutile, transfer, two regions, async commit",
    peer: STATEMENTS,
    by: "server",
    target: 0.5,
  },
  { ours: "Rutile, transfer, one phase", peer: FUNCTION, by: "server" },
  { ours: "Rutile, transfer, two regions, async commit", peer: FUNCTION, by: "server" },
];

const SNAPSHOT_READS: readonly Comparison[] = [
  { ours: "Rutile, get", peer: "PostgreSQL, select", by: "server", target: 3 },
  {
    ours: `Rutile, batch get of ${MANY}`,
    peer: `PostgreSQL, select of ${MANY}`,
    by: "server",
  },
];

const CALLS: readonly Comparison[] = ["get", "transfer, one phase"].flatMap((load) => [
  { ours: `rutile/client, ${load}`, peer: `grpc-js, ${load}`, by: "client", target: 1.5 } as const,
  { ours: `rutile/client, ${load}`, peer: `our channel, ${load}`, by: "client" } as const,
]);

export async function run(args: readonly string[]): Promise<void> {
  const options = optionsOf(args);
  if (options === undefined) {
    console.log(HELP);
    return;
  }
  if (options.parts.includes("commands")) measureCommands(options);
  if (options.parts.some((part) => part !== "commands")) {
    const samples = new Samples();
    await measureBanks(options, samples);
    const { rounds, seconds, clients, keys } = options;
    console.log(
      `\nmedians of ${rounds} rounds of ${seconds} s, ${clients} callers, ${keys} accounts; ` +
        `CPU of all servers with PD or all backends; load average ${loadavg()[0]?.toFixed(1)}`,
    );
    printSamples(samples);
    printComparisons(samples, "transfers per CPU-second of the servers", TRANSFERS);
    printComparisons(samples, "keys read per CPU-second of the servers", SNAPSHOT_READS);
    printComparisons(samples, "the client's own CPU for one operation", CALLS);
  }
}

function measureCommands({ keys }: Options): void {
  const figures = measure(contestants(keys), ROUNDS_IN_MEMORY, 1);
  console.log(`${keys} keys with a committed version of 64 bytes each; medians of the rounds`);
  printTable(
    ["command", "CPU us", "a second on one core"],
    figures.map(({ name: command, cpuUs }) => [
      command,
      cpuUs.toFixed(2),
      Math.round(1e6 / cpuUs).toLocaleString("en"),
    ]),
  );
  console.log("");
}
