/**
 * Why a command or a read cannot do what it was asked for, and how a client is told: the fields of
 * `KeyError` that clients switch on, or a text where TiKV gives one.
 */
import { unreachable } from "../base/assert.ts";
import { type Key, hex } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import {
  AlreadyExist,
  type Assertion,
  AssertionFailed,
  CommitTsExpired,
  KeyError,
  LockInfo,
  Op,
  PrimaryMismatch,
  TxnLockNotFound,
  TxnNotFound,
  WriteConflict,
  type WriteConflict_Reason,
  WriteConflict_ReasonName,
} from "../protocol/gen/kvrpcpb.ts";
import type { RecordDamage } from "./read/reader.ts";
import type { Lock, LockType } from "./record/lock.ts";

/** All keys are users' keys. */
export type Refusal =
  /** Somebody else's lock is in the way. */
  | { readonly type: "locked"; readonly info: LockInfo }
  | {
      readonly type: "write_conflict";
      readonly startTs: Timestamp;
      /** Of the transaction that wrote; 0 where it does not matter. */
      readonly conflictStartTs: Timestamp;
      readonly conflictCommitTs: Timestamp;
      readonly key: Key;
      readonly primary: Key;
      readonly reason: WriteConflict_Reason;
    }
  | { readonly type: "already_exists"; readonly key: Key; readonly existingStartTs: Timestamp }
  | {
      readonly type: "txn_lock_not_found";
      readonly startTs: Timestamp;
      readonly commitTs: Timestamp;
      readonly key: Key;
    }
  | { readonly type: "txn_not_found"; readonly startTs: Timestamp; readonly key: Key }
  | {
      readonly type: "commit_ts_expired";
      readonly startTs: Timestamp;
      readonly commitTs: Timestamp;
      readonly key: Key;
      readonly minCommitTs: Timestamp;
    }
  | {
      readonly type: "assertion_failed";
      readonly startTs: Timestamp;
      readonly key: Key;
      readonly assertion: Assertion;
      /** 0 where nothing exists. */
      readonly existingStartTs: Timestamp;
      readonly existingCommitTs: Timestamp;
    }
  /** The primary key of the transaction is another one: `info` is of the lock that says which. */
  | { readonly type: "primary_mismatch"; readonly info: LockInfo }
  /** What was to be rolled back has committed. */
  | {
      readonly type: "committed";
      readonly startTs: Timestamp;
      readonly commitTs: Timestamp;
      readonly key: Key;
    }
  | {
      readonly type: "pessimistic_lock_rolled_back";
      readonly startTs: Timestamp;
      readonly key: Key;
    }
  | {
      readonly type: "pessimistic_lock_not_found";
      readonly startTs: Timestamp;
      readonly key: Key;
      readonly reason: LockLoss;
    }
  | {
      readonly type: "lock_type_not_match";
      readonly startTs: Timestamp;
      readonly key: Key;
      /** Whether the lock that was found is a pessimistic one. */
      readonly pessimistic: boolean;
    }
  /** The transaction began below the safe point: what it reads may have been collected. */
  | { readonly type: "too_old"; readonly startTs: Timestamp; readonly safePoint: Timestamp }
  | { readonly type: "invalid_txn_tso"; readonly startTs: Timestamp; readonly commitTs: Timestamp }
  /** The request contradicts itself or asks for what there is not. */
  | { readonly type: "invalid_request"; readonly detail: string }
  /** A record could not be read. */
  | { readonly type: "damaged"; readonly damage: RecordDamage };

export type LockLoss =
  /** Another transaction's lock stands in its place. */
  | "LockTsMismatch"
  /** The key has changed since, or may have. */
  | "LockMissingAmendFail"
  /** The lock was taken again at another timestamp than the client knows of. */
  | "LockForUpdateTsMismatch"
  /** A key that needs no lock has changed, so that the lock on its row must have been lost. */
  | "NonLockKeyConflict";

