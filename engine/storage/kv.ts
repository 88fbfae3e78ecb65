/**
 * The key-value state as a checkpoint holds it: one tree of values a column family. In memory it is
 * a memtable with nothing under it.
 */
import { assert } from "../base/assert.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import { MemtableEdit, emptyMemtable } from "./lsm/memtable.ts";
import { stackOf } from "./lsm/stack.ts";
import type { Memtable } from "./lsm/types.ts";
import { COLUMN_FAMILIES } from "./types.ts";

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
export function valuesOf({ entries, clears }: Memtable): Kv {
  for (const family of COLUMN_FAMILIES) {
    assert(clears[family].size === 0, "a memtable with nothing under it clears nothing");
  }
  return entries as Kv;
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
