/**
 * What to compact next. A function of the version, of what runs, and of the pointers: the same
 * version picks the same work.
 *
 * What lies wholly inside a clear of something newer goes without being read. Tables that lie over
 * nothing go down, which only the manifest hears of. Then comes what is due, the furthest first:
 * level 0 by the number of its tables over one key or by its bytes, from which goes a table with
 * all that it overlaps there and in level 1; level 1 by whatever stands in it (`descent.ts`), in
 * turn around the keys; and all levels together when they weigh too much beside the last. At rest
 * two tables are enough in level 0, and runs that wait become one.
 */
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import { COLUMN_FAMILIES } from "../../types.ts";
import type { Clear, TableMeta } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import { cutsFor } from "./cuts.ts";
import { depthOf } from "./debt.ts";
import {
  LAST,
  deepest,
  gatherAll,
  gatherDue,
  gatherIdly,
  isBottom,
  liesOver,
  meeting,
  rangeOf,
} from "./descent.ts";
import type { Gathered } from "./descent.ts";
import type { Pointer, Pointers } from "../manifest/edit.ts";
import { coveredAbove, hidden } from "../hidden.ts";
import { firstFrom, meets } from "../run.ts";
import type { LsmConfig, Version } from "../types.ts";
import { hullOf, rangesMeet, tablesAt, totalBytes } from "../version.ts";
import type { Leaving, Placed } from "../version.ts";

/** Tables of several levels that become a run of the lowest of them, or of one below that. */
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
  /** Where tables of the new run end in any case. */
  readonly cuts: readonly Key[];
  readonly pointers: readonly Pointer[];
}

export type Choice =
  | Merge
  /** Tables change their levels and stay as they are. */
  | {
      readonly type: "move";
      /** With the levels they go to. */
      readonly tables: readonly Placed[];
      readonly leaving: readonly Leaving[];
    }
  /** Tables in which nothing can be seen any more. */
  | { readonly type: "drop"; readonly leaving: readonly Leaving[] };

/** Tables of level 0 over one key that are worth a compaction when there is time. */
const RESTING_TABLES = 2;

/** All that a choice depends on. */
export interface Picking {
  readonly version: Version;
  readonly pointers: Pointers;
  /** Running, or not part of the version yet. */
  readonly running: readonly Merge[];
  /** Tables that cannot be read. */
  readonly damaged: ReadonlySet<number>;
  /** Nobody has written for a while. */
  readonly resting: boolean;
  readonly config: LsmConfig;
}

/** The most urgent thing that can be done beside what runs. */
export function nextCompaction(picking: Picking): Choice | undefined {
  const busy = busyTables(picking.running);
  const leaving = COLUMN_FAMILIES.flatMap((cf) => hidden(picking.version, cf, busy));
  if (leaving.length > 0) return { type: "drop", leaving };
  for (const cf of COLUMN_FAMILIES) {
    const choice = sinking(picking, cf, busy);
    if (choice !== undefined) return choice;
  }
  for (const { cf, level, all } of dueLevels(picking, busy)) {
    const choice = level === 0 ? fromLevelZero(picking, cf) : fromLevel(picking, cf, level, all);
    if (choice !== undefined) return choice;
  }
  return picking.resting ? tidying(picking) : undefined;
}

export const busyTables = (running: readonly Merge[]): ReadonlySet<number> =>
  new Set(running.flatMap(({ leaving }) => leaving.map(({ number }) => number)));

