/**
 * How a read looks at data: its timestamp, its isolation, and the locks that its client has
 * already learned about.
 */
import type { Key } from "../../base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import { type Context, IsolationLevel, WriteConflict_Reason } from "../../protocol/gen/kvrpcpb.ts";
import type { Lock } from "../record/lock.ts";
import { type Refusal, lockInfoOf } from "../refusal.ts";

export interface Snapshot {
  readonly readTs: Timestamp;
  /**
   * SI: everything committed at or below `readTs`, and nothing that could still be. RC: everything
   * committed, locks do not matter. RCCheckTS: RC, but anything newer than `readTs` is a conflict.
   */
  readonly isolation: IsolationLevel;
  /** Transactions whose locks may be ignored: rolled back, or certain to commit above `readTs`. */
  readonly resolved: ReadonlySet<bigint>;
  /** Transactions that have committed at or below `readTs`: what their locks hold may be read. */
  readonly committed: ReadonlySet<bigint>;
}

const NONE: ReadonlySet<bigint> = new Set();

export function snapshotOf(context: Context | undefined, version: bigint): Snapshot {
  return {
    readTs: Timestamp(version),
    isolation: context?.isolationLevel ?? IsolationLevel.SI,
    resolved: setOf(context?.resolvedLocks),
    committed: setOf(context?.committedLocks),
  };
}

const setOf = (list: readonly bigint[] | undefined): ReadonlySet<bigint> =>
  list === undefined || list.length === 0 ? NONE : new Set(list);

/** Whether reads of this isolation look at locks at all. */
export const checksLocks = (snapshot: Snapshot): boolean =>
  snapshot.isolation !== IsolationLevel.RC;

/**
 * Why `lock` on the user's key `key` keeps `snapshot` from being read, if it does. `onePhase`: the
 * lock's transaction commits in the step that is under way, or the reader is a follower, which
 * cannot know.
 */
export function conflictOf(
  snapshot: Snapshot,
  key: Key,
  lock: Lock,
  onePhase: boolean = false,
): Refusal | undefined {
  if (!checksLocks(snapshot)) return undefined;
  if (lock.type === "lock" || lock.type === "pessimistic") return undefined;
  if (snapshot.resolved.has(lock.startTs)) return undefined;
  if (snapshot.isolation === IsolationLevel.RCCheckTS) {
    return newerVersion(snapshot, key, lock.startTs, ZERO_TIMESTAMP, lock.primary);
  }
  const { readTs } = snapshot;
  if (lock.startTs > readTs || lock.minCommitTs > readTs) return undefined;
  // A reader of the newest data there is may go before a transaction that has not committed its
  // primary; one whose commit needs no further word from its client may have committed already.
  const mayBeCommitted = lock.secondaries !== undefined || onePhase;
  if (readTs === MAX_TIMESTAMP && key === lock.primary && !mayBeCommitted) return undefined;
  return { type: "locked", info: lockInfoOf(lock, key) };
}

/** The conflict of a read that wants to be sure that there is nothing newer. */
export const newerVersion = (
  snapshot: Snapshot,
  key: Key,
  conflictStartTs: Timestamp,
  conflictCommitTs: Timestamp,
  primary: Key,
): Refusal => ({
  type: "write_conflict",
  startTs: snapshot.readTs,
  conflictStartTs,
  conflictCommitTs,
  key,
  primary,
  reason: WriteConflict_Reason.RcCheckTs,
});
