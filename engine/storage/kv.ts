/**
 * The key-value state of a store, in memory: one persistent tree a column family. A `Kv` is a
 * value; keeping one is taking a snapshot.
 */
import type { Tree } from "../base/tree.ts";
import type { ColumnFamily, KvOperation } from "./types.ts";
import * as tree from "../base/tree.ts";

export interface Kv {
  readonly default: Tree<Uint8Array>;
  readonly lock: Tree<Uint8Array>;
  readonly write: Tree<Uint8Array>;
}

export const COLUMN_FAMILIES: readonly ColumnFamily[] = ["default", "lock", "write"];

export const emptyKv = (): Kv => ({
  default: tree.empty(),
  lock: tree.empty(),
  write: tree.empty(),
});

/**
 * All of `operations`, in order, or none: the result is a new state, `kv` stays as it was. Keeps
 * the values.
 */
export function applyOperations(kv: Kv, operations: readonly KvOperation[]): Kv {
  const edits = {
    default: tree.edit(kv.default),
    lock: tree.edit(kv.lock),
    write: tree.edit(kv.write),
  };
  for (const operation of operations) {
    const target = edits[operation.cf];
    switch (operation.type) {
      case "put":
        target.set(operation.key, operation.value);
        break;
      case "delete":
        target.remove(operation.key);
        break;
      case "delete_range":
        target.removeRange(operation.start, operation.end);
        break;
    }
  }
  return {
    default: edits.default.done(),
    lock: edits.lock.done(),
    write: edits.write.done(),
  };
}
