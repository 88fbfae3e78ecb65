/**
 * Prewrite: the first phase of a commit, or all of it. Every key of the request is checked; then
 * either all of them are locked or none is.
 *
 * A repeated request finds its own locks, or that the transaction has committed meanwhile (its
 * locks were resolved, or one phase was enough), and is answered as the first one was. A request
 * may come twice without its sender's knowing, so versions are looked at also where the protocol
 * would allow not to: on a first attempt at a key that a pessimistic transaction has not locked,
 * and with `skip_constraint_check`. What these say is true of a right client, who never notices.
 */
import { assert } from "../../base/assert.ts";
import type { Key } from "../../base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp, ZERO_TIMESTAMP, maxTimestamp } from "../../base/timestamp.ts";
import type { KeyError } from "../../protocol/gen/kvrpcpb.ts";
import { type PrewriteRequest, PrewriteResponse } from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import { committedWrite } from "../key/commit.ts";
import { fateOf } from "../key/fate.ts";
import type { KeyMutation, Prewriting } from "../key/mutation.ts";
import { type Prewritten, prewriteKey } from "../key/prewrite.ts";
import { afterVersions, encodeKey } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import type { MvccReader } from "../read/reader.ts";
import { type Refusal, keyErrorOf } from "../refusal.ts";
import { NO_CHECKS, mutationsOf } from "./mutations.ts";
import { checkOptionalTimestamps, checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

/** From so many mutations on, one look whether the whole range is empty spares one for each. */
const MANY_MUTATIONS = 12;

type Locked = Extract<Prewritten, { type: "locked" }>;

/** How far all keys of a request have come. */
export type PrewrittenAll =
  | {
      readonly type: "prewritten";
      readonly keys: readonly { readonly mutation: KeyMutation; readonly result: Locked }[];
      /** The greatest of all keys; 0 where the transaction commits in two phases. */
      readonly minCommitTs: Timestamp;
    }
  /** The transaction has committed; nothing is left to do. */
  | { readonly type: "committed"; readonly commitTs: Timestamp }
  /** Locks of others are in the way. */
  | { readonly type: "blocked"; readonly locks: readonly Refusal[] };

export const keysOfPrewrite = (request: PrewriteRequest): readonly Key[] =>
  request.mutations.map(({ key }) => encodeKey(key));

/** Whether the request's commit timestamp is calculated against `max_ts`, which must be known. */
export const needsMaxTs = (request: PrewriteRequest): boolean =>
  request.useAsyncCommit || request.tryOnePc;

/**
 * Evaluates `request`. `maxTs`: no read at a greater timestamp was answered here, nor will be
 * without regard to the memory locks that come out of this.
 */
export const prewrite = (
  view: KvView,
  request: PrewriteRequest,
  maxTs: Timestamp,
): Evaluation<PrewriteResponse> =>
  evaluate(view, REFUSE.KvPrewrite, (work) => prewriteAll(work, request, maxTs));

function prewriteAll(
  work: Work,
  request: PrewriteRequest,
  maxTs: Timestamp,
): Outcome<PrewriteResponse> {
  const { startVersion, forUpdateTs, minCommitTs, pessimisticActions } = request;
  const bad =
    checkTimestamps({ start_version: startVersion }) ??
    checkOptionalTimestamps({ for_update_ts: forUpdateTs, min_commit_ts: minCommitTs });
  if (bad !== undefined) return refused(bad);
  const translated = mutationsOf(
    request.mutations,
    forUpdateTs === 0n
      ? NO_CHECKS
      : { actions: pessimisticActions, constraints: request.forUpdateTsConstraints },
  );
  if (!translated.ok) return translated;
  const mutations = translated.value;
  if (forUpdateTs !== 0n && mutations.some(({ type }) => type === "check_not_exists")) {
    const detail = "cannot handle checkNotExists in pessimistic prewrite";
    return refused({ type: "invalid_request", detail });
  }
  const txn = prewritingOf(work.reader, request, mutations, maxTs);
  const prewritten = prewriteKeys(work.reader, txn, mutations);
  if (!prewritten.ok) return prewritten;
  switch (prewritten.value.type) {
    case "blocked":
      return done(PrewriteResponse.make({ errors: errorsOf(prewritten.value.locks) }));
    case "committed":
      return done(committedResponse(request, prewritten.value.commitTs));
    default:
      return done(write(work, request, txn, prewritten.value));
  }
}

export const errorsOf = (refusals: readonly Refusal[]): readonly KeyError[] =>
  refusals.map(keyErrorOf);

function prewritingOf(
  reader: MvccReader,
  request: PrewriteRequest,
  mutations: readonly KeyMutation[],
  maxTs: Timestamp,
): Prewriting {
  assert(maxTs < MAX_TIMESTAMP, "the greatest read timestamp is somebody's");
  const { useAsyncCommit, tryOnePc, secondaries, context } = request;
  const isOptimistic = request.forUpdateTs === 0n;
  return {
    startTs: Timestamp(request.startVersion),
    primary: request.primaryLock,
    ttlMs: request.lockTtl,
    txnSize: request.txnSize,
    minCommitTs: Timestamp(request.minCommitTs),
    forUpdateTs: Timestamp(request.forUpdateTs),
    noVersions: isOptimistic && hasNoVersions(reader, mutations),
    assertionLevel: request.assertionLevel,
    txnSource: context?.txnSource ?? 0n,
    commitKind: tryOnePc ? "one_phase" : useAsyncCommit ? "asynchronous" : "two_phase",
    secondaries: useAsyncCommit ? secondaries : undefined,
    maxTs,
    maxCommitTs: Timestamp(request.maxCommitTs),
    generation: 0,
  };
}

/** Whether nothing was ever written from the first to the last of many keys. */
function hasNoVersions(reader: MvccReader, mutations: readonly KeyMutation[]): boolean {
  if (mutations.length <= MANY_MUTATIONS) return false;
  let first = mutations[0]!.key;
  let last = first;
  for (const { key } of mutations) {
    if (key < first) first = key;
    if (key > last) last = key;
  }
  const cursor = reader.view.cursor("write", { lower: first, upper: afterVersions(last) });
  cursor.seek(first);
  return !cursor.valid;
}

/**
 * Prewrites every key on paper. Falls back to two phases for all of them where one cannot do
 * without.
 */
export function prewriteKeys(
  reader: MvccReader,
  txn: Prewriting,
  mutations: readonly KeyMutation[],
): Outcome<PrewrittenAll> {
  const keys: { readonly mutation: KeyMutation; readonly result: Locked }[] = [];
  const locks: Refusal[] = [];
  let current = txn;
  let minCommitTs = ZERO_TIMESTAMP;
  let failedAssertion: Refusal | undefined;
  for (const mutation of mutations) {
    const outcome = prewriteKey(reader, current, mutation);
    if (outcome.ok && outcome.value.type === "stale") continue;
    if (!outcome.ok) {
      const { refusal } = outcome;
      const commitTs = commitBehind(reader, txn, mutation, refusal);
      if (commitTs !== undefined) return done({ type: "committed", commitTs });
      if (refusal.type === "locked") locks.push(refusal);
      else if (refusal.type === "assertion_failed") failedAssertion ??= refusal;
      else return outcome;
      continue;
    }
    const result = outcome.value;
    if (result.type === "locked") keys.push({ mutation, result });
    if (result.type === "stale" || current.commitKind === "two_phase") continue;
    if (result.minCommitTs === ZERO_TIMESTAMP) current = inTwoPhases(current);
    else minCommitTs = maxTimestamp(minCommitTs, result.minCommitTs);
  }
  if (failedAssertion !== undefined) return refused(failedAssertion);
  if (locks.length > 0) return done({ type: "blocked", locks });
  if (current.commitKind !== txn.commitKind) {
    return done({ type: "prewritten", keys: keys.map(plainly), minCommitTs: ZERO_TIMESTAMP });
  }
  return done({ type: "prewritten", keys, minCommitTs });
}

/** When the transaction committed, where that is what `refusal` is really about. */
function commitBehind(
  reader: MvccReader,
  txn: Prewriting,
  mutation: KeyMutation,
  refusal: Refusal,
): Timestamp | undefined {
  const mayBe =
    refusal.type === "locked" ||
    refusal.type === "pessimistic_lock_not_found" ||
    (refusal.type === "write_conflict" && refusal.conflictCommitTs > refusal.startTs);
  if (!mayBe) return undefined;
  const fate = fateOf(reader, mutation.key, txn.startTs);
  return fate.type === "committed" ? fate.commitTs : undefined;
}

const inTwoPhases = (txn: Prewriting): Prewriting => ({
  ...txn,
  commitKind: "two_phase",
  secondaries: undefined,
});

/** No lock of the request may say that its transaction commits without further word. */
const plainly = ({
  mutation,
  result,
}: {
  readonly mutation: KeyMutation;
  readonly result: Locked;
}): { readonly mutation: KeyMutation; readonly result: Locked } => ({
  mutation,
  result: {
    ...result,
    lock: { ...result.lock, secondaries: undefined },
    minCommitTs: ZERO_TIMESTAMP,
  },
});

function write(
  work: Work,
  request: PrewriteRequest,
  txn: Prewriting,
  all: Extract<PrewrittenAll, { type: "prewritten" }>,
): PrewriteResponse {
  const { minCommitTs } = all;
  const isOnePhase = minCommitTs !== ZERO_TIMESTAMP && request.tryOnePc;
  for (const { mutation, result } of all.keys) {
    writeValue(work, txn, mutation, result);
    if (isOnePhase) commitAtOnce(work, mutation, result, minCommitTs);
    else work.draft.putLock(mutation.key, result.lock);
    if (minCommitTs !== ZERO_TIMESTAMP) {
      const { key } = mutation;
      work.draft.memoryLocks.push({ key, lock: result.lock, onePhase: isOnePhase });
    }
  }
  return PrewriteResponse.make({
    minCommitTs: request.useAsyncCommit ? minCommitTs : ZERO_TIMESTAMP,
    onePcCommitTs: isOnePhase ? minCommitTs : ZERO_TIMESTAMP,
  });
}

/** The value where it is long; one that an earlier flush left there must not stay. */
export function writeValue(
  { draft }: Work,
  txn: Prewriting,
  mutation: KeyMutation,
  { longValue, replaced }: Locked,
): void {
  if (longValue !== undefined) draft.putValue(mutation.key, txn.startTs, longValue);
  else if (replaced?.type === "put" && replaced.shortValue === undefined) {
    draft.deleteValue(mutation.key, txn.startTs);
  }
}

function commitAtOnce(
  { draft }: Work,
  mutation: KeyMutation,
  { lock, replaced }: Locked,
  commitTs: Timestamp,
): void {
  assert(lock.type !== "pessimistic", "what is prewritten is written");
  draft.putWrite(mutation.key, commitTs, committedWrite(lock, lock.type, commitTs));
  if (replaced !== undefined) draft.unlock(mutation.key, replaced, commitTs);
}

const committedResponse = (request: PrewriteRequest, commitTs: Timestamp): PrewriteResponse =>
  PrewriteResponse.make({
    minCommitTs: request.useAsyncCommit ? commitTs : ZERO_TIMESTAMP,
    onePcCommitTs: request.tryOnePc ? commitTs : ZERO_TIMESTAMP,
  });
