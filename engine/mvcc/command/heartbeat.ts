/**
 * A heartbeat: the transaction is alive, and its primary lock should live on.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp, maxTimestamp } from "../../base/timestamp.ts";
import { type TxnHeartBeatRequest, TxnHeartBeatResponse } from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, evaluate } from "../evaluation.ts";
import { encodeKey } from "../keys.ts";
import { done, refused } from "../outcome.ts";
import { checkOptionalTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

export const keysOfHeartbeat = (request: TxnHeartBeatRequest): readonly Key[] => [
  encodeKey(request.primaryLock),
];

export const heartbeat = (
  view: KvView,
  request: TxnHeartBeatRequest,
): Evaluation<TxnHeartBeatResponse> =>
  evaluate(view, REFUSE.KvTxnHeartBeat, ({ reader, draft }) => {
    const { primaryLock, startVersion, adviseLockTtl, minCommitTs } = request;
    const bad = checkOptionalTimestamps({ min_commit_ts: minCommitTs });
    if (bad !== undefined) return refused(bad);
    const key = encodeKey(primaryLock);
    const lock = reader.lock(key);
    if (lock === undefined || lock.startTs !== startVersion) {
      const startTs = Timestamp(startVersion);
      return refused({ type: "txn_not_found", startTs, key: primaryLock });
    }
    // A pipelined transaction is long: readers pass it as long as its commit stays above them.
    const isPipelined = lock.generation > 0 && lock.secondaries === undefined;
    const ttlMs = Math.max(lock.ttlMs, adviseLockTtl);
    const raised = isPipelined
      ? maxTimestamp(lock.minCommitTs, Timestamp(minCommitTs))
      : lock.minCommitTs;
    if (ttlMs > lock.ttlMs || raised > lock.minCommitTs) {
      draft.putLock(key, { ...lock, ttlMs, minCommitTs: raised });
    }
    return done(TxnHeartBeatResponse.make({ lockTtl: ttlMs }));
  });
