/**
 * Taking a pessimistic lock on one key.
 */
import type { Key } from "../../base/bytes.ts";
import { type Timestamp, maxTimestamp } from "../../base/timestamp.ts";
import { WriteConflict_Reason } from "../../protocol/gen/kvrpcpb.ts";
import type { Work } from "../evaluation.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { MvccReader } from "../read/reader.ts";
import type { Version, Versions } from "../read/versions.ts";
import type { Lock } from "../record/lock.ts";
import { type Refusal, lockInfoOf } from "../refusal.ts";
import { lastChangeOf } from "./change.ts";
import { existing } from "./constraint.ts";
import { tellsRollback } from "./fate.ts";

export interface Locking {
  readonly startTs: Timestamp;
  readonly primary: Key;
  readonly ttlMs: number;
  /** The transaction wants to see, and to lock, the newest version at or below this. */
  readonly forUpdateTs: Timestamp;
  readonly minCommitTs: Timestamp;
  readonly returnsValue: boolean;
  readonly checksExistence: boolean;
  /** Nothing is locked where there is nothing. */
  readonly onlyIfExists: boolean;
  /** A newer version is no obstacle: it is locked instead, and its timestamp told. */
  readonly allowsConflict: boolean;
}

export interface KeyLocked {
  /** What the key holds, where that was asked for or there was a conflict. */
  readonly value: Uint8Array | undefined;
  readonly exists: boolean;
  /** The newer version's timestamp, where that was locked. */
  readonly conflictTs: Timestamp | undefined;
}

/** Locks the user's key `user`; refused where it is locked, or newer than the transaction knows. */
export function lockKey(
  work: Work,
  txn: Locking,
  user: Key,
  mustNotExist: boolean,
): Outcome<KeyLocked> {
  const key = encodeKey(user);
  const lock = work.reader.lock(key);
  if (lock === undefined) return lockFree(work, txn, user, mustNotExist);
  const { startTs } = txn;
  if (lock.startTs !== startTs) return refused({ type: "locked", info: lockInfoOf(lock, user) });
  if (lock.type === "pessimistic") return lockAgain(work, txn, user, mustNotExist, lock);
  return refused({ type: "lock_type_not_match", startTs, key: user, pessimistic: false });
}

function lockFree(
  { reader, draft }: Work,
  txn: Locking,
  user: Key,
  mustNotExist: boolean,
): Outcome<KeyLocked> {
  const key = encodeKey(user);
  const versions = reader.versions(key);
  const newest = versions.newest();
  const isNewer = newest !== undefined && newest.commitTs > txn.forUpdateTs;
  if (isNewer && !txn.allowsConflict) return refused(conflict(txn, user, newest));
  if (isRolledBack(versions, newest, txn.startTs)) {
    return refused({ type: "pessimistic_lock_rolled_back", startTs: txn.startTs, key: user });
  }
  const isRead = txn.returnsValue || isNewer;
  const isLooked = isRead || txn.checksExistence || mustNotExist || txn.onlyIfExists;
  const data = isLooked ? existing(versions, newest) : undefined;
  if (mustNotExist && data !== undefined) {
    // What the client knows is out of date: that comes before what it believed.
    return refused(isNewer ? conflict(txn, user, newest) : alreadyExists(user, data));
  }
  if (txn.onlyIfExists && data === undefined) {
    if (isNewer) return refused(conflict(txn, user, newest));
    return done({ value: undefined, exists: false, conflictTs: undefined });
  }
  const conflictTs = isNewer ? newest.commitTs : undefined;
  draft.putLock(key, {
    ...newLock(txn),
    forUpdateTs: conflictTs ?? txn.forUpdateTs,
    lastChange: lastChangeOf(versions, newest),
    lockedWithConflict: isNewer,
  });
  return done(keyLocked(reader, key, data, isRead, conflictTs));
}

/** Whether the transaction was rolled back here, whatever was written since. */
function isRolledBack(
  versions: Versions,
  newest: Version | undefined,
  startTs: Timestamp,
): boolean {
  if (newest === undefined || newest.commitTs < startTs) return false;
  const atStart = newest.commitTs > startTs ? versions.atOrBefore(startTs) : newest;
  return atStart !== undefined && tellsRollback(atStart.commitTs, atStart.write, startTs);
}

/** The transaction has the lock: it may have asked twice, or want it at a later timestamp. */
function lockAgain(
  { reader, draft }: Work,
  txn: Locking,
  user: Key,
  mustNotExist: boolean,
  held: Lock,
): Outcome<KeyLocked> {
  const key = encodeKey(user);
  const isBehind = txn.allowsConflict && txn.forUpdateTs < held.forUpdateTs;
  const forUpdateTs = isBehind ? held.forUpdateTs : txn.forUpdateTs;
  const isRead = txn.returnsValue || txn.checksExistence || mustNotExist || isBehind;
  const data = isRead ? reader.versions(key).visibleAt(forUpdateTs, forUpdateTs) : undefined;
  if (mustNotExist && data !== undefined) {
    const isNewer = data.commitTs > txn.forUpdateTs;
    return refused(isNewer ? conflict(txn, user, data) : alreadyExists(user, data));
  }
  if (forUpdateTs > held.forUpdateTs) {
    // Heartbeats and readers may have raised what the lock says since it was taken.
    draft.putLock(key, {
      ...held,
      primary: txn.primary,
      ttlMs: Math.max(txn.ttlMs, held.ttlMs),
      forUpdateTs,
      minCommitTs: maxTimestamp(txn.minCommitTs, held.minCommitTs),
    });
  }
  const conflictTs = isBehind ? held.forUpdateTs : undefined;
  return done(keyLocked(reader, key, data, txn.returnsValue || isBehind, conflictTs));
}

const newLock = (txn: Locking): Omit<Lock, "lastChange"> => ({
  type: "pessimistic",
  primary: txn.primary,
  startTs: txn.startTs,
  ttlMs: txn.ttlMs,
  shortValue: undefined,
  forUpdateTs: txn.forUpdateTs,
  txnSize: 0n,
  minCommitTs: txn.minCommitTs,
  secondaries: undefined,
  rollbackTs: [],
  txnSource: 0n,
  lockedWithConflict: false,
  generation: 0,
});

const keyLocked = (
  reader: MvccReader,
  key: Key,
  data: Version | undefined,
  isRead: boolean,
  conflictTs: Timestamp | undefined,
): KeyLocked => ({
  value: isRead && data !== undefined ? reader.value(key, data.write) : undefined,
  exists: data !== undefined,
  conflictTs,
});

const conflict = (txn: Locking, key: Key, newer: Version): Refusal => ({
  type: "write_conflict",
  startTs: txn.startTs,
  conflictStartTs: newer.write.startTs,
  conflictCommitTs: newer.commitTs,
  key,
  primary: txn.primary,
  reason: WriteConflict_Reason.PessimisticRetry,
});

const alreadyExists = (key: Key, data: Version): Refusal => ({
  type: "already_exists",
  key,
  existingStartTs: data.write.startTs,
});
