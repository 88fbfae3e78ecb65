/** Marks of what stores answer their clients: transactions above all. */
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import type { PlacementCall } from "../../engine/placement/types.ts";
import {
  Action,
  type CheckTxnStatusResponse,
  type KeyError,
  type PrewriteRequest,
  type PrewriteResponse,
  WriteConflict_Reason,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import type { World } from "../model.ts";
import { type MarkName, reached } from "./marks.ts";

interface Failures {
  readonly regionError?: RegionError | undefined;
  readonly error?: KeyError | string | undefined;
  readonly errors?: readonly KeyError[];
}

/** Looks at an answer, and at the call it is for where somebody still waits for it. */
export function markReply(
  world: World,
  call: TikvCall | PlacementCall | undefined,
  reply: TikvReply,
): void {
  const { regionError, error, errors } = reply.response as Failures;
  if (regionError !== undefined) return markRegionError(world, regionError);
  if (typeof error === "object") markKeyError(world, error, reply.method);
  if (Array.isArray(errors)) {
    for (const one of errors as readonly KeyError[]) markKeyError(world, one, reply.method);
  }
  switch (reply.method) {
    case "KvPrewrite":
      if (call?.method === "KvPrewrite") markPrewrite(world, call.request, reply.response);
      return;
    case "KvCheckTxnStatus":
      return markStatus(world, reply.response);
    case "KvCheckSecondaryLocks":
      if (call?.method === "KvCheckSecondaryLocks") {
        const { locks, commitTs } = reply.response;
        const isWhole = commitTs > 0n || locks.length === call.request.keys.length;
        if (isWhole) reached(world, "asynchronous commit resolved");
      }
      return;
    case "KvResolveLock": {
      if (call?.method !== "KvResolveLock" || error !== undefined) return;
      const { commitVersion, txnInfos } = call.request;
      const commits = commitVersion > 0n || txnInfos.some(({ status }) => status > 0n);
      const rollsBack = txnInfos.length === 0 ? commitVersion === 0n : !commits;
      if (commits) reached(world, "lock committed by another");
      if (rollsBack) reached(world, "lock rolled back by another");
      return;
    }
    default:
      return;
  }
}

function markRegionError(world: World, error: RegionError): void {
  if (error.diskFull !== undefined) reached(world, "write refused for want of room");
  else if (error.serverIsBusy !== undefined) reached(world, "server busy");
  else if (error.notLeader !== undefined) reached(world, "not the leader");
  else if (error.epochNotMatch !== undefined) reached(world, "region changed");
  else if (error.dataIsNotReady !== undefined) reached(world, "read not settled");
  else if (error.maxTimestampNotSynced !== undefined) reached(world, "latest read not known");
}

function markKeyError(world: World, error: KeyError, method: string): void {
  if (error.deadlock !== undefined) reached(world, "deadlock found");
  if (error.locked !== undefined) reached(world, "lock met");
  if (error.commitTsExpired !== undefined) reached(world, "commit too early");
  if (error.conflict?.reason === WriteConflict_Reason.SelfRolledBack) {
    reached(world, "own rollback met");
  } else if (error.conflict !== undefined) reached(world, "write conflict");
  const isGone = error.txnLockNotFound !== undefined || error.retryable !== "";
  if (method === "KvCommit" && isGone) reached(world, "commit without a lock");
}

function markPrewrite(
  world: World,
  { useAsyncCommit, tryOnePc }: PrewriteRequest,
  { errors, minCommitTs, onePcCommitTs }: PrewriteResponse,
): void {
  if (errors.length > 0) return;
  if (onePcCommitTs > 0n) reached(world, "one-phase commit");
  else if (useAsyncCommit || tryOnePc) {
    reached(world, minCommitTs > 0n ? "asynchronous commit" : "asynchronous commit given up");
  }
}

const STATUSES: ReadonlyMap<number, MarkName> = new Map([
  [Action.TTLExpireRollback, "expired lock rolled back"],
  [Action.TTLExpirePessimisticRollback, "expired pessimistic lock rolled back"],
  [Action.LockNotExistRollback, "rollback of nothing"],
  [Action.MinCommitTSPushed, "commit timestamp pushed"],
]);

function markStatus(world: World, { action }: CheckTxnStatusResponse): void {
  const name = STATUSES.get(action);
  if (name !== undefined) reached(world, name);
}
