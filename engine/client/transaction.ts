/**
 * One transaction: reads of its snapshot through its own writes, which go to the stores when it
 * commits. A pessimistic one locks what it writes at once, and so does not fail later.
 */
import { assert } from "../base/assert.ts";
import { hex, type Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import { Backoff } from "./backoff.ts";
import { Buffer, coveredBy, type Write } from "./buffer.ts";
import { type BytesLike, bytesOf, type KeyValue, keyOf, keyValue } from "./bytes.ts";
import type { Cluster } from "./cluster.ts";
import { Committer } from "./commit.ts";
import { ClientError } from "./errors.ts";
import { keepAlive } from "./heartbeat.ts";
import { PessimisticLocks } from "./locking.ts";
import type { LockResolver } from "./resolver.ts";
import {
  pageRequestOf,
  type PageRequest,
  type ReadOptions,
  restOf,
  type ScanOptions,
  type Snapshot,
} from "./snapshot.ts";

/** How a transaction locks and commits. */
export interface TransactionOptions {
  /**
   * Locks keys when they are written, and waits for others; otherwise conflicts fail the commit.
   */
  readonly pessimistic?: boolean;
  /** Commits without waiting for the second phase. True where it is not given. */
  readonly asyncCommit?: boolean;
  /** Commits in one phase where all keys lie in one region. True where it is not given. */
  readonly onePC?: boolean;
  /**
   * How long locks live at least without a word from their transaction, in milliseconds: others
   * then roll it back. Where it is not given 3,000, and 20,000 of pessimistic ones, which are kept
   * alive while they last.
   */
  readonly lockTtlMs?: number;
}

const TIMEOUT_MS = 40_000;
const LOCK_TIMEOUT_MS = 20_000;
/** Locks live this long, and longer where the transaction is large or kept alive. */
const TTL_MS = 3000;
const MAX_TTL_MS = 20_000;

/**
 * A transaction under way. Made by `TxnClient.begin` or given to the body of
 * `TxnClient.transaction`; over after `commit` or `rollback`, and then refuses as `misuse`.
 */
export class Transaction {
  /** It reads what was committed at or below this. */
  readonly startTs: Timestamp;
  readonly #cluster: Cluster;
  readonly #resolver: LockResolver;
  readonly #snapshot: Snapshot;
  readonly #options: TransactionOptions;
  readonly #buffer = new Buffer();
  readonly #locks: PessimisticLocks;
  readonly #bornMs: number;
  /** Of a pessimistic transaction the key that it locked first, once it is locked. */
  #primary: Key | undefined;
  /** Settles when the first lock is there, or is not to be had. */
  #choosing: Promise<unknown> | undefined;
  #state: "open" | "committing" | "committed" | "over" = "open";
  /** What still goes on in the background. */
  #background: Promise<void> = Promise.resolve();

  constructor(
    cluster: Cluster,
    resolver: LockResolver,
    snapshot: Snapshot,
    options: TransactionOptions,
  ) {
    this.#cluster = cluster;
    this.#resolver = resolver;
    this.#snapshot = snapshot;
    this.#options = options;
    const { lockTtlMs = 1 } = options;
    if (!Number.isSafeInteger(lockTtlMs) || lockTtlMs < 1) {
      throw new ClientError("misuse", `locks cannot live for ${lockTtlMs} ms`);
    }
    this.startTs = snapshot.timestamp;
    this.#locks = new PessimisticLocks(cluster, resolver);
    this.#bornMs = cluster.ports.clock.nowMs();
  }

  /** The value as the transaction sees it: its own write, or the snapshot's. */
  async get(key: BytesLike, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    this.#check();
    const at = keyOf(key);
    const own = this.#buffer.get(at);
    if (own !== undefined && own.type !== "lock") return valueOf(own);
    return this.#snapshot.getKey(this.#snapshot.backoff(options), at);
  }

  /**
   * Locks the key and gives the newest value there is, which nobody else changes before this
   * transaction is over. Only of a pessimistic transaction.
   */
  async getForUpdate(key: BytesLike, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    this.#check();
    const at = keyOf(key);
    const value = await this.#lock(at, options);
    const own = this.#buffer.get(at);
    return own !== undefined && own.type !== "lock" ? valueOf(own) : value;
  }

  /** The pairs that there are of these keys, as the transaction sees them, in no order. */
  async batchGet(
    keys: readonly BytesLike[],
    options: ReadOptions = {},
  ): Promise<readonly KeyValue[]> {
    this.#check();
    const pairs: KeyValue[] = [];
    const rest: Key[] = [];
    for (const key of new Set(keys.map(keyOf))) {
      const own = this.#buffer.get(key);
      if (own === undefined || own.type === "lock") {
        rest.push(key);
        continue;
      }
      const value = valueOf(own);
      if (value !== undefined) pairs.push(keyValue(key, value));
    }
    const found = await this.#snapshot.getKeys(this.#snapshot.backoff(options), rest);
    for (const [key, value] of found) pairs.push(keyValue(key, value));
    return pairs;
  }

  /** The pairs of a range as the transaction sees them. */
  async *scan(options: ScanOptions = {}): AsyncGenerator<KeyValue, void, undefined> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let rest: PageRequest | undefined = pageRequestOf(options);
    while (rest !== undefined && left > 0) {
      this.#check();
      const page = await this.#snapshot.page(this.#snapshot.backoff(options), rest);
      const covered = coveredBy(rest, page.next);
      for (const [key, value] of this.#buffer.over(page.pairs, covered)) {
        if (left <= 0) return;
        yield keyValue(key, value);
        left -= 1;
      }
      rest = restOf(rest, page);
    }
  }

  /** Writes when it commits. A pessimistic one locks now: `deadlock`, `timeout`, `conflict`. */
  async put(key: BytesLike, value: BytesLike, options: ReadOptions = {}): Promise<void> {
    await this.#write(keyOf(key), { type: "put", value: bytesOf(value) }, options);
  }

  /** A put of a key that must not exist; the commit ends with `exists` where it does. */
  async insert(key: BytesLike, value: BytesLike, options: ReadOptions = {}): Promise<void> {
    await this.#write(keyOf(key), { type: "insert", value: bytesOf(value) }, options);
  }

  /** As `put`; a key that is not there is no error. */
  async delete(key: BytesLike, options: ReadOptions = {}): Promise<void> {
    await this.#write(keyOf(key), { type: "delete" }, options);
  }

  /** Fails the commit where anybody else changes these keys before it. */
  async lockKeys(keys: readonly BytesLike[], options: ReadOptions = {}): Promise<void> {
    for (const key of keys) await this.#write(keyOf(key), { type: "lock" }, options);
  }

  /**
   * Makes everything visible at once, at the timestamp that it gives; undefined where nothing was
   * written. Rejects with `conflict`, `exists` or another reason where nothing has happened, and
   * with `undetermined` where nobody can say.
   */
  async commit(options: ReadOptions = {}): Promise<Timestamp | undefined> {
    this.#check();
    this.#state = "committing";
    const writes = [...this.#buffer.entries()];
    const [first] = writes;
    if (first === undefined) {
      this.#state = "committed";
      this.#goOn((later) => this.#releaseUnwritten(later));
      return undefined;
    }
    const backoff = this.#backoff(options, TIMEOUT_MS);
    const primary = this.#primary ?? first[0];
    assert(this.#buffer.get(primary) !== undefined, "the primary is one of the keys");
    const committer = new Committer(this.#cluster, this.#resolver, {
      startTs: this.startTs,
      primary,
      writes,
      ttlMs: this.#ttlMs(),
      asyncCommit: this.#options.asyncCommit ?? true,
      onePhase: this.#options.onePC ?? true,
      forUpdateTs: this.#locks.forUpdateTs,
      isLocked: (key) => this.#locks.has(key),
    });
    const { clock, log } = this.#cluster.ports;
    const { startTs } = this;
    const begunMs = clock.nowMs();
    try {
      const { commitTs, how, rest } = await committer.commit(backoff);
      this.#state = "committed";
      const [keys, ms] = [writes.length, clock.nowMs() - begunMs];
      log?.({ message: "committed", startTs, commitTs, how, keys, ms });
      this.#goOn(async (later) => {
        await rest(later);
        await this.#releaseUnwritten(later);
      });
      return commitTs;
    } catch (error) {
      this.#state = "over";
      if (error instanceof ClientError) {
        const { reason, message: because } = error;
        log?.({ message: "not committed", startTs, reason, because, ms: clock.nowMs() - begunMs });
      }
      const certain = error instanceof ClientError && error.reason !== "undetermined";
      if (certain) {
        this.#goOn(async (later) => {
          await committer.rollback(later);
          await this.#releaseUnwritten(later);
        });
      }
      throw error;
    }
  }

  /** Gives up. What was written never was. */
  async rollback(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "over";
    this.#goOn((backoff) => this.#locks.release(backoff, this.startTs));
    await this.#background;
  }

  /** Resolves when nothing goes on in the background any more. */
  settled(): Promise<void> {
    return this.#background;
  }

  #check(): void {
    if (this.#state !== "open") {
      throw new ClientError("misuse", "the transaction is over: begin another");
    }
  }

  async #write(key: Key, write: Write, options: ReadOptions): Promise<void> {
    this.#check();
    if (this.#options.pessimistic !== true) {
      this.#buffer.set(key, write);
      return;
    }
    const value = await this.#lock(key, options);
    if (write.type !== "insert") {
      this.#buffer.set(key, write);
      return;
    }
    const own = this.#buffer.get(key);
    // What is locked cannot change any more: whether it exists is known now.
    const there = own === undefined || own.type === "lock" ? value : valueOf(own);
    if (there !== undefined) throw new ClientError("exists", `key ${hex(key)} is there already`);
    this.#buffer.set(key, { type: "put", value: write.value });
  }

  /** The value of `key`, which stays locked, and so becomes part of what is committed. */
  async #lock(key: Key, options: ReadOptions): Promise<Uint8Array | undefined> {
    if (this.#options.pessimistic !== true) {
      throw new ClientError("misuse", "only a pessimistic transaction locks before it commits");
    }
    // All locks name the first key: it has to be locked before any other.
    while (this.#choosing !== undefined) await this.#choosing;
    this.#check();
    if (this.#primary !== undefined) return this.#lockFor(this.#primary, key, options);
    const first = this.#lockFirst(key, options);
    this.#choosing = first.catch(() => undefined);
    return first;
  }

  async #lockFirst(key: Key, options: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      const value = await this.#lockFor(key, key, options);
      this.#primary = key;
      const ttlMs = (): number => this.#ttlMs();
      const isOver = (): boolean => this.#state !== "open" && this.#state !== "committing";
      const { startTs } = this;
      const everyMs = this.#lockTtlMs / 2;
      void keepAlive(this.#cluster, { startTs, primary: key, everyMs, ttlMs, isOver });
      return value;
    } finally {
      this.#choosing = undefined;
    }
  }

  async #lockFor(primary: Key, key: Key, options: ReadOptions): Promise<Uint8Array | undefined> {
    const backoff = this.#backoff(options, LOCK_TIMEOUT_MS);
    const holder = { startTs: this.startTs, primary, ttlMs: this.#ttlMs() };
    const { value } = await this.#locks.lock(backoff, holder, key);
    this.#buffer.set(key, { type: "lock" });
    return value;
  }

  /** Gives back the locks of keys that the commit had nothing to do with. */
  #releaseUnwritten(backoff: Backoff): Promise<void> {
    const isWritten = (key: Key): boolean => this.#buffer.get(key) !== undefined;
    return this.#locks.release(backoff, this.startTs, isWritten);
  }

  /** Counted from the start timestamp, as stores do. */
  #ttlMs(): number {
    const age = Math.round(this.#cluster.ports.clock.nowMs() - this.#bornMs);
    if (this.#options.pessimistic === true) return age + this.#lockTtlMs;
    const size = Math.min(MAX_TTL_MS, Math.round(Math.sqrt(this.#buffer.size) * 100));
    return age + Math.max(this.#lockTtlMs, size);
  }

  get #lockTtlMs(): number {
    return this.#options.lockTtlMs ?? (this.#options.pessimistic === true ? MAX_TTL_MS : TTL_MS);
  }

  /** Does `work` behind the caller's back; what it leaves undone, others clear away. */
  #goOn(work: (backoff: Backoff) => Promise<void>): void {
    const { log } = this.#cluster.ports;
    const begun = work(this.#backoff({}, TIMEOUT_MS));
    this.#background = begun.catch((error: unknown) => {
      log?.({ message: "clean-up failed", because: String(error) });
    });
  }

  #backoff({ timeoutMs, signal }: ReadOptions, budgetMs: number): Backoff {
    return new Backoff(this.#cluster.ports, timeoutMs ?? budgetMs, signal);
  }
}

const valueOf = (write: Write): Uint8Array | undefined =>
  write.type === "put" || write.type === "insert" ? write.value : undefined;
