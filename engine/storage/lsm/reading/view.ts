/** Reading a stack: what its sources say together, without tombstones. */
import { assert } from "../../../base/assert.ts";
import { EMPTY_BYTES, EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { Clear, EntryCursor, TableMeta } from "../../table/types.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import {
  afterFilterKey,
  type Bounds,
  firstByCursor,
  type KvCursor,
  type KvVersion,
  type KvView,
} from "../../view.ts";
import { NO_CLEARS, clearsWithin, unite } from "../clears.ts";
import { MergeCursor } from "./merge.ts";
import type { MergeInput } from "./merge.ts";
import { firstEntry, HIDDEN } from "./point.ts";
import { MemtableEntries, RunEntries } from "./source.ts";
import { lookUp } from "./stack.ts";
import type { TableReader } from "./stack.ts";
import type { Memtable, Stack } from "../types.ts";

/** What `stack` holds, its tables read through `tables`. */
export const stackView = (stack: Stack, tables: TableReader): KvView =>
  new StackView(stack, tables);

class StackView implements KvView {
  private readonly stack: Stack;
  private readonly tables: TableReader;

  constructor(stack: Stack, tables: TableReader) {
    this.stack = stack;
    this.tables = tables;
  }

  get(cf: ColumnFamily, key: Key): Uint8Array | undefined {
    return lookUp(this.stack, this.tables, cf, key);
  }

  first(
    cf: ColumnFamily,
    prefix: Key,
    rest: Key,
    settles?: (value: Uint8Array) => boolean,
  ): KvVersion | undefined {
    const found = firstEntry(this.stack, this.tables, cf, prefix, rest, settles);
    if (found !== HIDDEN) return found;
    const bounds = { lower: prefix, upper: afterFilterKey(prefix), filterKey: prefix };
    return firstByCursor(this.cursor(cf, bounds), prefix, rest);
  }

  cursor(cf: ColumnFamily, bounds: Bounds): KvCursor {
    const { memtable, layers, version } = this.stack;
    const sources = new Sources(cf, bounds, this.tables);
    sources.addMemtable(memtable);
    for (const layer of layers) {
      if (layer.type === "memtable") sources.addMemtable(layer.memtable);
      else sources.addTables(layer.tables.filter((table) => table.cf === cf));
    }
    version.levels[cf].forEach((run, level) => {
      if (level === 0) sources.addTables(run);
      else sources.addRun(run);
    });
    return new ViewCursor(sources.inputs, bounds);
  }
}

/**
 * Collects the sources of one cursor, newest first; those without anything in bounds are left out.
 */
class Sources {
  readonly inputs: MergeInput[] = [];
  private readonly cf: ColumnFamily;
  private readonly bounds: Bounds;
  private readonly tables: TableReader;
  /** Where everything older is gone. */
  private hidden: readonly Clear[] = NO_CLEARS;

  constructor(cf: ColumnFamily, bounds: Bounds, tables: TableReader) {
    this.cf = cf;
    this.bounds = bounds;
    this.tables = tables;
  }

  addMemtable(memtable: Memtable): void {
    const { cf } = this;
    const isEmpty = memtable.entries[cf].size === 0;
    const clears = clearsWithin(memtable.clears[cf], this.bounds);
    this.add(isEmpty ? undefined : new MemtableEntries(memtable, cf), clears);
  }

  /** Tables that may overlap, newest first. */
  addTables(tables: readonly TableMeta[]): void {
    for (const table of tables) this.addRun([table]);
  }

  addRun(run: readonly TableMeta[]): void {
    const entries = new RunEntries(run, this.tables, this.bounds);
    if (!entries.isEmpty) this.add(entries, entries.clears());
  }

  private add(cursor: EntryCursor | undefined, clears: readonly Clear[]): void {
    if (cursor !== undefined) this.inputs.push({ cursor, hidden: this.hidden });
    this.hidden = unite(this.hidden, clears);
  }
}

/** A merge within bounds that passes over tombstones. */
class ViewCursor implements KvCursor {
  valid = false;
  key: Key = EMPTY_KEY;
  value: Uint8Array = EMPTY_BYTES;
  private readonly merge: MergeCursor;
  private readonly lower: Key;
  private readonly upper: Key;

  constructor(inputs: readonly MergeInput[], { lower, upper }: Bounds) {
    this.merge = new MergeCursor(inputs);
    this.lower = lower;
    this.upper = upper;
  }

  seek(key: Key): void {
    this.merge.seek(key < this.lower ? this.lower : key);
    this.settleForward();
  }

  seekBefore(key: Key): void {
    const { upper } = this;
    const isInside = key !== EMPTY_KEY && (upper === EMPTY_KEY || key < upper);
    this.merge.seekBefore(isInside ? key : upper);
    this.settleBackward();
  }

  next(): void {
    assert(this.valid, "a step is made from an entry");
    this.merge.next();
    this.settleForward();
  }

  previous(): void {
    assert(this.valid, "a step is made from an entry");
    this.merge.previous();
    this.settleBackward();
  }

  private settleForward(): void {
    const { merge, upper } = this;
    for (; merge.valid; merge.next()) {
      const { key } = merge;
      if (upper !== EMPTY_KEY && key >= upper) break;
      const { entry } = merge;
      if (entry === TOMBSTONE) continue;
      this.stand(key, entry);
      return;
    }
    this.valid = false;
  }

  private settleBackward(): void {
    const { merge, lower } = this;
    for (; merge.valid; merge.previous()) {
      const { key } = merge;
      if (key < lower) break;
      const { entry } = merge;
      if (entry === TOMBSTONE) continue;
      this.stand(key, entry);
      return;
    }
    this.valid = false;
  }

  private stand(key: Key, value: Uint8Array): void {
    this.valid = true;
    this.key = key;
    this.value = value;
  }
}
