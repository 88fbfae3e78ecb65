/**
 * Prewriting one key: everything that may speak against the transaction is looked at, and the lock
 * comes out that its commit will turn into a version.
 */
import {
  maxTimestamp,
  nextTimestamp,
  ZERO_TIMESTAMP,
  type Timestamp,
} from "../../base/timestamp.ts";
import { PrewriteRequest_PessimisticAction } from "../../protocol/gen/kvrpcpb.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { MvccReader } from "../read/reader.ts";
import type { Version, Versions } from "../read/versions.ts";
import { SHORT_VALUE_BYTES } from "../record/fields.ts";
import { type LastChange, UNKNOWN_CHANGE } from "../record/last-change.ts";
import type { Lock, LockType } from "../record/lock.ts";
import { type LockLoss, type Refusal, lockInfoOf } from "../refusal.ts";
import { lastChangeOf } from "./change.ts";
import { checkAbsence, checkAssertion, checkNewer } from "./constraint.ts";
import { type KeyMutation, type Prewriting, isPessimistic, mustNotExist } from "./mutation.ts";

const { DO_PESSIMISTIC_CHECK } = PrewriteRequest_PessimisticAction;

export type Prewritten =
  /** Nothing is to be written: it has been, or it never is. */
  | { readonly type: "kept"; readonly minCommitTs: Timestamp }
  /** A later flush of the transaction has written the key. */
  | { readonly type: "stale" }
  | {
      readonly type: "locked";
      readonly lock: Lock;
      /** The transaction's own lock that stood there. */
      readonly replaced: Lock | undefined;
      /** A value too long for the lock. */
      readonly longValue: Uint8Array | undefined;
      /**
       * The lowest timestamp that the transaction can commit at without asking anybody, as the
       * lock says; 0 where it cannot: it commits in two phases, or falls back to that.
       */
      readonly minCommitTs: Timestamp;
    };

/** The transaction's own lock on the key, as it is met. */
type Held =
  | { readonly type: "none" }
  | { readonly type: "pessimistic"; readonly lock: Lock }
  | { readonly type: "prewritten"; readonly lock: Lock };

/** The newest version that was looked at, if any was. */
type Looked = { readonly version: Version | undefined } | undefined;

const NOT_HELD: Held = { type: "none" };

export function prewriteKey(
  reader: MvccReader,
  txn: Prewriting,
  mutation: KeyMutation,
): Outcome<Prewritten> {
  const met = ownLock(reader, txn, mutation);
  if (!met.ok) return met;
  const held = met.value;
  if (held === "stale") return done({ type: "stale" });
  if (held.type === "prewritten" && txn.generation === 0) {
    // What is locked already can only commit by its lock.
    const { secondaries, minCommitTs } = held.lock;
    const inTwoPhases = secondaries === undefined || txn.commitKind === "one_phase";
    return done({ type: "kept", minCommitTs: inTwoPhases ? ZERO_TIMESTAMP : minCommitTs });
  }
  const versions = reader.versions(mutation.key);
  const checked = checkVersions(versions, txn, mutation, held);
  if (!checked.ok) return checked;
  if (mutation.type === "check_not_exists") {
    const minCommitTs = maxTimestamp(txn.minCommitTs, nextTimestamp(txn.startTs));
    return done({
      type: "kept",
      minCommitTs: txn.commitKind === "two_phase" ? ZERO_TIMESTAMP : minCommitTs,
    });
  }
  const lock = {
    ...newLock(txn, mutation, held),
    lastChange: lastChange(versions, mutation, held, checked.value),
  };
  return done(withCommitTs(txn, lock, mutation, held));
}

/** The transaction's lock on the key; refused where another one's is in the way. */
function ownLock(
  reader: MvccReader,
  txn: Prewriting,
  mutation: KeyMutation,
): Outcome<Held | "stale"> {
  const { startTs } = txn;
  const { user: key } = mutation;
  const lock = reader.lock(mutation.key);
  if (lock === undefined) return done(NOT_HELD);
  if (lock.startTs !== startTs) return refused(othersLock(txn, mutation, lock));
  if (lock.type === "pessimistic") {
    if (!isPessimistic(txn)) {
      return refused({ type: "lock_type_not_match", startTs, key, pessimistic: true });
    }
    // A lock at another timestamp than the client was told of is not the one it was given: that
    // one was lost, somebody may have written, and a late request took it again.
    const { expectedForUpdateTs: expected } = mutation;
    if (expected !== undefined && expected !== lock.forUpdateTs) {
      return refused(lockLost(txn, mutation, "LockForUpdateTsMismatch"));
    }
    return done({ type: "pessimistic", lock });
  }
  if (txn.generation > 0 && lock.generation >= txn.generation) return done("stale");
  if (lock.generation > 0 && mustNotExist(mutation) && lock.type === "put") {
    return refused({ type: "already_exists", key, existingStartTs: startTs });
  }
  return done({ type: "prewritten", lock });
}

function othersLock(txn: Prewriting, mutation: KeyMutation, lock: Lock): Refusal {
  if (mutation.action === DO_PESSIMISTIC_CHECK) return lockLost(txn, mutation, "LockTsMismatch");
  const info = lockInfoOf(lock, mutation.user);
  // The lock on its row protects a pessimistic transaction already, so there is nothing to wait
  // for: the client may resolve this one at once.
  return { type: "locked", info: isPessimistic(txn) ? { ...info, lockTtl: 0 } : info };
}

