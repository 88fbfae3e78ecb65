/** How far the tree is behind what it is given, for those who decide how much more to let in. */
import { isRefused } from "../log/state.ts";
import type { StorageState } from "../state.ts";

export interface Pressure {
  /** Frozen memtables and ingested tables that are not part of the tree yet. */
  readonly layers: number;
  /** Bytes of the memtable. */
  readonly memtableBytes: number;
  /** Bytes of frozen ones. */
  readonly frozenBytes: number;
  /** Tables of level 0 over one key, at most. */
  readonly levelZero: number;
  /** Bytes of levels 0 and 1 that should have gone down. */
  readonly debtBytes: number;
  /** The disk has refused, and nothing is flushed or compacted until it is tried again. */
  readonly stalled: boolean;
  /** The disk has no room for the log, which waits until it is tried again. */
  readonly blocked: boolean;
}

export function pressure({ memtable, tree, log }: StorageState): Pressure {
  let frozenBytes = 0;
  for (const layer of tree.layers) {
    if (layer.type === "memtable") frozenBytes += layer.memtable.bytes;
  }
  return {
    layers: tree.layers.length,
    memtableBytes: memtable.bytes,
    frozenBytes,
    levelZero: tree.debt.levelZero,
    debtBytes: tree.debt.bytes,
    stalled: tree.stalled,
    blocked: isRefused(log),
  };
}
