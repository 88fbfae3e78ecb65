/** The durable tables at one instant, and what follows from an edit. */
import { EMPTY_KEY, keyAfter } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { COLUMN_FAMILIES } from "../types.ts";
import type { Clear, TableMeta } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import { endsBefore } from "./run.ts";
import type { Version } from "./types.ts";

/** Levels of a family: 0 and the runs below it. */
export const LEVELS = 7;

/** A table and its place. */
export interface Placed {
  readonly level: number;
  readonly table: TableMeta;
}

/** Which table leaves, and from where. */
export interface Leaving {
  readonly cf: ColumnFamily;
  readonly level: number;
  readonly number: number;
}

/** The tables of a level: of level 0 newest first, of others ascending. */
export const tablesAt = (version: Version, cf: ColumnFamily, level: number): readonly TableMeta[] =>
  version.levels[cf][level] ?? [];

/** All tables, level by level. */
export function* allTables(version: Version): IterableIterator<Placed> {
  for (const cf of COLUMN_FAMILIES) {
    for (const [level, run] of version.levels[cf].entries()) {
      for (const table of run) yield { level, table };
    }
  }
}

export const totalBytes = (tables: readonly TableMeta[]): number =>
  tables.reduce((sum, { size }) => sum + size, 0);

/** Where the table ends, exclusively; empty: no bound. */
export const endOf = ({ largest, largestExclusive }: TableMeta): Key =>
  largestExclusive ? largest : keyAfter(largest);

/** The range that holds all of these tables, of which there is one at least. */
export function hullOf(tables: readonly TableMeta[]): Clear {
  let { smallest: start } = tables[0]!;
  let end = endOf(tables[0]!);
  for (const table of tables) {
    if (table.smallest < start) start = table.smallest;
    const own = endOf(table);
    if (end !== EMPTY_KEY && (own === EMPTY_KEY || own > end)) end = own;
  }
  return { start, end };
}

/** Whether two ranges have a key in common. */
export const rangesMeet = (a: Clear, b: Clear): boolean =>
  (a.end === EMPTY_KEY || b.start < a.end) && (b.end === EMPTY_KEY || a.start < b.end);

/** Whether the table lies wholly in the range. */
export const liesWithin = (table: TableMeta, { start, end }: Clear): boolean =>
  table.smallest >= start && (end === EMPTY_KEY || endsWithin(table, end));

const endsWithin = (table: TableMeta, end: Key): boolean =>
  table.largestExclusive
    ? table.largest !== EMPTY_KEY && table.largest <= end
    : endsBefore(table, end);

/**
 * `version` without `removed` and with `added` (those of level 0 newest first, on top); a sentence
 * where that cannot be.
 */
export function withTables(
  version: Version,
  removed: readonly Leaving[],
  added: readonly Placed[],
): Version | string {
  if (removed.length + added.length === 0) return version;
  const { default: values, lock, write } = version.levels;
  const levels = { default: values, lock, write };
  for (const cf of COLUMN_FAMILIES) {
    const leaving = removed.filter((leaver) => leaver.cf === cf);
    const coming = added.filter(({ table }) => table.cf === cf);
    if (leaving.length + coming.length === 0) continue;
    const runs = Array.from({ length: LEVELS }, (_, level) => tablesAt(version, cf, level));
    for (let level = 0; level < LEVELS; level++) {
      const gone = new Set(
        leaving.filter((leaver) => leaver.level === level).map(({ number }) => number),
      );
      const fresh = coming.filter((comer) => comer.level === level).map(({ table }) => table);
      if (gone.size + fresh.length === 0) continue;
      const kept = runs[level]!.filter(({ number }) => !gone.delete(number));
      if (gone.size > 0) return `table ${[...gone][0]} is not in level ${level} of ${cf}`;
      const run = level === 0 ? [...fresh, ...kept] : merged(kept, fresh);
      if (level > 0 && !isDisjoint(run)) return `tables of level ${level} of ${cf} overlap`;
      runs[level] = run;
    }
    levels[cf] = runs;
  }
  return { levels };
}

function merged(kept: readonly TableMeta[], fresh: readonly TableMeta[]): readonly TableMeta[] {
  if (fresh.length === 0) return kept;
  return [...kept, ...fresh].sort((a, b) => (a.smallest < b.smallest ? -1 : 1));
}

const isDisjoint = (run: readonly TableMeta[]): boolean =>
  run.every((table, i) => i === 0 || endsBefore(run[i - 1]!, table.smallest));
