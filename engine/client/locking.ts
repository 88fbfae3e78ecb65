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
import { type Cluster, REPEATABLE } from "./cluster.ts";
import { keyFailure } from "./key-errors.ts";
import type { LockResolver } from "./resolver.ts";

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
  /** What each key held when it was locked, and holds as long as its lock is not lost. */
  readonly #held = new Map<Key, LockedValue>();
  /** Keys for which a lock was asked and not given: a call may be on its way still. */
  readonly #doubtful = new Set<Key>();
  /** Of the newest lock: what is read under a lock is as of then. */
  #forUpdateTs: Timestamp = ZERO_TIMESTAMP;
  /** Of the newest lock that was asked for. */
  #askedTs: Timestamp = ZERO_TIMESTAMP;

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

  /**
   * Locks `key` for `holder` and says what it holds now. Waits for others as long as `backoff`
   * allows; throws `deadlock` where they wait for this one.
   *
   * A key is locked once: if its lock were lost and others have written, a second one would hide
   * that from the prewrite, which looks for it.
   */
  async lock(backoff: Backoff, holder: Holder, key: Key): Promise<LockedValue> {
    const { startTs, primary, ttlMs } = holder;
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    this.#doubtful.add(key);
    for (;;) {
      const now = await this.#cluster.placement.timestamp(backoff);
      const forUpdateTs = maxTimestamp(now, this.#forUpdateTs);
      this.#askedTs = maxTimestamp(this.#askedTs, forUpdateTs);
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
        const missing = response.notFounds[0] ?? true;
        const locked = { value: missing ? undefined : response.values[0] };
        this.#held.set(key, locked);
        this.#doubtful.delete(key);
        this.#forUpdateTs = forUpdateTs;
        return locked;
      }
      // Somebody has committed since the timestamp was drawn: the next one sees it.
      if (error.conflict !== undefined) continue;
      if (error.locked === undefined) throw keyFailure(error);
      const { waitMs } = await this.#resolver.resolve(backoff, [error.locked], startTs);
      if (waitMs > 0) await backoff.wait("lock", "a lock is in the way of another");
    }
  }

  /** Gives back all locks that there are or may be, except those of keys that are `kept`. */
  async release(
    backoff: Backoff,
    startTs: Timestamp,
    kept: (key: Key) => boolean = () => false,
  ): Promise<void> {
    const keys = [...this.#held.keys(), ...this.#doubtful];
    let rest: readonly Key[] = keys.filter((key) => !kept(key));
    while (rest.length > 0) {
      const left: Key[] = [];
      for (const { located, items } of await this.#cluster.group(backoff, rest, (key) => key)) {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "KVPessimisticRollback",
          request: PessimisticRollbackRequest.make({
            context,
            startVersion: startTs,
            forUpdateTs: this.#askedTs,
            keys: items,
          }),
        }));
        if (sent.type === "moved") left.push(...items);
      }
      rest = left;
    }
  }
}
