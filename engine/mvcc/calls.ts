/**
 * The room's front door: each transactional method of the protocol with what its owner has to do
 * before and after, and the command that evaluates it.
 *
 * A write: see that the keys of `footprintOf` lie in the region; raise `max_ts` to `maxTsOf`; take
 * `partOf` the call, latch its keys, `evaluate` it on a view that is not older than the latches,
 * replicate the operations, then answer or go on with the next part.
 *
 * A read: raise `max_ts`, consult the memory locks of its footprint (`conflictOf`), then
 * `answerRead`. Keys and ranges are encoded ones throughout.
 */
import { unreachable } from "../base/assert.ts";
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp, ZERO_TIMESTAMP, maxTimestamp } from "../base/timestamp.ts";
import { Op } from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../protocol/services.ts";
import type { KvView } from "../storage/view.ts";
import type { Answer } from "./answer.ts";
import { checkSecondaries, keysOfCheckSecondaries } from "./command/check-secondaries.ts";
import { checkStatus, keysOfCheckStatus } from "./command/check-status.ts";
import { commit, keysOfCommit } from "./command/commit.ts";
import { deleteRange, rangeOfDeleteRange } from "./command/delete-range.ts";
import {
  flashback,
  partOfFlashback,
  partOfPrepareFlashback,
  prepareFlashback,
  rangeOfFlashback,
} from "./command/flashback.ts";
import { flush, keysOfFlush } from "./command/flush.ts";
import { batchGet, bufferBatchGet, get } from "./command/get.ts";
import { heartbeat, keysOfHeartbeat } from "./command/heartbeat.ts";
import { mvccByKey, mvccByStartTs } from "./command/inspect.ts";
import { type Part, wholePart } from "./command/part.ts";
import {
  keysOfPessimisticLock,
  pessimisticLock,
  readsWhatItLocks,
} from "./command/pessimistic-lock.ts";
import { partOfPessimisticRollback, pessimisticRollback } from "./command/pessimistic-rollback.ts";
import { keysOfPrewrite, needsMaxTs, prewrite } from "./command/prewrite.ts";
import { type MvccReadMethod, type MvccWriteMethod, REFUSE } from "./command/refuse.ts";
import { fatesOf, partOfResolveLock, resolveLock } from "./command/resolve-lock.ts";
import { batchRollback, cleanup, keysOfCleanup, keysOfRollback } from "./command/rollback.ts";
import {
  type KeyRange,
  rangeOfScan,
  rangeOfScanLock,
  scanData,
  scanLock,
  within,
} from "./command/scan.ts";
import type { Evaluation } from "./evaluation.ts";
import { encodeKey } from "./keys.ts";
import { type Refusal, keyErrorOf } from "./refusal.ts";

export type MvccRead = Extract<TikvCall, { method: MvccReadMethod }>;
export type MvccWrite = Extract<TikvCall, { method: MvccWriteMethod }>;
export type MvccCall = MvccRead | MvccWrite;

const WRITES: ReadonlySet<string> = new Set<MvccWriteMethod>([
  "KvPrewrite",
  "KvCommit",
  "KvBatchRollback",
  "KvCleanup",
  "KvPessimisticLock",
  "KVPessimisticRollback",
  "KvTxnHeartBeat",
  "KvCheckTxnStatus",
  "KvCheckSecondaryLocks",
  "KvResolveLock",
  "KvDeleteRange",
  "KvPrepareFlashbackToVersion",
  "KvFlashbackToVersion",
  "KvFlush",
]);

/** Whether calls of `method` are evaluated to operations that are replicated. */
export const isMvccWrite = (method: string): method is MvccWriteMethod => WRITES.has(method);
/** Whether calls of `method` are answered from a view. */
export const isMvccRead = (method: string): method is MvccReadMethod =>
  !isMvccWrite(method) && method in REFUSE;

/** What a call may look at or change. */
export type Footprint =
  | { readonly type: "keys"; readonly keys: readonly Key[] }
  | { readonly type: "range"; readonly range: KeyRange };

/** What a command is evaluated with. */
export interface Surroundings {
  /** Of the region. */
  readonly bounds: KeyRange;
  /** The store's `max_ts`, after it was raised to `maxTsOf` the call. */
  readonly maxTs: Timestamp;
}

const EVERYWHERE: KeyRange = { start: EMPTY_KEY, end: EMPTY_KEY };

const keys = (list: readonly Key[]): Footprint => ({ type: "keys", keys: list });
const range = (of: KeyRange): Footprint => ({ type: "range", range: of });
/** A request that names no keys means all there are in the region. */
const keysOrAll = (named: readonly Key[]): Footprint =>
  named.length > 0 ? keys(named.map(encodeKey)) : range(EVERYWHERE);

