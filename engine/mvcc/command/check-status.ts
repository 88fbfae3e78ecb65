/**
 * Asking a transaction's primary key what became of the transaction. Whoever meets a lock does so
 * before he touches it; what is answered here stays true for ever.
 */
import type { Key } from "../../base/bytes.ts";
import {
  MAX_TIMESTAMP,
  Timestamp,
  ZERO_TIMESTAMP,
  maxTimestamp,
  nextTimestamp,
} from "../../base/timestamp.ts";
import {
  Action,
  type CheckTxnStatusRequest,
  CheckTxnStatusResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import { fateOf } from "../key/fate.ts";
import {
  type Verdict,
  dropPessimisticLock,
  isExpired,
  rollbackLock,
  settleMissing,
} from "../key/rollback.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { Lock } from "../record/lock.ts";
import { lockInfoOf } from "../refusal.ts";
import { checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

type Status =
  | Verdict
  | { readonly type: "ttl_expired" }
  | { readonly type: "pessimistic_rolled_back" }
  /** `pushed`: it will not commit at or below the caller's timestamp. */
  | { readonly type: "uncommitted"; readonly lock: Lock; readonly pushed: boolean };

export const keysOfCheckStatus = (request: CheckTxnStatusRequest): readonly Key[] => [
  encodeKey(request.primaryKey),
];

export const checkStatus = (
  view: KvView,
  request: CheckTxnStatusRequest,
): Evaluation<CheckTxnStatusResponse> =>
  evaluate(view, REFUSE.KvCheckTxnStatus, (work) => {
    const bad = checkTimestamps({ lock_ts: request.lockTs });
    if (bad !== undefined) return refused(bad);
    const lock = work.reader.lock(encodeKey(request.primaryKey));
    const status =
      lock !== undefined && lock.startTs === request.lockTs
        ? ofLock(work, request, lock)
        : ofMissing(work, request, lock);
    return status.ok ? done(responseOf(status.value)) : status;
  });

/** The status of a transaction that has no lock there; `other` is somebody else's. */
const ofMissing = (
  work: Work,
  request: CheckTxnStatusRequest,
  other: Lock | undefined,
): Outcome<Verdict> => {
  const { primaryKey, lockTs, rollbackIfNotExist, resolvingPessimisticLock } = request;
  const action = !rollbackIfNotExist
    ? "error"
    : resolvingPessimisticLock
      ? "nothing"
      : "protected_rollback";
  return settleMissing(work, primaryKey, Timestamp(lockTs), other, action);
};

function ofLock(work: Work, request: CheckTxnStatusRequest, lock: Lock): Outcome<Status> {
  const { primaryKey, resolvingPessimisticLock } = request;
  const isPessimistic = lock.type === "pessimistic";
  if (request.verifyIsPrimary && lock.primary !== primaryKey) {
    if (!isPessimistic || resolvingPessimisticLock) {
      return refused({ type: "primary_mismatch", info: lockInfoOf(lock, primaryKey) });
    }
    // A lock that was prewritten names this key as primary, so this one, which names another, was
    // left over when the transaction changed its mind: it says nothing.
    const verdict = ofMissing(work, request, undefined);
    if (verdict.ok) dropPessimisticLock(work, primaryKey, lock);
    return verdict;
  }
  if (lock.secondaries !== undefined && !request.forceSyncCommit) {
    // Its fate is decided by all of its keys together: `CheckSecondaryLocks`.
    return done({ type: "uncommitted", lock, pushed: false });
  }
  const over = isPessimistic
    ? ofPessimistic(work, request, lock)
    : ofPrewritten(work, request, lock);
  return done(over ?? push(work, request, lock));
}

/** What is over with a transaction whose primary key is pessimistically locked, if it is. */
function ofPessimistic(work: Work, request: CheckTxnStatusRequest, lock: Lock): Status | undefined {
  const { primaryKey } = request;
  if (lock.lockedWithConflict) {
    // Such a lock is given whatever was written before, also to a request that came too late.
    const fate = fateOf(work.reader, encodeKey(primaryKey), lock.startTs);
    if (fate.type !== "unknown") {
      dropPessimisticLock(work, primaryKey, lock);
      return fate;
    }
  }
  if (!isExpired(lock, Timestamp(request.currentTs))) return undefined;
  if (request.resolvingPessimisticLock) {
    // The transaction may still go on, and with another primary key: there is no verdict.
    dropPessimisticLock(work, primaryKey, lock);
    return { type: "pessimistic_rolled_back" };
  }
  rollbackLock(work, primaryKey, lock, true);
  return { type: "ttl_expired" };
}

function ofPrewritten(work: Work, request: CheckTxnStatusRequest, lock: Lock): Status | undefined {
  if (!isExpired(lock, Timestamp(request.currentTs))) return undefined;
  rollbackLock(work, request.primaryKey, lock, true);
  return { type: "ttl_expired" };
}

/** Keeps the transaction from committing at or below the caller's timestamp, if it can be. */
function push({ draft }: Work, request: CheckTxnStatusRequest, lock: Lock): Status {
  const callerStartTs = Timestamp(request.callerStartTs);
  // A reader of the newest data there is goes before whatever has not committed yet.
  if (callerStartTs === MAX_TIMESTAMP) return { type: "uncommitted", lock, pushed: true };
  let pushed = lock;
  // 0: its client does not know that it can be pushed.
  if (lock.minCommitTs !== ZERO_TIMESTAMP && callerStartTs >= lock.minCommitTs) {
    const currentTs = Timestamp(request.currentTs);
    const minCommitTs = maxTimestamp(nextTimestamp(callerStartTs), currentTs);
    pushed = { ...lock, minCommitTs };
    draft.putLock(encodeKey(request.primaryKey), pushed);
  }
  const isAbove = callerStartTs !== ZERO_TIMESTAMP && pushed.minCommitTs > callerStartTs;
  return { type: "uncommitted", lock: pushed, pushed: isAbove };
}

const ACTIONS: Readonly<Record<Exclude<Status["type"], "committed" | "uncommitted">, Action>> = {
  rolled_back: Action.NoAction,
  ttl_expired: Action.TTLExpireRollback,
  lock_not_exist: Action.LockNotExistRollback,
  lock_not_exist_do_nothing: Action.LockNotExistDoNothing,
  pessimistic_rolled_back: Action.TTLExpirePessimisticRollback,
};

function responseOf(status: Status): CheckTxnStatusResponse {
  if (status.type === "committed") {
    return CheckTxnStatusResponse.make({ commitVersion: status.commitTs });
  }
  if (status.type === "uncommitted") {
    const { lock, pushed } = status;
    return CheckTxnStatusResponse.make({
      lockTtl: lock.ttlMs,
      action: pushed ? Action.MinCommitTSPushed : Action.NoAction,
      lockInfo: lockInfoOf(lock, lock.primary),
    });
  }
  return CheckTxnStatusResponse.make({ action: ACTIONS[status.type] });
}