/** Checks what has been written before; the newest version, if it was looked at. */
function checkVersions(
  versions: Versions,
  txn: Prewriting,
  mutation: KeyMutation,
  held: Held,
): Outcome<Looked> {
  let looked: Looked;
  if (mutation.action === DO_PESSIMISTIC_CHECK) {
    if (held.type === "none") {
      const amended = amend(versions, txn, mutation);
      if (!amended.ok) return amended;
      looked = amended.value;
    }
  } else {
    const newest = checkNewer(versions, txn, mutation);
    if (!newest.ok) return newest;
    // What an earlier flush of the transaction wrote has been judged already.
    const absent =
      held.type === "prewritten" ? undefined : checkAbsence(versions, mutation, newest.value);
    if (absent !== undefined) return refused(absent);
    looked = { version: newest.value };
  }
  // A key is asserted once: when a transaction flushes it again, it has been.
  if (held.type === "prewritten") return done(looked);
  const failed = checkAssertion(versions, txn, mutation, looked);
  if (failed === undefined) return done(looked);
  // It may have failed because the transaction is over, which is the better answer.
  const newer = looked === undefined ? checkNewer(versions, txn, mutation) : done(undefined);
  return newer.ok ? refused(failed) : newer;
}

/**
 * A pessimistic lock may have been lost: it lay in a leader's memory only, or its request was
 * answered before it was replicated. Where nobody has written since, the key is as good as locked.
 * The lock's own timestamp was at least the transaction's start.
 */
function amend(versions: Versions, txn: Prewriting, mutation: KeyMutation): Outcome<Looked> {
  const newest = versions.newest();
  if (newest !== undefined && newest.commitTs >= txn.startTs) {
    return refused(lockLost(txn, mutation, "LockMissingAmendFail"));
  }
  return done({ version: newest });
}

const lockLost = (txn: Prewriting, mutation: KeyMutation, reason: LockLoss): Refusal => ({
  type: "pessimistic_lock_not_found",
  startTs: txn.startTs,
  key: mutation.user,
  reason,
});

/** A record that changes nothing tells where the last change is. */
function lastChange(
  versions: Versions,
  mutation: KeyMutation,
  held: Held,
  looked: Looked,
): LastChange {
  if (mutation.type !== "lock") return UNKNOWN_CHANGE;
  if (held.type !== "none") return held.lock.lastChange;
  return looked === undefined ? UNKNOWN_CHANGE : lastChangeOf(versions, looked.version);
}

const LOCK_TYPES: Readonly<Record<Exclude<KeyMutation["type"], "check_not_exists">, LockType>> = {
  put: "put",
  insert: "put",
  delete: "delete",
  lock: "lock",
};

function newLock(txn: Prewriting, mutation: KeyMutation, held: Held): Omit<Lock, "lastChange"> {
  const type = LOCK_TYPES[mutation.type as keyof typeof LOCK_TYPES];
  const before = held.type === "none" ? undefined : held.lock;
  const isShort = mutation.value.length <= SHORT_VALUE_BYTES;
  return {
    type,
    primary: txn.primary,
    startTs: txn.startTs,
    // Heartbeats and readers may have raised what the lock says that stands there.
    ttlMs: Math.max(txn.ttlMs, before?.ttlMs ?? 0),
    shortValue: type === "put" && isShort ? mutation.value : undefined,
    forUpdateTs: maxTimestamp(txn.forUpdateTs, before?.forUpdateTs ?? ZERO_TIMESTAMP),
    txnSize: txn.txnSize,
    minCommitTs: maxTimestamp(txn.minCommitTs, before?.minCommitTs ?? ZERO_TIMESTAMP),
    secondaries: secondariesOf(txn, mutation),
    rollbackTs: [],
    txnSource: txn.txnSource,
    lockedWithConflict: false,
    generation: txn.generation,
  };
}

const NO_SECONDARIES: readonly never[] = [];

const secondariesOf = (txn: Prewriting, mutation: KeyMutation): Lock["secondaries"] =>
  txn.secondaries !== undefined && mutation.user !== txn.primary ? NO_SECONDARIES : txn.secondaries;

/**
 * `lock` with the timestamp that the transaction can commit at without asking anybody: above every
 * read that was answered here, so that none of them would have seen it.
 */
function withCommitTs(
  txn: Prewriting,
  lock: Lock,
  mutation: KeyMutation,
  held: Held,
): Extract<Prewritten, { type: "locked" }> {
  const isLong = lock.type === "put" && lock.shortValue === undefined;
  const inTwoPhases: Extract<Prewritten, { type: "locked" }> = {
    type: "locked",
    lock,
    replaced: held.type === "none" ? undefined : held.lock,
    longValue: isLong ? mutation.value : undefined,
    minCommitTs: ZERO_TIMESTAMP,
  };
  if (txn.commitKind === "two_phase") return inTwoPhases;
  const floor = maxTimestamp(maxTimestamp(txn.maxTs, txn.startTs), txn.forUpdateTs);
  const minCommitTs = maxTimestamp(lock.minCommitTs, nextTimestamp(floor));
  const isTooLate = txn.maxCommitTs !== ZERO_TIMESTAMP && minCommitTs > txn.maxCommitTs;
  return isTooLate ? inTwoPhases : { ...inTwoPhases, lock: { ...lock, minCommitTs }, minCommitTs };
}
