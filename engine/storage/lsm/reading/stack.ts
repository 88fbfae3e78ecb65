/**
 * All sources at one instant, and looking up one key in them: newest first, until an entry or a
 * clear answers.
 */
import { fail } from "../../../base/assert.ts";
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import * as tree from "../../../base/tree.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Entry, EntryCursor, TableMeta } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import { filterKeyLength } from "../../view.ts";
import { entryAt } from "../memtable/arena.ts";
import { NONE } from "../memtable/newest.ts";
import { isCleared, isClearedIn } from "../clears.ts";
import { meets, spans, tableOf } from "../run.ts";
import type { Memtable, Stack, Version } from "../types.ts";

/** Reading tables; what a `TableCache` does. */
export interface TableReader {
  /** What the table has at `key`. Clears are not looked at. */
  get(table: TableMeta, key: Key): Entry | undefined;
  /** A cursor over all entries that stands nowhere yet. */
  cursor(table: TableMeta): EntryCursor;
  /** False only where no key with this filter key is in the table. */
  mayContain(table: TableMeta, filterKey: Key): boolean;
}

/** Of a stack that has no tables. */
export const NO_TABLES: TableReader = {
  get: () => fail("there is no table"),
  cursor: () => fail("there is no table"),
  mayContain: () => fail("there is no table"),
};

/** What lies under a memtable. */
export type Older = Pick<Stack, "layers" | "version">;

export const emptyVersion = (): Version => ({ levels: { default: [], lock: [], write: [] } });

/** `memtable` alone. */
export const stackOf = (memtable: Memtable): Stack => ({
  memtable,
  layers: [],
  version: emptyVersion(),
});

/** The value at `key`, or undefined. */
export function lookUp(
  stack: Stack,
  tables: TableReader,
  cf: ColumnFamily,
  key: Key,
): Uint8Array | undefined {
  const found = inMemtable(stack.memtable, cf, key);
  const entry = found === undefined ? findOlder(stack, tables, cf, key) : found;
  return entry === TOMBSTONE ? undefined : entry;
}

/** The newest entry for `key` under the memtable; a tombstone also where it is cleared. */
export function findOlder(
  { layers, version }: Older,
  tables: TableReader,
  cf: ColumnFamily,
  key: Key,
): Entry | undefined {
  for (const layer of layers) {
    const found =
      layer.type === "memtable"
        ? inMemtable(layer.memtable, cf, key)
        : inTables(layer.tables, tables, cf, key);
    if (found !== undefined) return found;
  }
  const levels = version.levels[cf];
  for (let level = 0; level < levels.length; level++) {
    const run = levels[level]!;
    if (level === 0) {
      const found = inTables(run, tables, cf, key);
      if (found !== undefined) return found;
    } else {
      const table = tableOf(run, key);
      const found = table === undefined ? undefined : inTable(table, tables, key);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Whether there may be a value for `key` under the memtable. Reads no table. */
export function mayHold({ layers, version }: Older, cf: ColumnFamily, key: Key): boolean {
  for (const layer of layers) {
    if (layer.type === "memtable") {
      const found = inMemtable(layer.memtable, cf, key);
      if (found !== undefined) return found !== TOMBSTONE;
    } else if (layer.tables.some((table) => table.cf === cf && spans(table, key))) {
      return true;
    }
  }
  return version.levels[cf].some((run, level) =>
    level === 0 ? run.some((table) => spans(table, key)) : tableOf(run, key) !== undefined,
  );
}

/** Whether there may be a value in [start, end) under the memtable. Reads no table. */
export function mayMeet(
  { layers, version }: Older,
  cf: ColumnFamily,
  start: Key,
  end: Key,
): boolean {
  for (const layer of layers) {
    if (layer.type === "memtable") {
      const cursor = tree.seek(layer.memtable.entries[cf], start);
      if (cursor.valid && (end === EMPTY_KEY || cursor.key < end)) return true;
    } else if (layer.tables.some((table) => table.cf === cf && meets(table, start, end))) {
      return true;
    }
  }
  return version.levels[cf].some((run) => run.some((table) => meets(table, start, end)));
}

/** The entry of a memtable; a tombstone where the memtable clears the key. */
function inMemtable(memtable: Memtable, cf: ColumnFamily, key: Key): Entry | undefined {
  const entries = memtable.entries[cf];
  if (entries.size > 0 && mayContain(memtable, cf, key)) {
    const slot = tree.get(entries, key);
    if (slot !== undefined) return entryAt(memtable.arena, slot);
  }
  return isCleared(memtable.clears[cf], key) ? TOMBSTONE : undefined;
}

/** False only where the memtable has no entry for `key`. */
function mayContain(memtable: Memtable, cf: ColumnFamily, key: Key): boolean {
  if (cf !== "write") return memtable.sieves[cf].mayContain(key);
  const { newest, moment } = memtable;
  return newest.moment !== moment || newest.find(key, filterKeyLength(cf, key)) !== NONE;
}

/** The first that answers of tables that may overlap, newest first. */
function inTables(
  run: readonly TableMeta[],
  tables: TableReader,
  cf: ColumnFamily,
  key: Key,
): Entry | undefined {
  for (let i = 0; i < run.length; i++) {
    const table = run[i]!;
    if (table.cf !== cf || !spans(table, key)) continue;
    const found = inTable(table, tables, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inTable(table: TableMeta, tables: TableReader, key: Key): Entry | undefined {
  const entry = tables.get(table, key);
  if (entry !== undefined) return entry;
  return isClearedIn(table.clears, key) ? TOMBSTONE : undefined;
}
