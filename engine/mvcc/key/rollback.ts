/**
 * Rolling a transaction back on one key: its lock goes, and a record stays that keeps a prewrite
 * that was delayed from succeeding.
 *
 * A record that is not *protected* may make place for a later one ("collapse"), so that a key whose
 * transactions keep failing does not fill up: the later one refuses the delayed prewrite as well.
 * Where that is not enough (the primary key, whose record is the verdict), it is protected.
 */
import type { Key } from "../../base/bytes.ts";
import { type Timestamp, ZERO_TIMESTAMP, physicalOf } from "../../base/timestamp.ts";
import type { Work } from "../evaluation.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { Lock } from "../record/lock.ts";
import { isProtectedRollback, rollbackWrite } from "../record/write.ts";
import { lockInfoOf } from "../refusal.ts";
import { type OverlappedWrite, fateOf } from "./fate.ts";

/** What a transaction without a lock is, once it was looked for. */
export type Verdict =
  | { readonly type: "committed"; readonly commitTs: Timestamp }
  | { readonly type: "rolled_back" }
  /** There was no record of it; there is one now. */
  | { readonly type: "lock_not_exist" }
  /** There was no record of it, and still is none. */
  | { readonly type: "lock_not_exist_do_nothing" };

/** What to do about a transaction of which there is neither lock nor record. */
export type MissingAction = "rollback" | "protected_rollback" | "error" | "nothing";

/** Whether `lock`'s time to live is over at `currentTs`. */
export const isExpired = (lock: Lock, currentTs: Timestamp): boolean =>
  physicalOf(lock.startTs) + lock.ttlMs < physicalOf(currentTs);

/**
 * Rolls the transaction `startTs` back on the user's key `user`, unless its lock's time to live
 * is not over yet at `currentTs` (0: that does not matter). Refused where it has committed.
 */
export function rollbackKey(
  work: Work,
  user: Key,
  startTs: Timestamp,
  currentTs: Timestamp,
  isProtected: boolean,
): Outcome<void> {
  const key = encodeKey(user);
  const lock = work.reader.lock(key);
  if (lock !== undefined && lock.startTs === startTs) {
    if (currentTs !== ZERO_TIMESTAMP && !isExpired(lock, currentTs)) {
      return refused({ type: "locked", info: lockInfoOf(lock, user) });
    }
    rollbackLock(work, user, lock, !isProtected);
    return done(undefined);
  }
  const action = isProtected ? "protected_rollback" : "rollback";
  const verdict = settleMissing(work, user, startTs, lock, action);
  if (!verdict.ok) return verdict;
  if (verdict.value.type !== "committed") return done(undefined);
  return refused({ type: "committed", startTs, commitTs: verdict.value.commitTs, key: user });
}

/** Removes `lock` on the user's key `user`, its value, and leaves a record. */
export function rollbackLock(work: Work, user: Key, lock: Lock, collapses: boolean): void {
  const { reader, draft } = work;
  const { startTs } = lock;
  const key = encodeKey(user);
  const fate = fateOf(reader, key, startTs);
  if (fate.type === "committed") {
    reader.note({ cf: "lock", key, reason: "contradiction", offset: 0 });
    return;
  }
  draft.unlock(key, lock, ZERO_TIMESTAMP);
  if (fate.type === "rolled_back") return;
  if (lock.type === "put" && lock.shortValue === undefined) draft.deleteValue(key, startTs);
  // A pipelined transaction may write a key more than once, so that any key of it can be late.
  const isProtected = user === lock.primary || lock.generation > 0;
  leaveRecord(work, key, startTs, isProtected, fate.overlapped);
  if (collapses) collapse(work, key, startTs);
}

/** Removes a pessimistic lock, which leaves nothing behind. */
export function dropPessimisticLock({ draft }: Work, user: Key, lock: Lock): void {
  draft.unlock(encodeKey(user), lock, ZERO_TIMESTAMP);
}

/**
 * What became of the transaction `startTs`, which has no lock on the user's key `user`; `action`
 * is done where there is no record of it either. `other` is the lock of another transaction that
 * stands there.
 */
export function settleMissing(
  work: Work,
  user: Key,
  startTs: Timestamp,
  other: Lock | undefined,
  action: MissingAction,
): Outcome<Verdict> {
  const key = encodeKey(user);
  const fate = fateOf(work.reader, key, startTs);
  if (fate.type !== "unknown") return done(fate);
  if (action === "error") return refused({ type: "txn_not_found", startTs, key: user });
  if (action === "nothing") return done({ type: "lock_not_exist_do_nothing" });
  const isProtected = action === "protected_rollback";
  if (!isProtected) collapse(work, key, startTs);
  if (isProtected) leaveProtectedRollback(work, key, startTs, other, fate.overlapped);
  else leaveRecord(work, key, startTs, false, fate.overlapped);
  return done({ type: "lock_not_exist" });
}

/**
 * Leaves the protected record of a rollback on an encoded key, and tells `other`, the lock of
 * another transaction there, where its commit could overwrite it.
 */
export function leaveProtectedRollback(
  work: Work,
  key: Key,
  startTs: Timestamp,
  other: Lock | undefined,
  overlapped: OverlappedWrite | undefined,
): void {
  if (other !== undefined && overlapped === undefined) remind(work, key, startTs, other);
  leaveRecord(work, key, startTs, true, overlapped);
}

/** Only calculated commit timestamps can be somebody's start; others come from the oracle. */
function remind({ draft }: Work, key: Key, startTs: Timestamp, other: Lock): void {
  if (other.secondaries === undefined || startTs < other.minCommitTs) return;
  if (other.rollbackTs.includes(startTs)) return;
  draft.putLock(key, { ...other, rollbackTs: [...other.rollbackTs, startTs] });
}

function leaveRecord(
  { draft }: Work,
  key: Key,
  startTs: Timestamp,
  isProtected: boolean,
  overlapped: OverlappedWrite | undefined,
): void {
  if (overlapped === undefined) draft.putWrite(key, startTs, rollbackWrite(startTs, isProtected));
  else if (isProtected) {
    const { write, gcFence } = overlapped;
    draft.putWrite(key, startTs, { ...write, overlappedRollback: true, gcFence });
  }
}

/** Drops the record of an earlier rollback, if it is the next one and not protected. */
export function collapse({ reader, draft }: Work, key: Key, startTs: Timestamp): void {
  const earlier = reader.versions(key).atOrBefore(startTs);
  if (earlier?.write.type !== "rollback" || isProtectedRollback(earlier.write)) return;
  draft.deleteWrite(key, earlier.commitTs);
}