export function footprintOf(call: MvccCall): Footprint {
  switch (call.method) {
    case "KvGet":
    case "MvccGetByKey":
      return keys([encodeKey(call.request.key)]);
    case "KvBatchGet":
    case "KvBufferBatchGet":
      return keys(call.request.keys.map(encodeKey));
    case "KvScan":
      return range(rangeOfScan(call.request));
    case "KvScanLock":
      return range(rangeOfScanLock(call.request));
    case "MvccGetByStartTs":
      return range(EVERYWHERE);
    case "KvPrewrite":
      return keys(keysOfPrewrite(call.request));
    case "KvCommit":
      return keys(keysOfCommit(call.request));
    case "KvBatchRollback":
      return keys(keysOfRollback(call.request));
    case "KvCleanup":
      return keys(keysOfCleanup(call.request));
    case "KvPessimisticLock":
      return keys(keysOfPessimisticLock(call.request));
    case "KVPessimisticRollback":
    case "KvResolveLock":
      return keysOrAll(call.request.keys);
    case "KvTxnHeartBeat":
      return keys(keysOfHeartbeat(call.request));
    case "KvCheckTxnStatus":
      return keys(keysOfCheckStatus(call.request));
    case "KvCheckSecondaryLocks":
      return keys(keysOfCheckSecondaries(call.request));
    case "KvDeleteRange":
      return range(rangeOfDeleteRange(call.request));
    case "KvPrepareFlashbackToVersion":
    case "KvFlashbackToVersion":
      return range(rangeOfFlashback(call.request));
    case "KvFlush":
      return keys(keysOfFlush(call.request));
    default:
      return unreachable(call);
  }
}

/**
 * What `max_ts` must be raised to before the call is evaluated, so that no commit timestamp
 * calculated later belies its answer; 0: the call does not care. Never the greatest timestamp.
 */
export function maxTsOf(call: MvccCall): Timestamp {
  switch (call.method) {
    case "KvGet":
    case "KvBatchGet":
    case "KvScan":
      // What a stale read may see is settled before it comes.
      return call.request.context?.staleRead === true
        ? ZERO_TIMESTAMP
        : greatest([call.request.version]);
    case "KvScanLock":
      return greatest([call.request.maxVersion]);
    case "KvPrewrite": {
      const reads = call.request.mutations.some(
        ({ op }) => op === Op.Insert || op === Op.CheckNotExists,
      );
      return reads ? greatest([call.request.startVersion]) : ZERO_TIMESTAMP;
    }
    case "KvPessimisticLock":
      return readsWhatItLocks(call.request) ? greatest([call.request.forUpdateTs]) : ZERO_TIMESTAMP;
    case "KvCheckTxnStatus": {
      const { lockTs, currentTs, callerStartTs } = call.request;
      return greatest([lockTs, currentTs, callerStartTs]);
    }
    // No commit may come to stand where the record of a rollback does.
    case "KvCheckSecondaryLocks":
    case "KvCleanup":
    case "KvBatchRollback":
      return greatest([call.request.startVersion]);
    case "KvResolveLock": {
      const rolledBack = [...fatesOf(call.request)].filter(([, commitTs]) => commitTs === 0n);
      return greatest(rolledBack.map(([startTs]) => startTs));
    }
    case "KvPrepareFlashbackToVersion":
      return greatest([call.request.startTs]);
    case "KvFlashbackToVersion":
      return greatest([call.request.commitTs]);
    default:
      return ZERO_TIMESTAMP;
  }
}

/**
 * The timestamp that the call reads at, or goes back to, or that the transaction began at whose
 * locks it places; undefined for calls that end transactions or look at them, which may be of any
 * age.
 */
export function oldestOf(call: MvccCall): Timestamp | undefined {
  switch (call.method) {
    case "KvGet":
    case "KvBatchGet":
    case "KvBufferBatchGet":
    case "KvScan":
      return call.request.version as Timestamp;
    case "KvPrewrite":
    case "KvPessimisticLock":
      return call.request.startVersion as Timestamp;
    case "KvFlush":
      return call.request.startTs as Timestamp;
    case "KvPrepareFlashbackToVersion":
    case "KvFlashbackToVersion":
      return call.request.version as Timestamp;
    default:
      return undefined;
  }
}

const greatest = (timestamps: readonly bigint[]): Timestamp => {
  let most = ZERO_TIMESTAMP;
  for (const timestamp of timestamps) {
    if (timestamp !== MAX_TIMESTAMP) most = maxTimestamp(most, Timestamp(timestamp));
  }
  return most;
};

/**
 * Whether the call calculates a commit timestamp: then the store must know for certain that no
 * predecessor of it answered a read above its `max_ts`.
 */
export const needsSyncedMaxTs = (call: MvccWrite): boolean =>
  call.method === "KvPrewrite" && needsMaxTs(call.request);

