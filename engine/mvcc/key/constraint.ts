/**
 * What must hold of a key before a transaction may write it: nobody has written it since, it
 * exists or does not as the client believes, and the transaction has not been rolled back.
 */
import { MAX_TIMESTAMP, Timestamp } from "../../base/timestamp.ts";
import {
  Assertion,
  AssertionLevel,
  PrewriteRequest_PessimisticAction,
  WriteConflict_Reason,
} from "../../protocol/gen/kvrpcpb.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { Version, Versions } from "../read/versions.ts";
import { isBehindFence, isChange } from "../record/write.ts";
import type { Refusal } from "../refusal.ts";
import { tellsRollback } from "./fate.ts";
import { type KeyMutation, type Prewriting, isPessimistic, mustNotExist } from "./mutation.ts";

/**
 * Refuses where a version is newer than the transaction may overwrite. Otherwise the newest
 * version that it may look at, or undefined.
 *
 * Every prewrite of a key without a lock comes by here, first or repeated: it may arrive when the
 * transaction has long been committed, or rolled back, by somebody else.
 */
export function checkNewer(
  versions: Versions,
  txn: Prewriting,
  mutation: KeyMutation,
): Outcome<Version | undefined> {
  let version = txn.noVersions ? undefined : versions.newest();
  for (; version !== undefined; version = versions.older()) {
    const refusal = newerVersion(versions, txn, mutation, version);
    if (refusal === "older") continue;
    return refusal === undefined ? done(version) : refused(refusal);
  }
  return done(undefined);
}

/** Why the transaction may not write over `version`; "older": look at the one before. */
function newerVersion(
  versions: Versions,
  txn: Prewriting,
  mutation: KeyMutation,
  version: Version,
): Refusal | undefined | "older" {
  const { startTs, forUpdateTs } = txn;
  const { commitTs, write } = version;
  const conflict = (reason: WriteConflict_Reason): Refusal =>
    writeConflict(txn.startTs, version, mutation, txn, reason);
  if (tellsRollback(commitTs, write, startTs)) return conflict(WriteConflict_Reason.SelfRolledBack);
  if (commitTs <= startTs) return undefined;
  // A rollback conflicts as well: this transaction's own may have been dropped for its sake.
  if (!isPessimistic(txn)) return conflict(WriteConflict_Reason.Optimistic);
  if (mutation.action === PrewriteRequest_PessimisticAction.DO_CONSTRAINT_CHECK) {
    return conflict(WriteConflict_Reason.LazyUniquenessCheck);
  }
  if (commitTs > forUpdateTs) {
    // Rollbacks are written even where this transaction's lock on the row keeps others out.
    if (write.type === "rollback") return "older";
    const { user: key } = mutation;
    return { type: "pessimistic_lock_not_found", startTs, key, reason: "NonLockKeyConflict" };
  }
  const atStart = versions.atOrBefore(startTs);
  return atStart !== undefined && tellsRollback(atStart.commitTs, atStart.write, startTs)
    ? writeConflict(startTs, atStart, mutation, txn, WriteConflict_Reason.SelfRolledBack)
    : undefined;
}

const writeConflict = (
  startTs: Timestamp,
  version: Version,
  mutation: KeyMutation,
  txn: Prewriting,
  reason: WriteConflict_Reason,
): Refusal => ({
  type: "write_conflict",
  startTs,
  conflictStartTs: version.write.startTs,
  conflictCommitTs: version.commitTs,
  key: mutation.user,
  primary: txn.primary,
  reason,
});

/** The data that a key has, where `newest` is the newest version of it. */
export function existing(versions: Versions, newest: Version | undefined): Version | undefined {
  if (newest === undefined) return undefined;
  // Behind the newest version of all there is no fence's version, so any fence tells garbage.
  if (isBehindFence(newest.write, MAX_TIMESTAMP)) return undefined;
  if (newest.write.type === "put") return newest;
  if (newest.write.type === "delete") return undefined;
  return versions.visibleAt(newest.commitTs, MAX_TIMESTAMP);
}

/** Refuses where the client's belief about the key is wrong. `newest` is unknown if undefined. */
export function checkAssertion(
  versions: Versions,
  txn: Prewriting,
  mutation: KeyMutation,
  newest: { readonly version: Version | undefined } | undefined,
): Refusal | undefined {
  const { assertion, user: key } = mutation;
  if (assertion === Assertion.None || txn.assertionLevel === AssertionLevel.Off) return undefined;
  if (newest === undefined && txn.assertionLevel !== AssertionLevel.Strict) return undefined;
  const latest = newest === undefined ? versions.newest() : newest.version;
  const data = existing(versions, latest);
  const holds = assertion === Assertion.Exist ? data !== undefined : data === undefined;
  if (holds) return undefined;
  const told = data ?? (latest !== undefined && isChange(latest.write) ? latest : undefined);
  return {
    type: "assertion_failed",
    startTs: txn.startTs,
    key,
    assertion,
    existingStartTs: told?.write.startTs ?? Timestamp(0n),
    existingCommitTs: told?.commitTs ?? Timestamp(0n),
  };
}

/** Refuses to insert where there is data. */
export function checkAbsence(
  versions: Versions,
  mutation: KeyMutation,
  newest: Version | undefined,
): Refusal | undefined {
  if (!mustNotExist(mutation)) return undefined;
  const data = existing(versions, newest);
  if (data === undefined) return undefined;
  return { type: "already_exists", key: mutation.user, existingStartTs: data.write.startTs };
}
