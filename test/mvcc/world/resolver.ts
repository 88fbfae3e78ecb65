/**
 * What a client does about a lock that is in its way.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import { MAX_TIMESTAMP } from "../../../engine/base/timestamp.ts";
import {
  Action,
  CheckSecondaryLocksRequest,
  CheckTxnStatusRequest,
  type CheckTxnStatusResponse,
  type LockInfo,
  Op,
  PessimisticRollbackRequest,
  ResolveLockRequest,
} from "../../../engine/protocol/gen/kvrpcpb.ts";
import type { Part } from "./types.ts";
import type { World } from "./world.ts";

export type Resolved =
  | "gone"
  /** Its transaction will commit above the caller's timestamp. */
  | "pushed"
  /** It lives, or nobody answered. */
  | "stays";

/** `isExpired`: by the client's clock, the transaction's time to live is over. */
export function* resolve(
  world: World,
  lock: LockInfo,
  callerStartTs: bigint,
  isExpired: boolean,
): Part<Resolved> {
  const status = yield* checkStatus(world, lock, callerStartTs, isExpired, false);
  if (status === undefined || status.error !== undefined) return "stays";
  const { lockInfo } = status;
  if (lockInfo === undefined) return yield* settle(lock, status);
  if (isExpired && lockInfo.useAsyncCommit) return yield* decide(world, lock, lockInfo);
  return status.action === Action.MinCommitTSPushed && lock.lockType !== Op.PessimisticLock
    ? "pushed"
    : "stays";
}

function* checkStatus(
  world: World,
  lock: LockInfo,
  callerStartTs: bigint,
  isExpired: boolean,
  forceSyncCommit: boolean,
): Part<CheckTxnStatusResponse | undefined> {
  const request = CheckTxnStatusRequest.make({
    primaryKey: lock.primaryLock,
    lockTs: lock.lockVersion,
    callerStartTs,
    currentTs: isExpired ? MAX_TIMESTAMP : world.tso(),
    rollbackIfNotExist: isExpired,
    forceSyncCommit,
    resolvingPessimisticLock: lock.lockType === Op.PessimisticLock,
    verifyIsPrimary: true,
  });
  const reply = yield { key: lock.primaryLock, call: { method: "KvCheckTxnStatus", request } };
  return reply?.method === "KvCheckTxnStatus" ? reply.response : undefined;
}

/** The transaction is over: so is the lock. */
function* settle(lock: LockInfo, status: CheckTxnStatusResponse): Part<Resolved> {
  const { action, commitVersion } = status;
  const isOpen =
    action === Action.LockNotExistDoNothing || action === Action.TTLExpirePessimisticRollback;
  if (!isOpen) return yield* finish(lock, commitVersion);
  const request = PessimisticRollbackRequest.make({
    startVersion: lock.lockVersion,
    forUpdateTs: lock.lockForUpdateTs,
    keys: [lock.key],
  });
  const reply = yield { key: lock.key, call: { method: "KVPessimisticRollback", request } };
  return reply === undefined ? "stays" : "gone";
}

/** Commits at `commitTs`, or rolls back where that is 0, the key or all of its region. */
function* finish(lock: LockInfo, commitTs: bigint): Part<Resolved> {
  const isWhole = (lock.lockVersion + commitTs) % 3n === 0n;
  const request = ResolveLockRequest.make({
    startVersion: lock.lockVersion,
    commitVersion: commitTs,
    keys: isWhole ? [] : [lock.key],
  });
  const reply = yield { key: lock.key, call: { method: "KvResolveLock", request } };
  return reply?.method === "KvResolveLock" && reply.response.error === undefined ? "gone" : "stays";
}

/** An asynchronously committed transaction has committed if all of its keys are locked. */
function* decide(world: World, lock: LockInfo, primary: LockInfo): Part<Resolved> {
  let commitTs = primary.minCommitTs;
  for (const key of primary.secondaries) {
    const keys: readonly Key[] = [key];
    const request = CheckSecondaryLocksRequest.make({ startVersion: lock.lockVersion, keys });
    const reply = yield { key, call: { method: "KvCheckSecondaryLocks", request } };
    if (reply?.method !== "KvCheckSecondaryLocks" || reply.response.error !== undefined) {
      return "stays";
    }
    const { commitTs: committed, locks } = reply.response;
    if (committed > 0n) return yield* finishAll(lock, committed);
    if (locks.length === 0) {
      world.statuses.push({ startTs: lock.lockVersion, commitTs: 0n });
      return yield* finishAll(lock, 0n);
    }
    if (!locks[0]!.useAsyncCommit) {
      // It fell back to two phases on its way.
      const status = yield* checkStatus(world, lock, 0n, true, true);
      if (status === undefined || status.error !== undefined) return "stays";
      return status.lockInfo === undefined ? yield* settle(lock, status) : "stays";
    }
    if (locks[0]!.minCommitTs > commitTs) commitTs = locks[0]!.minCommitTs;
  }
  return yield* finishAll(lock, commitTs);
}

/** The lock's key and the primary one. */
function* finishAll(lock: LockInfo, commitTs: bigint): Part<Resolved> {
  const result = yield* finish(lock, commitTs);
  if (lock.key !== lock.primaryLock) yield* finish({ ...lock, key: lock.primaryLock }, commitTs);
  return result;
}
