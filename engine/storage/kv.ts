/**
 * The key-value state as a checkpoint holds it: one tree of values a column family. In memory it is
 * a memtable with nothing under it.
 */
import { assert } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import { entryAt } from "./lsm/arena.ts";
import { MemtableEdit, emptyMemtable } from "./lsm/memtable.ts";
import { stackOf } from "./lsm/stack.ts";
import type { Memtable } from "./lsm/types.ts";
import { TOMBSTONE } from "./table/types.ts";
import { COLUMN_FAMILIES } from "./types.ts";
import type { ColumnFamily } from "./types.ts";

export { COLUMN_FAMILIES };

export interface Kv {
  readonly default: Tree<Uint8Array>;
  readonly lock: Tree<Uint8Array>;
  readonly write: Tree<Uint8Array>;
}

export const emptyKv = (): Kv => ({
  default: tree.empty(),
  lock: tree.empty(),
  write: tree.empty(),
});

/** What a memtable holds that has never had anything under it, and so no tombstones. */
export const valuesOf = (memtable: Memtable): Kv => ({
  default: treeOf(memtable, "default"),
  lock: treeOf(memtable, "lock"),
  write: treeOf(memtable, "write"),
});

function treeOf({ entries, clears, arena }: Memtable, family: ColumnFamily): Tree<Uint8Array> {
  assert(clears[family].size === 0, "a memtable with nothing under it clears nothing");
  const pairs: (readonly [Key, Uint8Array])[] = [];
  for (const [key, slot] of tree.entries(entries[family])) {
    const entry = entryAt(arena, slot);
    assert(entry !== TOMBSTONE, "a memtable with nothing under it has no tombstones");
    pairs.push([key, entry]);
  }
  return tree.fromSorted(pairs);
}

/** The memtable that holds `kv`. */
export function memtableOf(kv: Kv): Memtable {
  const base = emptyMemtable();
  const edit = new MemtableEdit(base, stackOf(base));
  for (const family of COLUMN_FAMILIES) {
    for (const [key, value] of tree.entries(kv[family])) edit.put(family, key, value);
  }
  return edit.done();
}
