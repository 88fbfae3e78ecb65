/**
 * The transactional API: snapshots of any instant, and transactions under snapshot isolation.
 */
import { Timestamp } from "../base/timestamp.ts";
import { Backoff } from "./backoff.ts";
import type { Cluster } from "./cluster.ts";
import { ClientError } from "./errors.ts";
import type { ReplicaOptions } from "./reading.ts";
import { LockResolver } from "./resolver.ts";
import { type ReadOptions, Snapshot, type SnapshotOptions } from "./snapshot.ts";
import { Transaction, type TransactionOptions } from "./transaction.ts";

/** For a transaction that is run again where others were in the way. */
export interface RetryOptions extends TransactionOptions, ReadOptions, ReplicaOptions {
  /** How often the body is run before a conflict is told; 16 where it is not given. */
  readonly attempts?: number;
}

const TIMEOUT_MS = 20_000;
const ATTEMPTS = 16;
/** The first pause before another attempt; it doubles. */
const PAUSE_MS = 2;
const MAX_PAUSE_MS = 500;

/** Snapshots and transactions. Made by `connectTxn`. */
export class TxnClient {
  readonly #cluster: Cluster;
  readonly #resolver: LockResolver;

  /** `cluster` must be one of transactional keys. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#resolver = new LockResolver(cluster);
  }

  /** A timestamp greater than every one that was given before it was asked for. */
  async timestamp(options: ReadOptions = {}): Promise<Timestamp> {
    return this.#cluster.placement.timestamp(this.#backoff(options));
  }

  /** A transaction that reads as of now; `replicaRead` says whom its reads ask, locks aside. */
  async begin(
    options: TransactionOptions & ReadOptions & ReplicaOptions = {},
  ): Promise<Transaction> {
    const snapshot = await this.snapshot(undefined, options);
    return new Transaction(this.#cluster, this.#resolver, snapshot, options);
  }

  /**
   * The data as of `timestamp`, or as of now. `replicaRead` and `staleRead` spare the leaders of
   * regions the work, and change nothing of what is read.
   */
  async snapshot(
    timestamp?: bigint,
    options: ReadOptions & SnapshotOptions = {},
  ): Promise<Snapshot> {
    const at = timestamp === undefined ? await this.timestamp(options) : Timestamp(timestamp);
    return new Snapshot(this.#cluster, this.#resolver, at, options);
  }

  /**
   * Runs `body` in a transaction and commits it; again from the start where others were in the way.
   * Gives what `body` gave. An error of `body` rolls back and is passed on.
   */
  async transaction<T>(
    body: (transaction: Transaction) => Promise<T>,
    options: RetryOptions = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const transaction = await this.begin(options);
      try {
        const result = await body(transaction);
        await transaction.commit(options);
        return result;
      } catch (error) {
        await transaction.rollback();
        if (!mayPass(error) || attempt >= (options.attempts ?? ATTEMPTS)) throw error;
        await this.#pause(attempt, options);
      }
    }
  }

  async #pause(attempt: number, { signal }: ReadOptions): Promise<void> {
    const { clock, random } = this.#cluster.ports;
    const ms = Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** attempt);
    await clock.sleep(ms * random.next(), signal);
  }

  #backoff({ timeoutMs, signal }: ReadOptions): Backoff {
    return new Backoff(this.#cluster.ports, timeoutMs ?? TIMEOUT_MS, signal);
  }
}

const mayPass = (error: unknown): boolean =>
  error instanceof ClientError && (error.reason === "conflict" || error.reason === "deadlock");
