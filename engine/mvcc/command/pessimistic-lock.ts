/**
 * Pessimistic locks: taken before anything is written, so that a transaction that got them does
 * not fail when it commits. All keys of a request are locked, or none.
 *
 * A lock in the way is told in the response and in `Evaluation.blockedBy`: whether the request
 * waits for it is the owner's business (`wait_timeout`).
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp } from "../../base/timestamp.ts";
import {
  Assertion,
  Op,
  OpName,
  PessimisticLockKeyResult,
  PessimisticLockKeyResultType,
  type PessimisticLockRequest,
  PessimisticLockResponse,
  PessimisticLockWakeUpMode,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import { type KeyLocked, type Locking, lockKey } from "../key/lock.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import { type Refusal, keyErrorOf } from "../refusal.ts";
import { checkOptionalTimestamps, checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

export const keysOfPessimisticLock = (request: PessimisticLockRequest): readonly Key[] =>
  request.mutations.map(({ key }) => encodeKey(key));

/** Whether the request reads what it locks: then nothing may commit below its timestamp later. */
export const readsWhatItLocks = (request: PessimisticLockRequest): boolean =>
  request.returnValues ||
  request.checkExistence ||
  request.mutations.some(({ assertion }) => assertion === Assertion.NotExist);

export const pessimisticLock = (
  view: KvView,
  request: PessimisticLockRequest,
): Evaluation<PessimisticLockResponse> =>
  evaluate(view, REFUSE.KvPessimisticLock, (work) => lockAll(work, request));

function lockAll(work: Work, request: PessimisticLockRequest): Outcome<PessimisticLockResponse> {
  const bad = check(request);
  if (bad !== undefined) return refused(bad);
  const txn = lockingOf(request);
  const results: KeyLocked[] = [];
  for (const { key, assertion } of request.mutations) {
    const outcome = lockKey(work, txn, key, assertion === Assertion.NotExist);
    if (outcome.ok) results.push(outcome.value);
    else if (outcome.refusal.type === "locked")
      return done(blocked(work, request, outcome.refusal));
    else return outcome;
  }
  return done(responseOf(request, results));
}

function check(request: PessimisticLockRequest): Refusal | undefined {
  const { startVersion, forUpdateTs, minCommitTs, mutations } = request;
  const strange = mutations.find(({ op }) => op !== Op.PessimisticLock);
  if (strange !== undefined) {
    const detail = `${OpName(strange.op)} is no pessimistic lock that can be taken`;
    return { type: "invalid_request", detail };
  }
  if (isForced(request) && mutations.length > 1) {
    const detail = "only one key at a time can be locked with conflict";
    return { type: "invalid_request", detail };
  }
  if (request.lockOnlyIfExists && !request.returnValues) {
    const detail = "LockIfExistsFailed: lock_only_if_exists without return_values";
    return { type: "invalid_request", detail };
  }
  return (
    checkTimestamps({ start_version: startVersion, for_update_ts: forUpdateTs }) ??
    checkOptionalTimestamps({ min_commit_ts: minCommitTs })
  );
}

const isForced = (request: PessimisticLockRequest): boolean =>
  request.wakeUpMode === PessimisticLockWakeUpMode.WakeUpModeForceLock;

const lockingOf = (request: PessimisticLockRequest): Locking => ({
  startTs: Timestamp(request.startVersion),
  primary: request.primaryLock,
  ttlMs: request.lockTtl,
  forUpdateTs: Timestamp(request.forUpdateTs),
  minCommitTs: Timestamp(request.minCommitTs),
  returnsValue: request.returnValues,
  checksExistence: request.checkExistence,
  onlyIfExists: request.lockOnlyIfExists,
  allowsConflict: isForced(request),
});

/** The keys that could be locked are not: the request waits for all, or fails. */
function blocked(
  work: Work,
  request: PessimisticLockRequest,
  refusal: Extract<Refusal, { type: "locked" }>,
): PessimisticLockResponse {
  work.draft.clear();
  work.draft.blockedBy = refusal.info;
  const failed = PessimisticLockKeyResult.make({
    type: PessimisticLockKeyResultType.LockResultFailed,
  });
  return PessimisticLockResponse.make({
    errors: [keyErrorOf(refusal)],
    ...(isForced(request) ? { results: [failed] } : {}),
  });
}

function responseOf(
  request: PessimisticLockRequest,
  results: readonly KeyLocked[],
): PessimisticLockResponse {
  if (isForced(request)) {
    return PessimisticLockResponse.make({ results: results.map((key) => resultOf(request, key)) });
  }
  if (request.returnValues) {
    return PessimisticLockResponse.make({
      values: results.map(({ value }) => value ?? new Uint8Array(0)),
      notFounds: results.map(({ value }) => value === undefined),
    });
  }
  if (!request.checkExistence) return PessimisticLockResponse.make();
  return PessimisticLockResponse.make({ notFounds: results.map(({ exists }) => !exists) });
}

function resultOf(request: PessimisticLockRequest, locked: KeyLocked): PessimisticLockKeyResult {
  const { value, exists, conflictTs } = locked;
  const isConflict = conflictTs !== undefined;
  const isTold = isConflict || request.returnValues || request.checkExistence;
  return PessimisticLockKeyResult.make({
    type: isConflict
      ? PessimisticLockKeyResultType.LockResultLockedWithConflict
      : PessimisticLockKeyResultType.LockResultNormal,
    existence: isTold && exists,
    ...(value === undefined ? {} : { value }),
    ...(isConflict ? { lockedWithConflictTs: conflictTs } : {}),
  });
}