/**
 * The next part of a write: `from` is empty, or `next` of the part before. `bounds` are those of
 * the region.
 */
export function partOf(view: KvView, call: MvccWrite, bounds: KeyRange, from: Key): Part {
  const rest = { start: from > bounds.start ? from : bounds.start, end: bounds.end };
  if (call.method === "KvResolveLock") return partOfResolveLock(view, call.request, rest);
  if (call.method === "KVPessimisticRollback") {
    return partOfPessimisticRollback(view, call.request, rest);
  }
  if (call.method === "KvPrepareFlashbackToVersion") {
    return partOfPrepareFlashback(view, call.request, rest);
  }
  if (call.method === "KvFlashbackToVersion") return partOfFlashback(view, call.request, rest);
  const footprint = footprintOf(call);
  return wholePart(footprint.type === "keys" ? footprint.keys : []);
}

/** Evaluates a part of a write, whose keys are latched, on `view`. */
export function evaluateWrite(
  view: KvView,
  call: MvccWrite,
  part: Part,
  { bounds, maxTs }: Surroundings,
): Evaluation<TikvReply> {
  const { method } = call;
  switch (method) {
    case "KvPrewrite":
      return reply(prewrite(view, call.request, maxTs), (response) => ({ method, response }));
    case "KvCommit":
      return reply(commit(view, call.request), (response) => ({ method, response }));
    case "KvBatchRollback":
      return reply(batchRollback(view, call.request), (response) => ({ method, response }));
    case "KvCleanup":
      return reply(cleanup(view, call.request), (response) => ({ method, response }));
    case "KvPessimisticLock":
      return reply(pessimisticLock(view, call.request), (response) => ({ method, response }));
    case "KVPessimisticRollback": {
      const evaluation = pessimisticRollback(view, call.request, part.keys);
      return reply(evaluation, (response) => ({ method, response }));
    }
    case "KvTxnHeartBeat":
      return reply(heartbeat(view, call.request), (response) => ({ method, response }));
    case "KvCheckTxnStatus":
      return reply(checkStatus(view, call.request), (response) => ({ method, response }));
    case "KvCheckSecondaryLocks":
      return reply(checkSecondaries(view, call.request), (response) => ({ method, response }));
    case "KvResolveLock": {
      const evaluation = resolveLock(view, call.request, part.keys);
      return reply(evaluation, (response) => ({ method, response }));
    }
    case "KvDeleteRange":
      return reply(deleteRange(call.request, bounds), (response) => ({ method, response }));
    case "KvPrepareFlashbackToVersion": {
      const evaluation = prepareFlashback(view, call.request, part, bounds);
      return reply(evaluation, (response) => ({ method, response }));
    }
    case "KvFlashbackToVersion": {
      const evaluation = flashback(view, call.request, part, bounds);
      return reply(evaluation, (response) => ({ method, response }));
    }
    case "KvFlush":
      return reply(flush(view, call.request), (response) => ({ method, response }));
    default:
      return unreachable(call);
  }
}

const reply = <Response>(
  evaluation: Evaluation<Response>,
  wrap: (response: Response) => TikvReply,
): Evaluation<TikvReply> => ({ ...evaluation, response: wrap(evaluation.response) });

/** Answers a read from `view`, within the region's `bounds`. */
export function answerRead(view: KvView, call: MvccRead, bounds: KeyRange): Answer<TikvReply> {
  const { method } = call;
  switch (method) {
    case "KvGet":
      return told(get(view, call.request), (response) => ({ method, response }));
    case "KvBatchGet":
      return told(batchGet(view, call.request), (response) => ({ method, response }));
    case "KvBufferBatchGet":
      return told(bufferBatchGet(view, call.request), (response) => ({ method, response }));
    case "KvScan":
      return told(scanData(view, call.request, bounds), (response) => ({ method, response }));
    case "KvScanLock":
      return told(scanLock(view, call.request, bounds), (response) => ({ method, response }));
    case "MvccGetByKey":
      return told(mvccByKey(view, call.request), (response) => ({ method, response }));
    case "MvccGetByStartTs":
      return told(mvccByStartTs(view, call.request, bounds), (response) => ({ method, response }));
    default:
      return unreachable(call);
  }
}

const told = <Response>(
  answer: Answer<Response>,
  wrap: (response: Response) => TikvReply,
): Answer<TikvReply> => ({ response: wrap(answer.response), damage: answer.damage });

/** The reply that tells of `refusal`, for what the owner finds out before the call is evaluated. */
export const refuseCall = (method: MvccReadMethod | MvccWriteMethod, refusal: Refusal): TikvReply =>
  ({ method, response: REFUSE[method](keyErrorOf(refusal)) }) as TikvReply;

export { wholePart, within };
export type { KeyRange, Part, MvccReadMethod, MvccWriteMethod };
