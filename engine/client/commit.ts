/**
 * Two-phase commit: every key is prewritten, then the primary's commit decides. Asynchronous commit
 * spares the wait for the second phase: the transaction is committed as soon as all keys are
 * locked. One phase suffices where all keys lie in one region.
 */
import type { Key } from "../base/bytes.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import {
  type Timestamp,
  maxTimestamp,
  Timestamp as toTimestamp,
  ZERO_TIMESTAMP,
} from "../base/timestamp.ts";
import {
  BatchRollbackRequest,
  CommitRequest,
  type KeyError,
  type LockInfo,
  Mutation,
  Op,
  PrewriteRequest,
  PrewriteRequest_PessimisticAction as PessimisticAction,
} from "../protocol/gen/kvrpcpb.ts";
import type { Backoff } from "./backoff.ts";
import type { Write } from "./buffer.ts";
import { type Cluster, type Located, REPEATABLE } from "./cluster.ts";
import type { CommitMode } from "./events.ts";
import { keyFailure } from "./key-errors.ts";
import { portions } from "./portions.ts";
import type { LockResolver } from "./resolver.ts";
import { Verdict } from "./verdict.ts";

/** Asynchronous commit lists all keys in the primary's lock: not too many, not too long. */
const ASYNC_KEYS = 256;
const ASYNC_BYTES = 4096;
export interface CommitPlan {
  readonly startTs: Timestamp;
  readonly primary: Key;
  readonly writes: readonly (readonly [Key, Write])[];
  readonly ttlMs: number;
  readonly asyncCommit: boolean;
  readonly onePhase: boolean;
  /** Of a pessimistic transaction, 0 otherwise. */
  readonly forUpdateTs: Timestamp;
  readonly isLocked: (key: Key) => boolean;
}

export interface Committed {
  readonly commitTs: Timestamp;
  readonly how: CommitMode;
  /** What remains to be done, but decides nothing. */
  readonly rest: (backoff: Backoff) => Promise<void>;
}

/** How far the first phase has come. */
interface Prewritten {
  /** Greatest of all keys; 0 where the transaction has fallen back to two phases. */
  minCommitTs: Timestamp;
  /** Set where one phase was enough. */
  onePhaseTs: Timestamp;
  fellBack: boolean;
  /** One phase was tried and given up: a lost answer may have been that it is committed. */
  triedOnePhase: boolean;
}

const DONE: Committed["rest"] = () => Promise.resolve();

export class Committer {
  readonly #cluster: Cluster;
  readonly #resolver: LockResolver;
  readonly #plan: CommitPlan;
  readonly #verdict: Verdict;

  constructor(cluster: Cluster, resolver: LockResolver, plan: CommitPlan) {
    this.#cluster = cluster;
    this.#resolver = resolver;
    this.#plan = plan;
    this.#verdict = new Verdict(cluster, plan.startTs, plan.primary);
  }

