/**
 * Runs: tables of one family, disjoint and ascending, which together are one source. A level is a
 * run; so is a single table.
 */
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import type { TableMeta } from "../table/types.ts";

export type Run = readonly TableMeta[];

/** Whether everything in the table, clears too, lies before `key`. */
export const endsBefore = (table: TableMeta, key: Key): boolean =>
  table.largestExclusive
    ? table.largest !== EMPTY_KEY && table.largest <= key
    : table.largest < key;

/** Whether the table may hold something in [start, end). */
export const meets = (table: TableMeta, start: Key, end: Key): boolean =>
  (end === EMPTY_KEY || table.smallest < end) && !endsBefore(table, start);

/** Whether the ranges of two tables have a key in common. */
export const overlap = (a: TableMeta, b: TableMeta): boolean =>
  !endsBefore(a, b.smallest) && !endsBefore(b, a.smallest);

/** Whether the table may hold `key`. */
export const spans = (table: TableMeta, key: Key): boolean =>
  table.smallest <= key && !endsBefore(table, key);

/** The index, of those from `from` on and before `to`, of the first table not before `key`. */
export function firstReaching(
  run: Run,
  key: Key,
  from: number = 0,
  to: number = run.length,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endsBefore(run[middle]!, key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The index, of those from `from` on and before `to`, of the first table that begins at `key` or
 * behind.
 */
export function firstFrom(run: Run, key: Key, from: number = 0, to: number = run.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (run[middle]!.smallest < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The only table of the run that may hold `key`. */
export function tableOf(run: Run, key: Key): TableMeta | undefined {
  const table = run[firstReaching(run, key)];
  return table !== undefined && table.smallest <= key ? table : undefined;
}
