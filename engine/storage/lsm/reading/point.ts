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
import type { KvVersion } from "../../view.ts";
import { entryAt, keptRest } from "../memtable/arena.ts";
import type { Arena, Slot } from "../memtable/arena.ts";
import { NONE, UNSURE } from "../memtable/newest.ts";
import { isCleared, isClearedIn } from "../clears.ts";
import { firstReaching } from "../run.ts";
import type { TableReader } from "./stack.ts";
import type { Memtable, Stack } from "../types.ts";

/** Told where deletes may hide entries of older sources: a cursor has to look. */
export const HIDDEN = "hidden";

type Settles = (value: Uint8Array) => boolean;

/** Mutable: what was found so far, sources being asked from new to old. */
class Finder {
  /** What the key of `entry` has behind the prefix. */
  rest: Key | undefined;
  entry: Entry | undefined;
  /** Whether an entry was met that a newer source clears: what is behind it may count. */
  isHidden = false;
  /** Whether what was found first makes everything older irrelevant. */
  isSettled = false;
  /** Of the sources so far, where they have some: they hide entries of those to come. */
  #trees: Tree<Key>[] | undefined;
  #lists: (readonly Clear[])[] | undefined;
  /** The prefix and where to begin behind it, joined when a source is in the order of keys. */
  #from: Key | undefined;
  readonly #tables: TableReader;
  readonly #cf: ColumnFamily;
  readonly #prefix: Key;
  readonly #lowest: Key;
  readonly #settles: Settles | undefined;

  constructor(
    tables: TableReader,
    cf: ColumnFamily,
    prefix: Key,
    lowest: Key,
    settles: Settles | undefined,
  ) {
    this.#settles = settles;
    this.#tables = tables;
    this.#cf = cf;
    this.#prefix = prefix;
    this.#lowest = lowest;
  }

  memtable(memtable: Memtable): void {
    const { newest, moment, arena, clears } = memtable;
    const { length } = this.#prefix;
    const isIndexed = this.#cf === "write" && newest.moment === moment;
    const slot = isIndexed ? newest.find(this.#prefix, length) : UNSURE;
    const rest = slot > NONE ? keptRest(arena, slot, length) : undefined;
    if (rest !== undefined && rest >= this.#lowest) this.#met(arena, rest, slot);
    else if (slot !== NONE) this.#descend(memtable);
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
    const from = this.#start();
    for (let at = firstReaching(run, from); at < run.length; at++) {
      const table = run[at]!;
      if (table.smallest > from && !table.smallest.startsWith(this.#prefix)) return;
      this.#table(table);
    }
  }

  #start(): Key {
    return (this.#from ??= (this.#prefix + this.#lowest) as Key);
  }

  #descend({ entries, arena }: Memtable): void {
    const found = tree.ceiling(entries[this.#cf], this.#start());
    if (found === undefined || !found.key.startsWith(this.#prefix)) return;
    this.#met(arena, found.key.slice(this.#prefix.length) as Key, found.value);
  }

  /** A memtable has this. */
  #met(arena: Arena, rest: Key, slot: Slot): void {
    if (!this.#isBetter(rest)) return;
    const entry = entryAt(arena, slot);
    this.isSettled = this.#isLastWord(entry);
    this.rest = rest;
    this.entry = entry;
  }

  #table(table: TableMeta): void {
    if (this.#tables.mayContain(table, this.#prefix)) {
      const cursor = this.#tables.cursor(table);
      cursor.seek(this.#start());
      if (cursor.valid && cursor.key.startsWith(this.#prefix)) {
        const rest = cursor.key.slice(this.#prefix.length) as Key;
        if (this.#isBetter(rest)) {
          this.rest = rest;
          this.entry = cursor.entry;
        }
      }
    }
    if (table.clears.length > 0) (this.#lists ??= []).push(table.clears);
  }

  /** Only the first find can be: what newer sources have counts as well. */
  #isLastWord(entry: Entry): boolean {
    if (this.rest !== undefined || this.isHidden || entry === TOMBSTONE) return false;
    return this.#settles?.(entry) === true;
  }

  /** Of equal keys the one that was found first is the newest. */
  #isBetter(rest: Key): boolean {
    if (this.rest !== undefined && rest >= this.rest) return false;
    if (this.#trees !== undefined || this.#lists !== undefined) {
      const key = (this.#prefix + rest) as Key;
      this.isHidden ||=
        this.#trees?.some((clears) => isCleared(clears, key)) === true ||
        this.#lists?.some((clears) => isClearedIn(clears, key)) === true;
    }
    return true;
  }
}

/**
 * The first entry whose key is `prefix`, its filter key, and something >= `rest`; undefined where
 * there is none.
 */
export function firstEntry(
  stack: Stack,
  tables: TableReader,
  cf: ColumnFamily,
  prefix: Key,
  rest: Key,
  settles?: Settles,
): KvVersion | typeof HIDDEN | undefined {
  const finder = new Finder(tables, cf, prefix, rest, settles);
  search(finder, stack, cf);
  const { rest: found, entry, isHidden } = finder;
  if (isHidden || entry === TOMBSTONE) return HIDDEN;
  return found === undefined || entry === undefined ? undefined : { rest: found, value: entry };
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
