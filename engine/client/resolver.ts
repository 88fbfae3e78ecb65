/**
 * Locks of others that are in the way: what has become of their transactions, and clearing away
 * those that are over. A transaction's fate is that of its primary key; one that commits
 * asynchronously is committed as soon as all its keys are locked, so those are asked too.
 */
import { assert } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import { type Timestamp, maxTimestamp, physicalOf, ZERO_TIMESTAMP } from "../base/timestamp.ts";
import {
  Action,
  CheckSecondaryLocksRequest,
  CheckTxnStatusRequest,
  type LockInfo,
  Op,
  PessimisticRollbackRequest,
  ResolveLockRequest,
} from "../protocol/gen/kvrpcpb.ts";
import type { Backoff } from "./backoff.ts";
import { type Cluster, REPEATABLE } from "./cluster.ts";
import { keyFailure } from "./key-errors.ts";

/** Fates that are remembered: a transaction with many locks is asked about once. */
const REMEMBERED = 2048;
/** A transaction of at least so many keys has its whole region cleared at once. */
const LARGE = 16n;

/** What has become of a transaction. */
type Fate =
  | { readonly type: "committed"; readonly commitTs: Timestamp }
  | { readonly type: "rolled_back" }
  /** A pessimistic lock may go. Its transaction may still commit: it wrote nothing there yet. */
  | { readonly type: "unwritten" }
  /** It may still commit; `pushed`: not at or below the timestamp of whoever asked. */
  | { readonly type: "alive"; readonly ttlMs: number; readonly pushed: boolean };

type Over = Exclude<Fate, { readonly type: "alive" }>;
/** What no later answer contradicts. */
type Ended = Exclude<Over, { readonly type: "unwritten" }>;

/** What came of an attempt to clear locks away. */
export interface Resolution {
  /** How long the youngest of those that are left may live; 0 where none is left. */
  readonly waitMs: number;
  /** Transactions that a read at the caller's timestamp may disregard. */
  readonly resolved: readonly bigint[];
}

export class LockResolver {
  readonly #cluster: Cluster;
  readonly #fates = new Map<bigint, Ended>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Clears away those of `locks` whose transactions are over. `callerTs` is the asker's own. */
  async resolve(
    backoff: Backoff,
    locks: readonly LockInfo[],
    callerTs: Timestamp,
  ): Promise<Resolution> {
    let waitMs = 0;
    const resolved: bigint[] = [];
    for (const lock of locks) {
      const fate = await this.#fateOf(backoff, lock, callerTs);
      if (fate.type === "alive") {
        if (fate.pushed) resolved.push(lock.lockVersion);
        else waitMs = Math.max(waitMs, fate.ttlMs, 1);
      } else {
        await this.#clear(backoff, lock, fate);
        const { key, lockVersion: startTs } = lock;
        const told = fate.type === "committed" ? "committed" : "rolled_back";
        this.#cluster.ports.log?.({ message: "lock cleared", key, startTs, fate: told });
      }
    }
    return { waitMs, resolved };
  }

