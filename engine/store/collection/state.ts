/** What a store remembers of its collecting old versions (docs/design/010-transactions.md). */
import type { Key } from "../../base/bytes.ts";
import type { LogIndex, RegionId } from "../../base/ids.ts";
import { type Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";

export interface Collection {
  /** What no reader at or above sees is garbage here. Never above the store's `safePoint`. */
  readonly garbageBelow: Timestamp;
  /** Monotonic time of the last question for the safe points. */
  readonly askedAt: number;
  /** Undefined while there is nothing to sweep. */
  readonly sweep: Sweep | undefined;
  /** Of the round before, and of this one, by `idKey` of the region. */
  readonly swept: Tree<SweptRegion>;
  /** Versions and values that sweeps have removed since the start. */
  readonly removed: number;
}

/** A round over all regions of the store, in ascending order of id. */
export interface Sweep {
  /** The round's safe point: a later one is for the next. */
  readonly safePoint: Timestamp;
  /** Regions up to this one are done. */
  readonly done: number;
  /** Where the region under way goes on, and whether it has shown versions above the point. */
  readonly region: RegionId | undefined;
  readonly from: Key;
  readonly newer: boolean;
}

/** A region that was seen whole. */
export interface SweptRegion {
  /** Of the replica when it was. */
  readonly applied: LogIndex;
  /** Whether what it holds may become garbage without another write. */
  readonly newer: boolean;
}

/** The same state in the one shape of all (`docs/design/001-base-and-tree.md`). */
export const shaped = (collection: Collection): Collection => ({
  garbageBelow: collection.garbageBelow,
  askedAt: collection.askedAt,
  sweep: collection.sweep,
  swept: collection.swept,
  removed: collection.removed,
});

export const noCollection = (): Collection => ({
  garbageBelow: ZERO_TIMESTAMP,
  askedAt: Number.NEGATIVE_INFINITY,
  sweep: undefined,
  swept: tree.empty(),
  removed: 0,
});