/** What a client is told. */
export function keyErrorOf(refusal: Refusal): KeyError {
  switch (refusal.type) {
    case "locked":
      return KeyError.make({ locked: refusal.info });
    case "write_conflict":
      return writeConflict(refusal);
    case "already_exists":
      return KeyError.make({ alreadyExist: AlreadyExist.make({ key: refusal.key }) });
    case "txn_lock_not_found": {
      const { key, startTs, commitTs } = refusal;
      return KeyError.make({
        txnLockNotFound: TxnLockNotFound.make({ key }),
        retryable: text("TxnLockNotFound", { startTs, commitTs, key }),
      });
    }
    case "txn_not_found": {
      const { startTs, key: primaryKey } = refusal;
      return KeyError.make({ txnNotFound: TxnNotFound.make({ startTs, primaryKey }) });
    }
    case "commit_ts_expired": {
      const { startTs, commitTs: attemptedCommitTs, key, minCommitTs } = refusal;
      return KeyError.make({
        commitTsExpired: CommitTsExpired.make({ startTs, attemptedCommitTs, key, minCommitTs }),
      });
    }
    case "assertion_failed": {
      const { type: _, ...fields } = refusal;
      return KeyError.make({ assertionFailed: AssertionFailed.make(fields) });
    }
    case "primary_mismatch":
      return KeyError.make({ primaryMismatch: PrimaryMismatch.make({ lockInfo: refusal.info }) });
    default:
      return KeyError.make({ abort: abortText(refusal) });
  }
}

function writeConflict(refusal: Extract<Refusal, { type: "write_conflict" }>): KeyError {
  const { startTs, conflictStartTs, conflictCommitTs, key, primary, reason } = refusal;
  return KeyError.make({
    conflict: WriteConflict.make({
      startTs,
      conflictTs: conflictStartTs,
      key,
      primary,
      conflictCommitTs,
      reason,
    }),
    // Clients of old look at the text alone.
    retryable: text("WriteConflict", {
      startTs,
      conflictStartTs,
      conflictCommitTs,
      key,
      primary,
      reason: WriteConflict_ReasonName(reason),
    }),
  });
}

type Aborting = Extract<
  Refusal,
  {
    type:
      | "committed"
      | "pessimistic_lock_rolled_back"
      | "pessimistic_lock_not_found"
      | "lock_type_not_match"
      | "too_old"
      | "invalid_txn_tso"
      | "invalid_request"
      | "damaged";
  }
>;

/** Errors that a client has no field for begin with the name that TiKV gives them. */
function abortText(refusal: Aborting): string {
  const { type, ...fields } = refusal;
  switch (type) {
    case "committed":
      return text("Committed", fields);
    case "pessimistic_lock_rolled_back":
      return text("PessimisticLockRolledBack", fields);
    case "pessimistic_lock_not_found":
      return text("PessimisticLockNotFound", fields);
    case "lock_type_not_match":
      return text("LockTypeNotMatch", fields);
    case "too_old":
      // In the words that clients and people know from the client's own check.
      return `GC life time is shorter than transaction duration, transaction starts at ${refusal.startTs}, GC safe point is ${refusal.safePoint}`;
    case "invalid_txn_tso":
      return text("InvalidTxnTso", fields);
    case "invalid_request":
      return `invalid request: ${refusal.detail}`;
    case "damaged": {
      const { cf, key, reason, offset } = refusal.damage;
      return `damaged record: ${reason} at offset ${offset} of ${cf} ${hex(key)}`;
    }
    default:
      return unreachable(type);
  }
}

/** Keys among `fields` are those named so; everything else is told as it is. */
function text(name: string, fields: Readonly<Record<string, unknown>>): string {
  const told = Object.entries(fields).map(([field, value]) => {
    const isKey = field === "key" || field === "primary";
    return `${snakeCase(field)}: ${isKey ? hex(value as Key) : String(value)}`;
  });
  return `${name} { ${told.join(", ")} }`;
}

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const LOCK_OPS: Readonly<Record<LockType, Op>> = {
  put: Op.Put,
  delete: Op.Del,
  lock: Op.Lock,
  pessimistic: Op.PessimisticLock,
};

/** What a client is told of a lock on the user's key `key`. */
export const lockInfoOf = (lock: Lock, key: Key): LockInfo =>
  LockInfo.make({
    primaryLock: lock.primary,
    lockVersion: lock.startTs,
    key,
    lockTtl: lock.ttlMs,
    txnSize: lock.txnSize,
    lockType: LOCK_OPS[lock.type],
    lockForUpdateTs: lock.forUpdateTs,
    useAsyncCommit: lock.secondaries !== undefined,
    minCommitTs: lock.minCommitTs,
    ...(lock.secondaries === undefined ? {} : { secondaries: lock.secondaries }),
  });