  async #fateOf(backoff: Backoff, lock: LockInfo, callerTs: Timestamp): Promise<Fate> {
    const known = this.#fates.get(lock.lockVersion);
    if (known !== undefined) return known;
    const fate = await this.#askPrimary(backoff, lock, callerTs);
    if (fate.type === "committed" || fate.type === "rolled_back") {
      this.#remember(lock.lockVersion, fate);
    }
    return fate;
  }

  async #askPrimary(backoff: Backoff, lock: LockInfo, callerTs: Timestamp): Promise<Fate> {
    let rollbackIfNotExist = false;
    let forceSyncCommit = false;
    for (;;) {
      const currentTs = await this.#cluster.placement.timestamp(backoff);
      const response = await this.#cluster.send(
        backoff,
        lock.primaryLock,
        REPEATABLE,
        (context) => ({
          method: "KvCheckTxnStatus",
          request: CheckTxnStatusRequest.make({
            context,
            primaryKey: lock.primaryLock,
            lockTs: lock.lockVersion,
            callerStartTs: callerTs,
            currentTs,
            rollbackIfNotExist,
            forceSyncCommit,
            resolvingPessimisticLock: lock.lockType === Op.PessimisticLock,
            verifyIsPrimary: true,
          }),
        }),
      );
      if (response.error?.txnNotFound !== undefined) {
        // Its first lock may still be on its way, as long as this one may live.
        rollbackIfNotExist = isExpired(lock, currentTs);
        if (!rollbackIfNotExist) {
          await backoff.wait("transaction_not_found", "a transaction's first lock is not there");
        }
        continue;
      }
      if (response.error !== undefined) throw keyFailure(response.error);
      const { lockTtl, commitVersion, lockInfo, action } = response;
      if (commitVersion > 0n) return { type: "committed", commitTs: commitVersion as Timestamp };
      if (lockTtl === 0) return { type: isFinal(action) ? "rolled_back" : "unwritten" };
      if (lockInfo?.useAsyncCommit === true && isExpired(lockInfo, currentTs)) {
        const fate = await this.#askSecondaries(backoff, lockInfo);
        if (fate !== undefined) return fate;
        forceSyncCommit = true;
        continue;
      }
      return { type: "alive", ttlMs: leftOf(lock, lockTtl, currentTs), pushed: action === PUSHED };
    }
  }

  /**
   * The fate of a transaction that commits asynchronously, by its other keys; undefined where it
   * has fallen back to two phases.
   */
  async #askSecondaries(backoff: Backoff, primary: LockInfo): Promise<Ended | undefined> {
    let commitTs = primary.minCommitTs as Timestamp;
    let rest: readonly Key[] = primary.secondaries;
    let missing = false;
    while (rest.length > 0) {
      const left: Key[] = [];
      for (const { located, items } of await this.#cluster.group(backoff, rest, (key) => key)) {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "KvCheckSecondaryLocks",
          request: CheckSecondaryLocksRequest.make({
            context,
            keys: items,
            startVersion: primary.lockVersion,
          }),
        }));
        if (sent.type === "moved") {
          left.push(...items);
          continue;
        }
        const { error, locks, commitTs: committed } = sent.response;
        if (error !== undefined) throw keyFailure(error);
        if (committed > 0n) return { type: "committed", commitTs: committed as Timestamp };
        missing ||= locks.length < items.length;
        for (const lock of locks) {
          if (!lock.useAsyncCommit) return undefined;
          commitTs = maxTimestamp(commitTs, lock.minCommitTs as Timestamp);
        }
      }
      rest = left;
    }
    const fate: Ended = missing ? { type: "rolled_back" } : { type: "committed", commitTs };
    // The primary last would leave others to ask again; first, it settles the matter for them.
    await this.#settle(backoff, primary, primary.primaryLock, fate);
    return fate;
  }

  async #clear(backoff: Backoff, lock: LockInfo, fate: Over): Promise<void> {
    if (lock.lockType === Op.PessimisticLock) {
      await this.#releasePessimistic(backoff, lock);
      return;
    }
    assert(fate.type !== "unwritten", "who asks about a write is told its transaction's fate");
    await this.#settle(backoff, lock, lock.key, fate);
  }

  /** Commits or rolls back the transaction's lock on `key`, or all of a large one in its region. */
  async #settle(backoff: Backoff, lock: LockInfo, key: Key, fate: Ended): Promise<void> {
    const commitVersion = fate.type === "committed" ? fate.commitTs : ZERO_TIMESTAMP;
    const keys = lock.txnSize >= LARGE ? [] : [key];
    const response = await this.#cluster.send(backoff, key, REPEATABLE, (context) => ({
      method: "KvResolveLock",
      request: ResolveLockRequest.make({
        context,
        startVersion: lock.lockVersion,
        commitVersion,
        keys,
      }),
    }));
    if (response.error !== undefined) throw keyFailure(response.error);
  }

  async #releasePessimistic(backoff: Backoff, lock: LockInfo): Promise<void> {
    const { key, lockVersion: startVersion, lockForUpdateTs: forUpdateTs } = lock;
    const response = await this.#cluster.send(backoff, key, REPEATABLE, (context) => ({
      method: "KVPessimisticRollback",
      request: PessimisticRollbackRequest.make({ context, startVersion, forUpdateTs, keys: [key] }),
    }));
    const [error] = response.errors;
    if (error !== undefined) throw keyFailure(error);
  }

  #remember(startTs: bigint, fate: Ended): void {
    this.#fates.set(startTs, fate);
    if (this.#fates.size <= REMEMBERED) return;
    const [oldest] = this.#fates.keys();
    if (oldest !== undefined) this.#fates.delete(oldest);
  }
}

const PUSHED: Action = Action.MinCommitTSPushed;

/**
 * Whether `action` rolled the transaction back. The others were told to whoever asked about a
 * pessimistic lock: it has run out or the primary's is not there, but the transaction may come back
 * to its keys and commit.
 */
const isFinal = (action: Action): boolean =>
  action !== Action.TTLExpirePessimisticRollback && action !== Action.LockNotExistDoNothing;

/** Milliseconds until the lock may be cleared away. */
const leftOf = (lock: LockInfo, ttlMs: number, now: Timestamp): number =>
  Math.max(1, physicalOf(lock.lockVersion as Timestamp) + ttlMs - physicalOf(now));

const isExpired = (lock: LockInfo, now: Timestamp): boolean =>
  physicalOf(lock.lockVersion as Timestamp) + lock.lockTtl <= physicalOf(now);
