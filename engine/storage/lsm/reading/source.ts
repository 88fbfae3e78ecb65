/** Walking the entries of one source: of a memtable's tree, or of a run of tables. */
import { assert } from "../../../base/assert.ts";
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import * as tree from "../../../base/tree.ts";
import type { Tree } from "../../../base/tree.ts";
import type { Clear, Entry, EntryCursor } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import type { Bounds } from "../../view.ts";
import { entryAt } from "../memtable/arena.ts";
import type { Arena, Slot } from "../memtable/arena.ts";
import { NO_CLEARS } from "../clears.ts";
import { firstFrom, firstReaching } from "../run.ts";
import type { Run } from "../run.ts";
import type { TableReader } from "./stack.ts";
import type { Memtable } from "../types.ts";

/** A cursor over what a memtable has of one family that stands nowhere yet. */
export class MemtableEntries implements EntryCursor {
  private readonly entries: Tree<Slot>;
  private readonly arena: Arena;
  private cursor: tree.Cursor<Slot> | undefined;

  constructor({ entries, arena }: Memtable, cf: ColumnFamily) {
    this.entries = entries[cf];
    this.arena = arena;
  }

  get valid(): boolean {
    return this.cursor?.valid === true;
  }

  get key(): Key {
    return this.cursor!.key;
  }

  get entry(): Entry {
    return entryAt(this.arena, this.cursor!.value);
  }

  seek(key: Key): void {
    this.cursor = tree.seek(this.entries, key);
  }

  seekBefore(key: Key): void {
    this.cursor = tree.seekBefore(this.entries, key);
  }

  next(): void {
    this.cursor!.next();
  }

  previous(): void {
    this.cursor!.previous();
  }
}

/**
 * A cursor over those tables of a run that meet `bounds`. One of them is open at a time; those
 * that the filter key rules out are passed over.
 */
export class RunEntries implements EntryCursor {
  private readonly run: Run;
  private readonly tables: TableReader;
  private readonly filterKey: Key | undefined;
  /** The tables are those from `from` on and before `to`. */
  private readonly from: number;
  private readonly to: number;
  /** The table that `open` is of. */
  private at = -1;
  private open: EntryCursor | undefined;
  /** `open` while it stands at an entry. */
  private here: EntryCursor | undefined;

  constructor(run: Run, tables: TableReader, bounds: Bounds) {
    this.run = run;
    this.tables = tables;
    this.filterKey = bounds.filterKey;
    this.from = firstReaching(run, bounds.lower);
    this.to = bounds.upper === EMPTY_KEY ? run.length : firstFrom(run, bounds.upper, this.from);
  }

  /** Whether no table of the run meets the bounds. */
  get isEmpty(): boolean {
    return this.from >= this.to;
  }

  /** The clears of these tables, ascending. */
  clears(): readonly Clear[] {
    let clears = NO_CLEARS;
    for (let i = this.from; i < this.to; i++) {
      const own = this.run[i]!.clears;
      if (own.length > 0) clears = clears.length === 0 ? own : [...clears, ...own];
    }
    return clears;
  }

  get valid(): boolean {
    return this.here !== undefined;
  }

  get key(): Key {
    return this.here!.key;
  }

  get entry(): Entry {
    return this.here!.entry;
  }

  seek(key: Key): void {
    this.enterForward(firstReaching(this.run, key, this.from, this.to), key);
  }

  seekBefore(key: Key): void {
    const { run, from, to } = this;
    this.enterBackward((key === EMPTY_KEY ? to : firstFrom(run, key, from, to)) - 1, key);
  }

  next(): void {
    const { here } = this;
    assert(here !== undefined, "a step is made from an entry");
    here.next();
    if (!here.valid) this.enterForward(this.at + 1, EMPTY_KEY);
  }

  previous(): void {
    const { here } = this;
    assert(here !== undefined, "a step is made from an entry");
    here.previous();
    if (!here.valid) this.enterBackward(this.at - 1, EMPTY_KEY);
  }

  /** To the first entry from `key` on in table `index` or one behind it. */
  private enterForward(index: number, key: Key): void {
    this.here = undefined;
    for (let i = index; i < this.to; i++) {
      const cursor = this.opened(i);
      if (cursor === undefined) continue;
      cursor.seek(key);
      if (!cursor.valid) continue;
      this.here = cursor;
      return;
    }
  }

  /** To the last entry before `key` in table `index` or one before it. */
  private enterBackward(index: number, key: Key): void {
    this.here = undefined;
    for (let i = index; i >= this.from; i--) {
      const cursor = this.opened(i);
      if (cursor === undefined) continue;
      cursor.seekBefore(key);
      if (!cursor.valid) continue;
      this.here = cursor;
      return;
    }
  }

  /** A cursor over table `index`, unless nothing wanted is in it. */
  private opened(index: number): EntryCursor | undefined {
    if (index === this.at) return this.open;
    const table = this.run[index]!;
    const wanted = this.filterKey === undefined || this.tables.mayContain(table, this.filterKey);
    this.at = index;
    this.open = wanted ? this.tables.cursor(table) : undefined;
    return this.open;
  }
}
