/**
 * What runs have met, by names that say what it is: `mark/election won`, `operation/RawPut/ok`,
 * `check/leases` (how often it looked), `fault/partitions` (runs that had it).
 */
import type { RunResult } from "../run.ts";

/** By name, how often. Only what has happened is in it. */
export type Tally = readonly (readonly [name: string, times: number])[];

type Met = Pick<RunResult, "marks" | "operations" | "checks" | "faults">;

export function tallyOf({ marks, operations, checks, faults }: Met): Tally {
  const all: (readonly [string, number])[] = [];
  for (const [name, times] of marks) all.push([`mark/${name}`, times]);
  for (const [kind, { ok, refused, unknown }] of operations) {
    all.push([`operation/${kind}/ok`, ok]);
    all.push([`operation/${kind}/refused`, refused]);
    all.push([`operation/${kind}/unknown`, unknown]);
  }
  for (const [name, times] of checks) all.push([`check/${name}`, times]);
  for (const name of new Set(faults)) all.push([`fault/${name}`, 1]);
  return all.filter(([, times]) => times > 0);
}

/** The part of a sum whose names begin so, without that beginning; in the order of names. */
export function partOf(sum: ReadonlyMap<string, number>, kind: string): [string, number][] {
  const begin = `${kind}/`;
  return [...sum]
    .filter(([name]) => name.startsWith(begin))
    .map(([name, times]): [string, number] => [name.slice(begin.length), times])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