/** Tables of one level that lie over nothing go down; those of the lowest level first. */
function sinking(
  picking: Picking,
  cf: ColumnFamily,
  busy: ReadonlySet<number>,
): Choice | undefined {
  const { version } = picking;
  for (let level = LAST - 1; level > 0; level--) {
    const tables: Placed[] = [];
    const under = tablesAt(version, cf, level + 1);
    for (const table of tablesAt(version, cf, level)) {
      if (liesOver(table, under) || busy.has(table.number)) continue;
      const range = rangeOf(table);
      const toLevel = deepest(version, cf, level, range);
      if (isBlocked(picking, cf, level, toLevel, range, [table])) continue;
      if (toLevel < LAST || !isSpent(table)) tables.push({ level: toLevel, table });
      else if (tables.length === 0) return rewriting(picking, cf, level, table);
    }
    if (tables.length === 0) continue;
    const leaving = tables.map(({ table: { number } }) => ({ cf, level, number }));
    return { type: "move", tables, leaving };
  }
  return undefined;
}

/** What of a table is of use at the bottom. */
const rewriting = (
  { version }: Picking,
  cf: ColumnFamily,
  level: number,
  table: TableMeta,
): Merge => {
  const hull = rangeOf(table);
  return {
    type: "merge",
    cf,
    fromLevel: level,
    toLevel: LAST,
    runs: [[table]],
    leaving: [{ cf, level, number: table.number }],
    hull,
    bottom: true,
    covered: coveredAbove(version, cf, level, hull),
    cuts: [],
    pointers: [],
  };
};

interface Due {
  readonly cf: ColumnFamily;
  readonly level: number;
  readonly score: number;
  /** Whether it goes down to the last level. */
  readonly all: boolean;
}

/** What is at or over its limits, the furthest first. */
function dueLevels(
  { version, config, resting }: Picking,
  busy: ReadonlySet<number>,
): readonly Due[] {
  const due: Due[] = [];
  for (const cf of COLUMN_FAMILIES) {
    const bytes = version.levels[cf].map((run) =>
      run.reduce((sum, { number, size }) => (busy.has(number) ? sum : sum + size), 0),
    );
    const [newest = 0, first = 0] = bytes;
    if (newest > 0) {
      const idle = tablesAt(version, cf, 0).filter(({ number }) => !busy.has(number));
      const count = depthOf(idle) / (resting ? RESTING_TABLES : config.levelZeroTables);
      const score = Math.max(newest / config.levelBytes, count);
      if (score >= 1) due.push({ cf, level: 0, score, all: false });
    }
    if (first > 0) due.push({ cf, level: 1, score: 1 + first / config.levelBytes, all: false });
    const last = bytes[LAST] ?? 0;
    const waiting = bytes.slice(1, LAST);
    const level = 1 + waiting.findIndex((size) => size > 0);
    const score = (config.levelGrowth * waiting.reduce((sum, size) => sum + size, 0)) / last;
    if (level > 0 && last > 0 && score >= 1) due.push({ cf, level, score, all: true });
  }
  // The sort is stable: of equals the one found first stays first.
  return due.sort((a, b) => b.score - a.score);
}

/** Runs that wait become one. */
function tidying(picking: Picking): Choice | undefined {
  const { version } = picking;
  for (const cf of COLUMN_FAMILIES) {
    for (let level = 1; level < LAST - 1; level++) {
      for (const table of tablesAt(version, cf, level)) {
        const gathered = gatherIdly(version, cf, level, table);
        const choice = gathered.runs.length > 1 ? mergeOf(picking, cf, gathered, []) : undefined;
        if (choice !== undefined) return choice;
      }
    }
  }
  return undefined;
}

