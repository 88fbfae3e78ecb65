/**
 * Where tables can go: levels 1 to 5 are places for runs that wait above the last level. A run goes
 * down as far as nothing lies under it. When one has come to stand in level 1, all places under it
 * are taken, and it is merged with the newest of those runs: with as many as are no larger than
 * what has come together so far, and with the last level when the others weigh enough beside it.
 * Where nobody writes there is time to make one run of all that waits, for those who read.
 *
 * So an entry is written some five times before it rests, whatever lies there already, where a tree
 * whose levels grow by ten writes it ten times for each level. Runs end where the tables under them
 * end (`cuts.ts`), so what is picked is a narrow range of keys and not a whole level.
 */
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { Clear, TableMeta } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import { endsBefore, firstReaching } from "../run.ts";
import type { Run } from "../run.ts";
import type { Version } from "../types.ts";
import { LEVELS, endOf, hullOf, tablesAt, totalBytes } from "../version.ts";

/** The last level: whatever gets there stays until something is merged with it. */
export const LAST: number = LEVELS - 1;

/** How much larger a run may be than what is merged with it only because there is time. */
const IDLE_GROWTH = 8;

/** Tables of one level and of those under it that are to become one run. */
export interface Gathered {
  /** Newest first. */
  readonly runs: readonly Run[];
  /** The level of each run. */
  readonly levels: readonly number[];
  readonly hull: Clear;
}

export const rangeOf = (table: TableMeta): Clear => ({
  start: table.smallest,
  end: endOf(table),
});

/** The tables of a level below 0 that meet the range. */
export function meeting(run: Run, { start, end }: Clear): Run {
  const first = firstReaching(run, start);
  let behind = first;
  while (behind < run.length && begins(run[behind]!, end)) behind += 1;
  return run.slice(first, behind);
}

/** Whether no table of a level below 0 meets the range. */
export function isFree(run: Run, { start, end }: Clear): boolean {
  const first = run[firstReaching(run, start)];
  return first === undefined || !begins(first, end);
}

/** Whether a table of the run meets this one. It is asked of every table, so no range is made. */
export function liesOver(table: TableMeta, run: Run): boolean {
  const first = run[firstReaching(run, table.smallest)];
  return first !== undefined && !endsBefore(table, first.smallest);
}

const begins = (table: TableMeta, end: Key): boolean => end === EMPTY_KEY || table.smallest < end;

/** The level down to which nothing under `level` meets the range. */
export function deepest(version: Version, cf: ColumnFamily, level: number, range: Clear): number {
  let down = level;
  while (down < LAST && isFree(tablesAt(version, cf, down + 1), range)) down += 1;
  return down;
}

/** Whether nothing in the range lies under `level`. */
export const isBottom = (
  version: Version,
  cf: ColumnFamily,
  level: number,
  range: Clear,
): boolean => deepest(version, cf, level, range) === LAST;

/** With all that lies under it, level by level down to the last. */
export const gatherAll = (
  version: Version,
  cf: ColumnFamily,
  level: number,
  table: TableMeta,
): Gathered => gather(version, cf, level, table, () => true);

/**
 * So that its level is free: with all under it where that outweighs the last level by now, else
 * with the next run and those that are no larger than what has come together.
 */
export function gatherDue(
  version: Version,
  cf: ColumnFamily,
  level: number,
  table: TableMeta,
  growth: number,
): Gathered {
  const whole = gatherAll(version, cf, level, table);
  const sizes = whole.runs.map(totalBytes);
  const last = sizes.at(-1)!;
  const above = sizes.reduce((sum, size) => sum + size, -last);
  if (above * growth >= last) return whole;
  return gather(version, cf, level, table, (size, so, _, runs) => runs === 1 || size <= so);
}

/** Because there is time: with runs that are not much larger, but not with the last level. */
export const gatherIdly = (
  version: Version,
  cf: ColumnFamily,
  level: number,
  table: TableMeta,
): Gathered =>
  gather(version, cf, level, table, (size, so, down) => down < LAST && size <= IDLE_GROWTH * so);

/**
 * With runs under it as long as they join: asked with the size of each, that of all before, its
 * level, and how many there are.
 */
function gather(
  version: Version,
  cf: ColumnFamily,
  level: number,
  table: TableMeta,
  joins: (size: number, so: number, down: number, runs: number) => boolean,
): Gathered {
  const runs: Run[] = [[table]];
  const levels = [level];
  let hull = rangeOf(table);
  let so = table.size;
  for (let down = level + 1; down <= LAST; down++) {
    const run = meeting(tablesAt(version, cf, down), hull);
    if (run.length === 0) continue;
    const size = totalBytes(run);
    if (!joins(size, so, down, runs.length)) break;
    runs.push(run);
    levels.push(down);
    hull = hullOf(runs.flat());
    so += size;
  }
  return { runs, levels, hull };
}
