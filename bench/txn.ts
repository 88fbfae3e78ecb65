/**
 * Transactions: what the commands of TiKV's transactional protocol cost one core, evaluated in
 * memory. Evaluating is what a store does between taking a command's latches and replicating what
 * comes of it: the checks, and the records to be written.
 */
import { parseArgs } from "node:util";
import { measure, printTable } from "./measure.ts";
import { contestants } from "./txn/commands.ts";

export const name = "txn";
export const summary = "transactional commands evaluated a second on one core, in memory";

export function run(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "7" },
      keys: { type: "string", default: "100000" },
    },
  });
  const keys = Number(values.keys);
  const figures = measure(contestants(keys), Number(values.rounds), 2);
  console.log(`${keys} keys with a committed version of 64 bytes each; medians of the rounds`);
  printTable(
    ["command", "CPU us", "a second on one core"],
    figures.map(({ name: command, cpuUs }) => [
      command,
      cpuUs.toFixed(2),
      Math.round(1e6 / cpuUs).toLocaleString("en"),
    ]),
  );
}