/** The oldest table that is free, with all that it overlaps, directly or through others. */
function fromLevelZero(picking: Picking, cf: ColumnFamily): Choice | undefined {
  const newest = tablesAt(picking.version, cf, 0);
  const seen = new Set<number>();
  for (const seed of newest.toReversed()) {
    if (seen.has(seed.number)) continue;
    const group = connected(newest, seed);
    for (const { number } of group) seen.add(number);
    const choice = intoLevelOne(picking, cf, group);
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

/** The first table at or behind the level's pointer that is free, with what lies under it. */
function fromLevel(
  picking: Picking,
  cf: ColumnFamily,
  level: number,
  all: boolean,
): Choice | undefined {
  const { version, pointers, config } = picking;
  const run = tablesAt(version, cf, level);
  const begin = firstFrom(run, pointers[cf][level] ?? EMPTY_KEY);
  for (let i = 0; i < run.length; i++) {
    const table = run[(begin + i) % run.length]!;
    const gathered = all
      ? gatherAll(version, cf, level, table)
      : gatherDue(version, cf, level, table, config.levelGrowth);
    const key: Key = gathered.hull.end;
    const choice = mergeOf(picking, cf, gathered, [{ cf, level, key }]);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

/** Tables of level 0 and what they meet in level 1; where that is nothing, as far as they can. */
function intoLevelOne(
  picking: Picking,
  cf: ColumnFamily,
  upper: readonly TableMeta[],
): Choice | undefined {
  const { version } = picking;
  const hull = hullOf(upper);
  const lower = meeting(tablesAt(version, cf, 1), hull);
  const [table] = upper;
  if (upper.length === 1 && lower.length === 0 && table !== undefined) {
    const level = deepest(version, cf, 0, hull);
    if (isBlocked(picking, cf, 0, level, hull, upper)) return undefined;
    // One that is as wide as several columns would make one of them.
    const isWide = cutsOf(picking, cf, level, hull, upper).length > 0;
    if (!isWide && (level < LAST || !isSpent(table))) {
      const leaving = [{ cf, level: 0, number: table.number }];
      return { type: "move", tables: [{ level, table }], leaving };
    }
  }
  const runs = upper.map((one) => [one]);
  const levels = upper.map(() => 0);
  const gathered =
    lower.length === 0
      ? { runs, levels, hull }
      : { runs: [...runs, lower], levels: [...levels, 1], hull: hullOf([...upper, ...lower]) };
  return mergeOf(picking, cf, gathered, []);
}

/** The merge of what was gathered, unless something of it is in use. */
function mergeOf(
  picking: Picking,
  cf: ColumnFamily,
  { runs, levels, hull }: Gathered,
  pointers: readonly Pointer[],
): Choice | undefined {
  const { version } = picking;
  const fromLevel = levels[0]!;
  const toLevel = deepest(version, cf, levels.at(-1)!, hull);
  const inputs = runs.flat();
  if (isBlocked(picking, cf, fromLevel, toLevel, hull, inputs)) return undefined;
  const leaving = runs.flatMap((run, i) =>
    run.map(({ number }) => ({ cf, level: levels[i]!, number })),
  );
  const bottom = isBottom(version, cf, toLevel, hull);
  const covered = coveredAbove(version, cf, fromLevel, hull);
  const cuts = cutsOf(picking, cf, toLevel, hull, inputs);
  const what = { cf, fromLevel, toLevel, runs, leaving, hull, bottom, covered, cuts, pointers };
  return { type: "merge", ...what };
}

const cutsOf = (
  { version, config }: Picking,
  cf: ColumnFamily,
  level: number,
  hull: Clear,
  inputs: readonly TableMeta[],
): readonly Key[] => {
  const leaving = new Set(inputs.map(({ number }) => number));
  return cutsFor(version, cf, level, hull, totalBytes(inputs), config.tableBytes, leaving);
};

/** Whether one of the tables cannot be read, or what runs touches these levels there. */
const isBlocked = (
  { running, damaged }: Picking,
  cf: ColumnFamily,
  fromLevel: number,
  toLevel: number,
  range: Clear,
  tables: readonly TableMeta[],
): boolean =>
  tables.some(({ number }) => damaged.has(number)) ||
  running.some(
    (other) =>
      other.cf === cf &&
      other.fromLevel <= toLevel &&
      fromLevel <= other.toLevel &&
      rangesMeet(other.hull, range),
  );

/** Whether it holds what is of no use at the bottom. */
const isSpent = ({ tombstones, clears }: TableMeta): boolean => tombstones > 0 || clears.length > 0;
