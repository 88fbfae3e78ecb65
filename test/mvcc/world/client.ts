/**
 * Clients: a transaction that does what its plan says, and a reader. Each tries again when nobody
 * answers, and gives up at some point.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import {
  BatchRollbackRequest,
  CommitRequest,
  type CommitResponse,
  Context,
  GetRequest,
  type KeyError,
  Mutation,
  Op,
  PessimisticLockRequest,
  PrewriteRequest,
  PrewriteRequest_PessimisticAction,
  type PrewriteResponse,
  ScanRequest,
} from "../../../engine/protocol/gen/kvrpcpb.ts";
import { bytesOf } from "../words.ts";
import { resolve } from "./resolver.ts";
import type { Client, Part, Plan, Transaction, WriteKind } from "./types.ts";
import { KEYS, type World } from "./world.ts";

const TRIES = 4;
const TTL_MS = 1;

/** What the transaction `startTs` puts. */
export const valueOf = (startTs: bigint, kind: WriteKind): string =>
  kind === "long" ? `${startTs}${"x".repeat(300)}` : String(startTs);

const OPS: Readonly<Record<WriteKind, Op>> = {
  put: Op.Put,
  long: Op.Put,
  delete: Op.Del,
  lock: Op.Lock,
  insert: Op.Insert,
};

export function* transact(world: World, plan: Plan, patience: boolean): Client {
  const txn: Transaction = {
    startTs: world.tso(),
    plan,
    verdict: "unknown",
    commitTs: 0n,
    after: 0n,
    forUpdateTs: 0n,
    lockedAt: new Map(),
  };
  world.transactions.push(txn);
  const forUpdateTs = plan.locks === undefined ? 0n : yield* takeLocks(world, txn, patience);
  if (forUpdateTs === undefined) {
    abort(txn);
    return;
  }
  txn.forUpdateTs = forUpdateTs;
  txn.after = world.acknowledged;
  const minCommitTs = plan.commit === "two_phase" ? 0n : world.tso();
  const prewritten = yield* prewriteAll(world, txn, forUpdateTs, minCommitTs, patience);
  if (prewritten === "unknown") return;
  if (prewritten === "refused") {
    abort(txn);
    yield* rollBack(txn);
    return;
  }
  if (prewritten > 0n) {
    acknowledge(world, txn, prewritten);
    if (plan.commit === "async") yield* commitKeys(txn, [...plan.writes.keys()], prewritten);
    return;
  }
  yield* commitInTwoPhases(world, txn);
}

const abort = (txn: Transaction): void => {
  txn.verdict = "aborted";
};

function acknowledge(world: World, txn: Transaction, commitTs: bigint): void {
  txn.verdict = "committed";
  txn.commitTs = commitTs;
  if (commitTs > world.acknowledged) world.acknowledged = commitTs;
}

/** The greatest timestamp that a lock was taken at; undefined where one could not be. */
function* takeLocks(world: World, txn: Transaction, patience: boolean): Part<bigint | undefined> {
  let forUpdateTs = txn.startTs;
  for (const key of txn.plan.locks ?? []) {
    for (let tries = 0; !txn.lockedAt.has(key); tries++) {
      if (tries === TRIES) return undefined;
      const request = PessimisticLockRequest.make({
        mutations: [Mutation.make({ op: Op.PessimisticLock, key })],
        primaryLock: primaryOf(txn),
        startVersion: txn.startTs,
        forUpdateTs,
        lockTtl: TTL_MS,
      });
      const reply = yield { key, call: { method: "KvPessimisticLock", request } };
      if (reply?.method !== "KvPessimisticLock") continue;
      const error = reply.response.errors[0];
      if (error === undefined) txn.lockedAt.set(key, forUpdateTs);
      else if (error.locked !== undefined) yield* resolve(world, error.locked, 0n, patience);
      else if (error.conflict !== undefined) forUpdateTs = world.tso();
      else return undefined;
    }
  }
  return forUpdateTs;
}

const primaryOf = (txn: Transaction): Key => [...txn.plan.writes.keys()][0]!;

/** The keys of each prewrite. */
function groupsOf(world: World, txn: Transaction): readonly (readonly Key[])[] {
  if (txn.plan.isSplit) return [...txn.plan.writes.keys()].reverse().map((key) => [key]);
  const groups = new Map<unknown, Key[]>();
  for (const key of txn.plan.writes.keys()) {
    const store = world.storeOf(key);
    groups.set(store, [...(groups.get(store) ?? []), key]);
  }
  return [...groups.values()];
}

/** The commit timestamp, or 0 where the transaction commits in two phases. */
function* prewriteAll(
  world: World,
  txn: Transaction,
  forUpdateTs: bigint,
  minCommitTs: bigint,
  patience: boolean,
): Part<bigint | "refused" | "unknown"> {
  const groups = groupsOf(world, txn);
  const { commit } = txn.plan;
  let commitTs = 0n;
  let isAlone = commit === "async" || (commit === "one_phase" && groups.length === 1);
  // Unanswered requests of such a transaction may still complete it.
  let isOpen = false;
  for (const keys of groups) {
    for (let tries = 0; ; tries++) {
      if (tries === TRIES) return "unknown";
      const request = prewriteRequest(txn, keys, forUpdateTs, minCommitTs, {
        isRetry: tries > 0,
        tryOnePc: commit === "one_phase" && groups.length === 1,
      });
      const reply = yield { key: keys[0]!, call: { method: "KvPrewrite", request } };
      if (reply?.method !== "KvPrewrite") {
        isOpen ||= isAlone;
        continue;
      }
      const { errors } = reply.response;
      if (errors.length === 0) {
        const alone = aloneAt(reply.response);
        isAlone &&= alone > 0n;
        if (alone > commitTs) commitTs = alone;
        break;
      }
      if (!(yield* clear(world, errors, patience))) return isOpen ? "unknown" : "refused";
    }
  }
  return isAlone ? commitTs : 0n;
}

