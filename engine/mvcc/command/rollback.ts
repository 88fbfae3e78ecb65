/**
 * Rolling back, asked for by the transaction itself (`KvBatchRollback`) or, in the protocol's
 * early days, by whoever met its lock (`KvCleanup`).
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import {
  type BatchRollbackRequest,
  BatchRollbackResponse,
  type CleanupRequest,
  CleanupResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, evaluate } from "../evaluation.ts";
import { rollbackKey } from "../key/rollback.ts";
import { encodeKey } from "../keys.ts";
import { done, refused } from "../outcome.ts";
import { checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

export const keysOfRollback = (request: BatchRollbackRequest): readonly Key[] =>
  request.keys.map(encodeKey);

/** Nobody but the client that sends it depends on its records: only the primary's is protected. */
export const batchRollback = (
  view: KvView,
  request: BatchRollbackRequest,
): Evaluation<BatchRollbackResponse> =>
  evaluate(view, REFUSE.KvBatchRollback, (work) => {
    const { startVersion, keys } = request;
    const bad = checkTimestamps({ start_version: startVersion });
    if (bad !== undefined) return refused(bad);
    const startTs = Timestamp(startVersion);
    for (const key of keys) {
      const outcome = rollbackKey(work, key, startTs, ZERO_TIMESTAMP, false);
      if (!outcome.ok) return outcome;
    }
    return done(BatchRollbackResponse.make());
  });

export const keysOfCleanup = (request: CleanupRequest): readonly Key[] => [encodeKey(request.key)];

/**
 * Rolls one key back once its lock's time to live is over. Who asks will act on the answer, so
 * that the record is protected.
 */
export const cleanup = (view: KvView, request: CleanupRequest): Evaluation<CleanupResponse> =>
  evaluate(view, REFUSE.KvCleanup, (work) => {
    const { key, startVersion, currentTs } = request;
    const bad = checkTimestamps({ start_version: startVersion });
    if (bad !== undefined) return refused(bad);
    const startTs = Timestamp(startVersion);
    const outcome = rollbackKey(work, key, startTs, Timestamp(currentTs), true);
    if (outcome.ok) return done(CleanupResponse.make());
    if (outcome.refusal.type !== "committed") return outcome;
    return done(CleanupResponse.make({ commitVersion: outcome.refusal.commitTs }));
  });
