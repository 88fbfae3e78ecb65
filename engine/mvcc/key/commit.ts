/**
 * Committing a transaction on one key: its lock becomes a version.
 */
import type { Key } from "../../base/bytes.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import type { Work } from "../evaluation.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { Lock } from "../record/lock.ts";
import type { Write, WriteType } from "../record/write.ts";
import { fateOf } from "./fate.ts";

/**
 * Commits the transaction `startTs` on the user's key `user`, at the timestamp that it gives: where
 * that has been done before, it may be another than `commitTs`.
 */
export function commitKey(
  { reader, draft }: Work,
  user: Key,
  startTs: Timestamp,
  commitTs: Timestamp,
): Outcome<Timestamp> {
  const key = encodeKey(user);
  const lock = reader.lock(key);
  if (lock === undefined || lock.startTs !== startTs) {
    const fate = fateOf(reader, key, startTs);
    if (fate.type === "committed") return done(fate.commitTs);
    return refused({ type: "txn_lock_not_found", startTs, commitTs, key: user });
  }
  const { minCommitTs } = lock;
  if (commitTs < minCommitTs) {
    return refused({ type: "commit_ts_expired", startTs, commitTs, key: user, minCommitTs });
  }
  if (lock.type === "pessimistic") {
    // Left over by a request that came late: the transaction never wrote here.
    draft.unlock(key, lock, 0n as Timestamp);
    return done(commitTs);
  }
  draft.putWrite(key, commitTs, committedWrite(lock, lock.type, commitTs));
  draft.unlock(key, lock, commitTs);
  return done(commitTs);
}

/** The record of `lock`, whose transaction commits at `commitTs`. */
export const committedWrite = (lock: Lock, type: WriteType, commitTs: Timestamp): Write => ({
  type,
  startTs: lock.startTs,
  shortValue: lock.shortValue,
  // Somebody who started at this very timestamp was told here that he is rolled back.
  overlappedRollback: lock.rollbackTs.includes(commitTs),
  gcFence: undefined,
  lastChange: lock.lastChange,
  txnSource: lock.txnSource,
});