  /**
   * Commits. Throws where the transaction certainly has not happened; `undetermined` where that is
   * not known.
   */
  async commit(backoff: Backoff): Promise<Committed> {
    const { writes } = this.#plan;
    const keys = writes.map(([key]) => key);
    const groups = await this.#cluster.group(backoff, writes, ([key]) => key);
    const onePhase = this.#plan.onePhase && groups.length === 1 && isSmall(keys);
    const asyncCommit = this.#plan.asyncCommit && isSmall(keys);
    const prewritten = await this.#prewrite(backoff, { onePhase, asyncCommit });
    if (prewritten.onePhaseTs > 0n) {
      return { commitTs: prewritten.onePhaseTs, how: "one phase", rest: DONE };
    }
    const restOf = (left: readonly Key[], commitTs: Timestamp): Committed["rest"] => {
      return (later) => this.#commitKeys(later, left, commitTs);
    };
    if (asyncCommit && !prewritten.fellBack) {
      const commitTs = prewritten.minCommitTs;
      return { commitTs, how: "asynchronous", rest: restOf(keys, commitTs) };
    }
    const commitTs = await this.#commitPrimary(backoff, prewritten.triedOnePhase);
    const secondaries = keys.filter((key) => key !== this.#plan.primary);
    return { commitTs, how: "two phases", rest: restOf(secondaries, commitTs) };
  }

  /** Rolls back whatever may have been prewritten. */
  async rollback(backoff: Backoff): Promise<void> {
    let rest: readonly Key[] = this.#plan.writes.map(([key]) => key);
    while (rest.length > 0) {
      const left: Key[] = [];
      for (const { located, items } of await this.#cluster.group(backoff, rest, (key) => key)) {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "KvBatchRollback",
          request: BatchRollbackRequest.make({
            context,
            startVersion: this.#plan.startTs,
            keys: items,
          }),
        }));
        if (sent.type === "moved") left.push(...items);
      }
      rest = left;
    }
  }

  async #prewrite(
    backoff: Backoff,
    kind: { readonly onePhase: boolean; readonly asyncCommit: boolean },
  ): Promise<Prewritten> {
    const state: Prewritten = {
      minCommitTs: ZERO_TIMESTAMP,
      onePhaseTs: ZERO_TIMESTAMP,
      fellBack: false,
      triedOnePhase: false,
    };
    // A timestamp drawn now keeps the calculated one above everything that was committed before.
    const calculated = kind.onePhase || kind.asyncCommit;
    const floor = calculated
      ? toTimestamp((await this.#cluster.placement.timestamp(backoff)) + 1n)
      : ZERO_TIMESTAMP;
    try {
      let rest: readonly (readonly [Key, Write])[] = this.#plan.writes;
      // One phase is over for good when a key may be locked: it commits by that lock.
      let { onePhase } = kind;
      while (rest.length > 0) {
        const groups = await this.#cluster.group(backoff, rest, ([key]) => key);
        if (onePhase && groups.length > 1) {
          state.triedOnePhase = backoff.uncertain;
          onePhase = false;
        }
        const parts = partsOf(groups, onePhase);
        // The primary's lock names all others, so it has to be there whatever becomes of them.
        const done = await Promise.all(
          parts.map(({ located, items }) =>
            this.#prewritePart(backoff, located, items, { ...kind, onePhase, floor }, state),
          ),
        );
        rest = parts.flatMap(({ items }, i) => (done[i] === true ? [] : items));
      }
      return state;
    } catch (error) {
      if (!calculated) throw error;
      // A lost prewrite may have been all that a calculated commit needs.
      const committedAt = await this.#verdict.of(backoff, error);
      // Where locks may be left of it they are committed too; that repeats nothing where none are.
      return kind.asyncCommit
        ? { ...state, minCommitTs: committedAt, fellBack: false }
        : { ...state, onePhaseTs: committedAt };
    }
  }

  /** Whether the part is done; not where its region has changed. */
  async #prewritePart(
    backoff: Backoff,
    located: Located,
    items: readonly (readonly [Key, Write])[],
    kind: { readonly onePhase: boolean; readonly asyncCommit: boolean; readonly floor: Timestamp },
    state: Prewritten,
  ): Promise<boolean> {
    for (;;) {
      const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
        method: "KvPrewrite",
        request: PrewriteRequest.make({ context, ...this.#prewriteOf(items, kind) }),
      }));
      if (sent.type === "moved") return false;
      const { errors, minCommitTs, onePcCommitTs } = sent.response;
      if (errors.length === 0) {
        if (onePcCommitTs > 0n) state.onePhaseTs = onePcCommitTs as Timestamp;
        else if (minCommitTs === 0n) state.fellBack = true;
        else state.minCommitTs = maxTimestamp(state.minCommitTs, minCommitTs as Timestamp);
        return true;
      }
      await this.#onErrors(backoff, errors);
    }
  }

  #prewriteOf(
    items: readonly (readonly [Key, Write])[],
    kind: { readonly onePhase: boolean; readonly asyncCommit: boolean; readonly floor: Timestamp },
  ): Partial<PrewriteRequest> {
    const { startTs, primary, writes, ttlMs, forUpdateTs, isLocked } = this.#plan;
    const hasPrimary = items.some(([key]) => key === primary);
    const secondaries =
      kind.asyncCommit && hasPrimary
        ? writes.map(([key]) => key).filter((key) => key !== primary)
        : [];
    const pessimistic = forUpdateTs > 0n;
    return {
      mutations: items.map(([key, write]) => mutationOf(key, write)),
      primaryLock: primary,
      startVersion: startTs,
      lockTtl: ttlMs,
      txnSize: BigInt(items.length),
      forUpdateTs,
      pessimisticActions: pessimistic
        ? items.map(([key]) =>
            isLocked(key)
              ? PessimisticAction.DO_PESSIMISTIC_CHECK
              : PessimisticAction.SKIP_PESSIMISTIC_CHECK,
          )
        : [],
      minCommitTs: maxTimestamp(
        kind.floor,
        pessimistic ? toTimestamp(forUpdateTs + 1n) : ZERO_TIMESTAMP,
      ),
      useAsyncCommit: kind.asyncCommit,
      tryOnePc: kind.onePhase,
      secondaries,
    };
  }

  async #onErrors(backoff: Backoff, errors: readonly KeyError[]): Promise<void> {
    const locks: LockInfo[] = [];
    for (const error of errors) {
      if (error.locked === undefined) throw keyFailure(error);
      locks.push(error.locked);
    }
    const { waitMs } = await this.#resolver.resolve(backoff, locks, this.#plan.startTs);
    if (waitMs > 0) await backoff.wait("lock", "a lock is in the way of a write");
  }

  /**
   * The moment of truth. Where the transaction `mayBeCommitted` already, its own timestamp counts:
   * a store agrees to any commit of what is committed.
   */
  async #commitPrimary(backoff: Backoff, mayBeCommitted: boolean): Promise<Timestamp> {
    const { primary, startTs } = this.#plan;
    try {
      const before = mayBeCommitted ? await this.#verdict.committedAt(backoff) : ZERO_TIMESTAMP;
      if (before > 0n) return before;
      backoff.uncertain = false;
      for (;;) {
        const commitTs = await this.#cluster.placement.timestamp(backoff);
        const answer = await this.#cluster.send(backoff, primary, REPEATABLE, (context) => ({
          method: "KvCommit",
          request: CommitRequest.make({
            context,
            startVersion: startTs,
            keys: [primary],
            commitVersion: commitTs,
            primaryKey: primary,
          }),
        }));
        const { error, commitVersion } = answer;
        // One phase, of which no word came, may have been enough: then it has committed before.
        if (error === undefined) return commitVersion > 0n ? toTimestamp(commitVersion) : commitTs;
        // Somebody has read at a greater timestamp meanwhile, and counts on not having missed this.
        if (error.commitTsExpired === undefined) throw keyFailure(error);
      }
    } catch (error) {
      return this.#verdict.of(backoff, error);
    }
  }

  async #commitKeys(backoff: Backoff, keys: readonly Key[], commitTs: Timestamp): Promise<void> {
    let rest = keys;
    while (rest.length > 0) {
      const groups = await this.#cluster.group(backoff, rest, (key) => key);
      const parts = groups.flatMap(({ located, items }) =>
        portions(items, (key) => key.length).map((some) => ({ located, items: some })),
      );
      const done = await Promise.all(
        parts.map(({ located, items }) =>
          this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
            method: "KvCommit",
            request: CommitRequest.make({
              context,
              startVersion: this.#plan.startTs,
              keys: items,
              commitVersion: commitTs,
              primaryKey: this.#plan.primary,
            }),
          })),
        ),
      );
      rest = parts.flatMap(({ items }, i) => (done[i]?.type === "moved" ? items : []));
    }
  }
}

function isSmall(keys: readonly Key[]): boolean {
  if (keys.length > ASYNC_KEYS) return false;
  return keys.reduce((bytes, key) => bytes + key.length, 0) <= ASYNC_BYTES;
}

interface Part {
  readonly located: Located;
  readonly items: readonly (readonly [Key, Write])[];
}

/**
 * One phase needs all keys in one request; otherwise requests are of a size that is easy to move.
 */
function partsOf(groups: readonly Part[], inOne: boolean): readonly Part[] {
  if (inOne) return groups;
  return groups.flatMap(({ located, items }) =>
    portions(items, sizeOf).map((some) => ({ located, items: some })),
  );
}

const sizeOf = ([key, write]: readonly [Key, Write]): number =>
  key.length + ("value" in write ? write.value.length : 0);

function mutationOf(key: Key, write: Write): Mutation {
  switch (write.type) {
    case "put":
      return Mutation.make({ op: Op.Put, key, value: write.value });
    case "insert":
      return Mutation.make({ op: Op.Insert, key, value: write.value });
    case "delete":
      return Mutation.make({ op: Op.Del, key, value: EMPTY_BYTES });
    default:
      return Mutation.make({ op: Op.Lock, key, value: EMPTY_BYTES });
  }
}
