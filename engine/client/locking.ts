/**
 * The locks that a pessimistic transaction takes before it writes.
 */
import type { Key } from "../base/bytes.ts";
import { type Timestamp, maxTimestamp, ZERO_TIMESTAMP } from "../base/timestamp.ts";
import {
  Mutation,
  Op,
  PessimisticLockRequest,
  PessimisticRollbackRequest,
} from "../protocol/gen/kvrpcpb.ts";
import type { Backoff } from "./backoff.ts";
import { CALL_WITHIN_MS, type Cluster } from "./cluster.ts";
import { keyFailure } from "./key-errors.ts";
import type { LockResolver } from "./resolver.ts";

const REPEATABLE = { timeoutMs: CALL_WITHIN_MS, repeatable: true } as const;
/** A store lets a request wait this long for a lock before it answers. */
const WAIT_MS = 1000;

/** What a key held when it was locked. */
export interface LockedValue {
  /** Undefined where there was nothing. */
  readonly value: Uint8Array | undefined;
}

export interface Holder {
  readonly startTs: Timestamp;
  readonly primary: Key;
  /** Milliseconds since `startTs` that the locks live unless they are kept alive. */
  readonly ttlMs: number;
}

export class PessimisticLocks {
  readonly #cluster: Cluster;
  readonly #resolver: LockResolver;
  /** The timestamp at which each key was locked. */
  readonly #held = new Map<Key, Timestamp>();
  /** Of the newest lock: what is read under a lock is as of then. */
  #forUpdateTs: Timestamp = ZERO_TIMESTAMP;

  constructor(cluster: Cluster, resolver: LockResolver) {
    this.#cluster = cluster;
    this.#resolver = resolver;
  }

  get forUpdateTs(): Timestamp {
    return this.#forUpdateTs;
  }

  has(key: Key): boolean {
    return this.#held.has(key);
  }

  get keys(): readonly Key[] {
    return [...this.#held.keys()];
  }

  /**
   * Locks `key` for `holder` and says what it holds now. Waits for others as long as `backoff`
   * allows; throws `deadlock` where they wait for this one.
   */
  async lock(backoff: Backoff, holder: Holder, key: Key): Promise<LockedValue> {
    const { startTs, primary, ttlMs } = holder;
    for (;;) {
      const now = await this.#cluster.placement.timestamp(backoff);
      const forUpdateTs = maxTimestamp(now, this.#forUpdateTs);
      const response = await this.#cluster.send(backoff, key, REPEATABLE, (context) => ({
        method: "KvPessimisticLock",
        request: PessimisticLockRequest.make({
          context,
          mutations: [Mutation.make({ op: Op.PessimisticLock, key })],
          primaryLock: primary,
          startVersion: startTs,
          lockTtl: ttlMs,
          forUpdateTs,
          isFirstLock: this.#held.size === 0,
          waitTimeout: BigInt(WAIT_MS),
          returnValues: true,
          minCommitTs: forUpdateTs + 1n,
        }),
      }));
      const [error] = response.errors;
      if (error === undefined) {
        this.#held.set(key, forUpdateTs);
        this.#forUpdateTs = forUpdateTs;
        const missing = response.notFounds[0] ?? true;
        return { value: missing ? undefined : response.values[0] };
      }
      // Somebody has committed since the timestamp was drawn: the next one sees it.
      if (error.conflict !== undefined) continue;
      if (error.locked === undefined) throw keyFailure(error);
      const { waitMs } = await this.#resolver.resolve(backoff, [error.locked], startTs);
      if (waitMs > 0) await backoff.wait("lock", "a lock is in the way of another");
    }
  }

  /** Gives all locks back. */
  async release(backoff: Backoff, startTs: Timestamp): Promise<void> {
    let rest: readonly Key[] = this.keys;
    while (rest.length > 0) {
      const left: Key[] = [];
      for (const { located, items } of await this.#cluster.group(backoff, rest, (key) => key)) {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "KVPessimisticRollback",
          request: PessimisticRollbackRequest.make({
            context,
            startVersion: startTs,
            forUpdateTs: this.#forUpdateTs,
            keys: items,
          }),
        }));
        if (sent.type === "moved") left.push(...items);
      }
      rest = left;
    }
    this.#held.clear();
  }
}
