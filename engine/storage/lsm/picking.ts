/**
 * What to compact next. A function of the version, of what runs, and of the pointers: the same
 * version picks the same work.
 *
 * Level 0 is due by the number of its tables over one key or by its bytes, another level by its
 * bytes; the one that is furthest over its limit comes first. From level 0 goes a table with all
 * that it overlaps there, from another level one table, in turn around the keys; with them go those
 * of the next level that they meet. A single table that meets none just changes its level. What
 * lies wholly inside a clear of something newer goes without being read.
 */
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { COLUMN_FAMILIES } from "../types.ts";
import type { Clear, TableMeta } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import { NO_CLEARS, unite } from "./clears.ts";
import { depthOf, targetBytes } from "./debt.ts";
import type { Pointer, Pointers } from "./edit.ts";
import { firstFrom, meets } from "./run.ts";
import type { LsmConfig, Version } from "./types.ts";
import { LEVELS, endOf, hullOf, liesWithin, rangesMeet, tablesAt, totalBytes } from "./version.ts";
import type { Leaving } from "./version.ts";

/** Tables of two levels that become tables of the lower one. */
export interface Merge {
  readonly type: "merge";
  readonly cf: ColumnFamily;
  readonly fromLevel: number;
  readonly toLevel: number;
  /** Newest first. */
  readonly runs: readonly (readonly TableMeta[])[];
  /** The same tables and their levels. */
  readonly leaving: readonly Leaving[];
  readonly hull: Clear;
  readonly bottom: boolean;
  readonly covered: readonly Clear[];
  readonly pointers: readonly Pointer[];
}

export type Choice =
  | Merge
  /** The table changes its level and stays as it is. */
  | {
      readonly type: "move";
      readonly table: TableMeta;
      readonly leaving: readonly Leaving[];
      readonly toLevel: number;
      readonly pointers: readonly Pointer[];
    }
  /** Tables in which nothing can be seen any more. */
  | { readonly type: "drop"; readonly leaving: readonly Leaving[] };

/** All that a choice depends on. */
export interface Picking {
  readonly version: Version;
  readonly pointers: Pointers;
  /** Running, or not part of the version yet. */
  readonly running: readonly Merge[];
  /** Tables that cannot be read. */
  readonly damaged: ReadonlySet<number>;
  readonly config: LsmConfig;
}

