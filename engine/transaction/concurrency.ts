/**
 * What keeps reads and commit timestamps that were calculated here apart: the greatest timestamp
 * at which anybody has read, and the locks of prewrites that are on their way into the log. A read
 * raises `maxTs` first and then looks at the locks; a prewrite takes a timestamp above `maxTs` and
 * puts its locks here in the same step. So one of the two sees the other.
 */
import { assert } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import { type Timestamp, ZERO_TIMESTAMP, maxTimestamp } from "../base/timestamp.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import type { Footprint } from "../mvcc/calls.ts";
import type { MemoryLock } from "../mvcc/evaluation.ts";
import { decodeKey } from "../mvcc/keys.ts";
import { type Snapshot, conflictOf } from "../mvcc/read/snapshot.ts";
import type { Refusal } from "../mvcc/refusal.ts";

export interface Concurrency {
  /** No read at a greater timestamp was answered here. */
  readonly maxTs: Timestamp;
  /** By encoded key. */
  readonly locks: Tree<MemoryLock>;
}

export const noConcurrency = (): Concurrency => ({ maxTs: ZERO_TIMESTAMP, locks: tree.empty() });

/** Notes that somebody reads at `timestamp`. */
export function raise(concurrency: Concurrency, timestamp: Timestamp): Concurrency {
  const maxTs = maxTimestamp(concurrency.maxTs, timestamp);
  return maxTs === concurrency.maxTs ? concurrency : { maxTs, locks: concurrency.locks };
}

/** Shows `locks` to reads until they are forgotten. Their keys are latched. */
export function show({ maxTs, locks }: Concurrency, added: readonly MemoryLock[]): Concurrency {
  const run = tree.edit(locks);
  for (const lock of added) {
    assert(run.set(lock.key, lock) === undefined, "a latched key has one lock in memory");
  }
  return { maxTs, locks: run.done() };
}

/** The data show these locks now, or they never came to be. */
export function forget({ maxTs, locks }: Concurrency, gone: readonly MemoryLock[]): Concurrency {
  const run = tree.edit(locks);
  for (const { key } of gone) run.remove(key);
  return { maxTs, locks: run.done() };
}

/**
 * Why a read of `footprint` has to wait for somebody's commit, if it has. `byFollower`: the reader
 * is one, and cannot know whether what it meets has been committed meanwhile.
 */
export function conflictWith(
  { locks }: Concurrency,
  snapshot: Snapshot,
  footprint: Footprint,
  byFollower: boolean = false,
): Refusal | undefined {
  if (locks.size === 0) return undefined;
  for (const { key, lock, onePhase } of within(locks, footprint)) {
    const refusal = conflictOf(snapshot, userKey(key), lock, onePhase || byFollower);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function* within(locks: Tree<MemoryLock>, footprint: Footprint): Iterable<MemoryLock> {
  if (footprint.type === "range") {
    const { start, end } = footprint.range;
    for (const [, lock] of tree.entries(locks, start, end)) yield lock;
    return;
  }
  for (const key of footprint.keys) {
    const lock = tree.get(locks, key);
    if (lock !== undefined) yield lock;
  }
}

function userKey(key: Key): Key {
  const decoded = decodeKey(key);
  assert(decoded !== undefined, "a lock in memory is on a key that was encoded here");
  return decoded;
}
