/**
 * A flush of a pipelined transaction: it prewrites in pieces while it goes on, and may write a key
 * again in a later piece. Flushes are numbered; an earlier one that comes late changes nothing.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp, ZERO_TIMESTAMP, maxTimestamp, nextTimestamp } from "../../base/timestamp.ts";
import { type FlushRequest, FlushResponse } from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import type { Prewriting } from "../key/mutation.ts";
import { encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import { NO_CHECKS, mutationsOf } from "./mutations.ts";
import { errorsOf, prewriteKeys, writeValue } from "./prewrite.ts";
import { checkOptionalTimestamps, checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

/** So large that nobody resolves such a transaction key by key. */
const UNKNOWN_SIZE = (1n << 64n) - 1n;

export const keysOfFlush = (request: FlushRequest): readonly Key[] =>
  request.mutations.map(({ key }) => encodeKey(key));

export const flush = (view: KvView, request: FlushRequest): Evaluation<FlushResponse> =>
  evaluate(view, REFUSE.KvFlush, (work) => flushAll(work, request));

function flushAll(work: Work, request: FlushRequest): Outcome<FlushResponse> {
  if (request.generation === 0) {
    const detail = "generation should be greater than 0 for Flush requests";
    return refused({ type: "invalid_request", detail });
  }
  const bad =
    checkTimestamps({ start_ts: request.startTs }) ??
    checkOptionalTimestamps({ min_commit_ts: request.minCommitTs });
  if (bad !== undefined) return refused(bad);
  const mutations = mutationsOf(request.mutations, NO_CHECKS);
  if (!mutations.ok) return mutations;
  const txn = prewritingOf(request);
  const prewritten = prewriteKeys(work.reader, txn, mutations.value);
  if (!prewritten.ok) return prewritten;
  if (prewritten.value.type === "blocked") {
    return done(FlushResponse.make({ errors: errorsOf(prewritten.value.locks) }));
  }
  if (prewritten.value.type === "prewritten") {
    for (const { mutation, result } of prewritten.value.keys) {
      writeValue(work, txn, mutation, result);
      work.draft.putLock(mutation.key, result.lock);
    }
  }
  return done(FlushResponse.make());
}

function prewritingOf(request: FlushRequest): Prewriting {
  const startTs = Timestamp(request.startTs);
  return {
    startTs,
    primary: request.primaryKey,
    ttlMs: request.lockTtl,
    txnSize: UNKNOWN_SIZE,
    // Not 0, so that readers can push it: the transaction is long.
    minCommitTs: maxTimestamp(Timestamp(request.minCommitTs), nextTimestamp(startTs)),
    forUpdateTs: ZERO_TIMESTAMP,
    noVersions: false,
    assertionLevel: request.assertionLevel,
    txnSource: request.context?.txnSource ?? 0n,
    commitKind: "two_phase",
    secondaries: undefined,
    maxTs: ZERO_TIMESTAMP,
    maxCommitTs: ZERO_TIMESTAMP,
    generation: request.generation,
  };
}
