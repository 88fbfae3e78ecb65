/**
 * The key-value state of a store, in memory: one persistent tree a column family. A `Kv` is a
 * value; keeping one is taking a snapshot.
 */
import type { Tree } from "../base/tree.ts";
import type { ColumnFamily } from "./types.ts";
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
