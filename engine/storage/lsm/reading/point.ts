/**
 * The first entry from a key on that begins in a certain way, as for the newest version of a key
 * that is old enough. A cursor over all sources is made for walking; one answer needs none of that.
 */
import type { Key } from "../../../base/bytes.ts";
import * as tree from "../../../base/tree.ts";
import type { Tree } from "../../../base/tree.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Clear, Entry, TableMeta } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import type { KvEntry } from "../../view.ts";
import { entryAt } from "../memtable/arena.ts";
import { isCleared, isClearedIn } from "../clears.ts";
import { firstReaching } from "../run.ts";
import type { TableReader } from "./stack.ts";
import type { Memtable, Stack } from "../types.ts";

/** Told where deletes may hide entries of older sources: a cursor has to look. */
export const HIDDEN = "hidden";

type Settles = (value: Uint8Array) => boolean;

/** Mutable: what was found so far, sources being asked from new to old. */
class Finder {
  key: Key | undefined;
  entry: Entry | undefined;
  /** Whether an entry was met that a newer source clears: what is behind it may count. */
  isHidden = false;
  /** Whether what was found first makes everything older irrelevant. */
  isSettled = false;
  /** Of the sources so far, where they have some: they hide entries of those to come. */
  #trees: Tree<Key>[] | undefined;
  #lists: (readonly Clear[])[] | undefined;
  readonly #tables: TableReader;
  readonly #cf: ColumnFamily;
  readonly #from: Key;
  readonly #prefix: Key;
  readonly #settles: Settles | undefined;

  constructor(
    tables: TableReader,
    cf: ColumnFamily,
    from: Key,
    prefix: Key,
    settles: Settles | undefined,
  ) {
    this.#settles = settles;
    this.#tables = tables;
    this.#cf = cf;
    this.#from = from;
    this.#prefix = prefix;
  }

  memtable({ entries, clears, arena }: Memtable): void {
    const found = tree.ceiling(entries[this.#cf], this.#from);
    if (found !== undefined && this.#isBetter(found.key)) {
      const entry = entryAt(arena, found.value);
      this.isSettled = this.#isLastWord(entry);
      this.key = found.key;
      this.entry = entry;
    }
    if (clears[this.#cf].size > 0) (this.#trees ??= []).push(clears[this.#cf]);
  }

  /** Tables that may overlap, newest first. */
  tables(tables: readonly TableMeta[]): void {
    for (const table of tables) {
      if (table.cf === this.#cf) this.#table(table);
    }
  }

  /** Tables that are one source: those in which the key's entries may lie, one mostly. */
  run(run: readonly TableMeta[]): void {
    for (let at = firstReaching(run, this.#from); at < run.length; at++) {
      const table = run[at]!;
      if (table.smallest > this.#from && !table.smallest.startsWith(this.#prefix)) return;
      this.#table(table);
    }
  }

  #table(table: TableMeta): void {
    if (this.#tables.mayContain(table, this.#prefix)) {
      const cursor = this.#tables.cursor(table);
      cursor.seek(this.#from);
      if (cursor.valid && this.#isBetter(cursor.key)) {
        this.key = cursor.key;
        this.entry = cursor.entry;
      }
    }
    if (table.clears.length > 0) (this.#lists ??= []).push(table.clears);
  }

  /** Only the first find can be: what newer sources have counts as well. */
  #isLastWord(entry: Entry): boolean {
    if (this.key !== undefined || this.isHidden || entry === TOMBSTONE) return false;
    return this.#settles?.(entry) === true;
  }

  /** Of equal keys the one that was found first is the newest. */
  #isBetter(key: Key): boolean {
    if (!key.startsWith(this.#prefix) || (this.key !== undefined && key >= this.key)) return false;
    this.isHidden ||=
      this.#trees?.some((clears) => isCleared(clears, key)) === true ||
      this.#lists?.some((clears) => isClearedIn(clears, key)) === true;
    return true;
  }
}

/**
 * The first entry >= `from` among those whose filter key is `prefix`; undefined where there is
 * none.
 */
export function firstEntry(
  stack: Stack,
  tables: TableReader,
  cf: ColumnFamily,
  from: Key,
  prefix: Key,
  settles?: Settles,
): KvEntry | typeof HIDDEN | undefined {
  const finder = new Finder(tables, cf, from, prefix, settles);
  search(finder, stack, cf);
  const { key, entry, isHidden } = finder;
  if (isHidden || entry === TOMBSTONE) return HIDDEN;
  return key === undefined || entry === undefined ? undefined : { key, value: entry };
}

/**
 * Asks the sources from new to old. Only a memtable can settle the question: it has all that was
 * written in its time, where a table that goes down leaves others of the same time behind.
 */
function search(finder: Finder, { memtable, layers, version }: Stack, cf: ColumnFamily): void {
  finder.memtable(memtable);
  for (const layer of layers) {
    if (finder.isSettled) return;
    if (layer.type === "memtable") finder.memtable(layer.memtable);
    else finder.tables(layer.tables);
  }
  if (finder.isSettled) return;
  const levels = version.levels[cf];
  for (let level = 0; level < levels.length; level++) {
    if (level === 0) finder.tables(levels[level]!);
    else finder.run(levels[level]!);
  }
}