const aloneAt = ({ minCommitTs, onePcCommitTs }: PrewriteResponse): bigint =>
  onePcCommitTs > 0n ? onePcCommitTs : minCommitTs;

/** Resolves the locks that are in the way; false where something else is. */
function* clear(world: World, errors: readonly KeyError[], patience: boolean): Part<boolean> {
  for (const { locked } of errors) {
    if (locked === undefined) return false;
    yield* resolve(world, locked, 0n, patience);
  }
  return true;
}

const prewriteRequest = (
  txn: Transaction,
  keys: readonly Key[],
  forUpdateTs: bigint,
  minCommitTs: bigint,
  { isRetry, tryOnePc }: { readonly isRetry: boolean; readonly tryOnePc: boolean },
): PrewriteRequest =>
  PrewriteRequest.make({
    context: Context.make({ isRetryRequest: isRetry }),
    mutations: keys.map((key) => mutationOf(txn, key)),
    primaryLock: primaryOf(txn),
    startVersion: txn.startTs,
    lockTtl: TTL_MS,
    forUpdateTs,
    minCommitTs,
    pessimisticActions: keys.map((key) =>
      txn.plan.locks?.has(key) === true
        ? PrewriteRequest_PessimisticAction.DO_PESSIMISTIC_CHECK
        : PrewriteRequest_PessimisticAction.SKIP_PESSIMISTIC_CHECK,
    ),
    useAsyncCommit: txn.plan.commit === "async",
    secondaries: txn.plan.commit === "async" ? [...txn.plan.writes.keys()].slice(1) : [],
    tryOnePc,
    maxCommitTs: txn.plan.reach === 0n ? 0n : txn.startTs + txn.plan.reach,
  });

function mutationOf(txn: Transaction, key: Key): Mutation {
  const kind = txn.plan.writes.get(key)!;
  const value = kind === "delete" || kind === "lock" ? "" : valueOf(txn.startTs, kind);
  return Mutation.make({ op: OPS[kind], key, value: bytesOf(value) });
}

function* commitInTwoPhases(world: World, txn: Transaction): Client {
  for (let tries = 0; tries < TRIES; tries++) {
    const commitTs = world.tso();
    const response = yield* commitKey(txn, primaryOf(txn), commitTs);
    // Whoever asked may have been heard: only the same question can be asked again.
    if (response === undefined) return;
    const { error } = response;
    if (error === undefined) {
      acknowledge(world, txn, commitTs);
      yield* commitKeys(txn, [...txn.plan.writes.keys()].slice(1), commitTs);
      return;
    }
    if (error.commitTsExpired !== undefined) continue;
    abort(txn);
    return;
  }
}

function* commitKeys(txn: Transaction, keys: readonly Key[], commitTs: bigint): Client {
  for (const key of keys) yield* commitKey(txn, key, commitTs);
}

function* commitKey(
  txn: Transaction,
  key: Key,
  commitTs: bigint,
): Part<CommitResponse | undefined> {
  const request = CommitRequest.make({
    startVersion: txn.startTs,
    commitVersion: commitTs,
    keys: [key],
  });
  const reply = yield { key, call: { method: "KvCommit", request } };
  return reply?.method === "KvCommit" ? reply.response : undefined;
}

function* rollBack(txn: Transaction): Client {
  for (const key of txn.plan.writes.keys()) {
    const request = BatchRollbackRequest.make({ startVersion: txn.startTs, keys: [key] });
    yield { key, call: { method: "KvBatchRollback", request } };
  }
}

/** Reads `key`, or all of its store downwards or upwards, at `readTs`. */
export function* read(
  world: World,
  key: Key,
  readTs: bigint,
  how: "get" | "scan" | "reverse",
  patience: boolean,
): Client {
  const resolvedLocks: bigint[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    const context = Context.make({ resolvedLocks: [...resolvedLocks] });
    const reverse = how === "reverse";
    const reply = yield {
      key,
      call:
        how === "get"
          ? { method: "KvGet", request: GetRequest.make({ context, key, version: readTs }) }
          : {
              method: "KvScan",
              request: ScanRequest.make({ context, version: readTs, limit: KEYS.length, reverse }),
            },
    };
    const locks =
      reply?.method === "KvGet"
        ? [reply.response.error?.locked]
        : reply?.method === "KvScan"
          ? reply.response.pairs.map(({ error }) => error?.locked)
          : [];
    if (reply !== undefined && locks.every((lock) => lock === undefined)) return;
    for (const lock of locks) {
      if (lock === undefined) continue;
      const resolved = yield* resolve(world, lock, readTs, patience);
      if (resolved === "pushed") resolvedLocks.push(lock.lockVersion);
    }
  }
}