/** The most urgent thing that can be done beside what runs. */
export function nextCompaction(picking: Picking): Choice | undefined {
  const busy = busyTables(picking.running);
  const leaving = COLUMN_FAMILIES.flatMap((cf) => hidden(picking.version, cf, busy));
  if (leaving.length > 0) return { type: "drop", leaving };
  for (const { cf, level } of dueLevels(picking, busy)) {
    const choice = level === 0 ? fromLevelZero(picking, cf) : fromLevel(picking, cf, level);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

export const busyTables = (running: readonly Merge[]): ReadonlySet<number> =>
  new Set(running.flatMap(({ leaving }) => leaving.map(({ number }) => number)));

/** The tables of `version` that lie wholly inside a range of `clears`, which are of newer ones. */
export function tablesWithin(
  version: Version,
  cf: ColumnFamily,
  clears: readonly Clear[],
  busy: ReadonlySet<number>,
): readonly Leaving[] {
  if (clears.length === 0) return [];
  return version.levels[cf].flatMap((run, level) =>
    run
      .filter(
        (table) => !busy.has(table.number) && clears.some((range) => liesWithin(table, range)),
      )
      .map(({ number }) => ({ cf, level, number })),
  );
}

/** Tables that newer ones of the version hide wholly. */
function hidden(version: Version, cf: ColumnFamily, busy: ReadonlySet<number>): readonly Leaving[] {
  const leaving: Leaving[] = [];
  let clears = NO_CLEARS;
  const look = (table: TableMeta, level: number): void => {
    if (busy.has(table.number) || !clears.some((range) => liesWithin(table, range))) return;
    leaving.push({ cf, level, number: table.number });
  };
  for (const [level, run] of version.levels[cf].entries()) {
    if (level > 0 && clears.length > 0) for (const table of run) look(table, level);
    for (const table of run) {
      if (level === 0) look(table, level);
      if (table.clears.length > 0) clears = unite(clears, table.clears);
    }
  }
  return leaving;
}

interface Due {
  readonly cf: ColumnFamily;
  readonly level: number;
  readonly score: number;
}

/** Levels at or over their limits, the furthest first. */
function dueLevels({ version, config }: Picking, busy: ReadonlySet<number>): readonly Due[] {
  const due: Due[] = [];
  for (const cf of COLUMN_FAMILIES) {
    for (let level = 0; level < LEVELS - 1; level++) {
      const idle = tablesAt(version, cf, level).filter(({ number }) => !busy.has(number));
      if (idle.length === 0) continue;
      const bytes = totalBytes(idle) / targetBytes(config, Math.max(1, level));
      const count = level === 0 ? depthOf(idle) / config.levelZeroTables : 0;
      const score = Math.max(bytes, count);
      if (score >= 1) due.push({ cf, level, score });
    }
  }
  // The sort is stable: of equals the one found first stays first.
  return due.sort((a, b) => b.score - a.score);
}

/** The oldest table that is free, with all that it overlaps, directly or through others. */
function fromLevelZero(picking: Picking, cf: ColumnFamily): Choice | undefined {
  const newest = tablesAt(picking.version, cf, 0);
  const seen = new Set<number>();
  for (const seed of newest.toReversed()) {
    if (seen.has(seed.number)) continue;
    const group = connected(newest, seed);
    for (const { number } of group) seen.add(number);
    const choice = downwards(picking, cf, 0, group, []);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

/** Newest first, as they were. */
function connected(tables: readonly TableMeta[], seed: TableMeta): readonly TableMeta[] {
  let group: readonly TableMeta[] = [seed];
  for (;;) {
    const { start, end } = hullOf(group);
    const grown = tables.filter((table) => meets(table, start, end));
    if (grown.length === group.length) return grown;
    group = grown;
  }
}

/** The first table at or behind the level's pointer that is free. */
function fromLevel(picking: Picking, cf: ColumnFamily, level: number): Choice | undefined {
  const run = tablesAt(picking.version, cf, level);
  const begin = firstFrom(run, picking.pointers[cf][level] ?? EMPTY_KEY);
  for (let i = 0; i < run.length; i++) {
    const table = run[(begin + i) % run.length]!;
    const key: Key = endOf(table);
    const choice = downwards(picking, cf, level, [table], [{ cf, level, key }]);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

/** `upper` to the next level, unless something of it is in use. */
function downwards(
  { version, running, damaged }: Picking,
  cf: ColumnFamily,
  fromLevel: number,
  upper: readonly TableMeta[],
  pointers: readonly Pointer[],
): Choice | undefined {
  const toLevel = fromLevel + 1;
  const { start, end } = hullOf(upper);
  const lower = tablesAt(version, cf, toLevel).filter((table) => meets(table, start, end));
  const inputs = [...upper, ...lower];
  const hull = hullOf(inputs);
  if (inputs.some(({ number }) => damaged.has(number))) return undefined;
  if (running.some((other) => collide(other, cf, fromLevel, hull))) return undefined;
  const bottom = isBottom(version, cf, toLevel, hull);
  const leaving = [
    ...upper.map(({ number }) => ({ cf, level: fromLevel, number })),
    ...lower.map(({ number }) => ({ cf, level: toLevel, number })),
  ];
  const [first] = upper;
  if (inputs.length === 1 && first !== undefined && !(bottom && isSpent(first))) {
    return { type: "move", table: first, leaving, toLevel, pointers };
  }
  const above = fromLevel === 0 ? [upper.map((table) => [table])] : [[upper]];
  const runs = lower.length === 0 ? above.flat() : [...above.flat(), lower];
  const covered = coveredAbove(version, cf, fromLevel, hull);
  return { type: "merge", cf, fromLevel, toLevel, runs, leaving, hull, bottom, covered, pointers };
}

/** Whether a merge there would touch what `other` touches. */
const collide = (other: Merge, cf: ColumnFamily, fromLevel: number, hull: Clear): boolean =>
  other.cf === cf && Math.abs(other.fromLevel - fromLevel) <= 1 && rangesMeet(other.hull, hull);

/** Whether nothing in `hull` lies below `level`. */
function isBottom(version: Version, cf: ColumnFamily, level: number, hull: Clear): boolean {
  for (let below = level + 1; below < LEVELS; below++) {
    const run = tablesAt(version, cf, below);
    if (run.some((table) => meets(table, hull.start, hull.end))) return false;
  }
  return true;
}

/** Whether it holds what is of no use at the bottom. */
const isSpent = ({ tombstones, clears }: TableMeta): boolean => tombstones > 0 || clears.length > 0;

/** The clears of the levels above `level` that meet `hull`. */
function coveredAbove(
  version: Version,
  cf: ColumnFamily,
  level: number,
  hull: Clear,
): readonly Clear[] {
  let covered = NO_CLEARS;
  for (let above = 0; above < level; above++) {
    for (const { clears } of tablesAt(version, cf, above)) {
      covered = unite(
        covered,
        clears.filter((range) => rangesMeet(range, hull)),
      );
    }
  }
  return covered;
}
