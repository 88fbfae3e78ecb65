/**
 * Reads of one instant: everything that was committed at or below its timestamp, wherever it lies.
 */
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import type { Timestamp } from "../base/timestamp.ts";
import {
  BatchGetRequest,
  type Context,
  GetRequest,
  IsolationLevel,
  type KeyError,
  type KvPair,
  type LockInfo,
  ScanRequest,
} from "../protocol/gen/kvrpcpb.ts";
import { Backoff } from "./backoff.ts";
import { type BytesLike, type KeyValue, keyOf, keyValue } from "./bytes.ts";
import { type Cluster, rangeWithin, type SendOptions, REPEATABLE } from "./cluster.ts";
import { keyFailure } from "./key-errors.ts";
import type { Signal } from "./ports.ts";
import { readFromOf, type ReplicaOptions } from "./reading.ts";
import type { LockResolver } from "./resolver.ts";

/** For one operation. */
export interface ReadOptions {
  /** All attempts together; 20,000 where it is not given. */
  readonly timeoutMs?: number;
  /** An `AbortSignal`: ends the operation as `cancelled`. */
  readonly signal?: Signal;
}

/** For a scan; each of its pages has `timeoutMs` of its own. */
export interface ScanOptions extends ReadOptions {
  /** Inclusive; without it from the first key. */
  readonly start?: BytesLike;
  /** Exclusive; without it to the last key. */
  readonly end?: BytesLike;
  /** Most pairs that are given; without it all. */
  readonly limit?: number;
  /** From `end` down to `start`. */
  readonly reverse?: boolean;
  /** Values are empty then. */
  readonly keysOnly?: boolean;
  /** Pairs asked of a store at a time; 256 where it is not given. */
  readonly pageSize?: number;
}

/** A scan in the engine's keys, as a transaction merges it with its own writes. */
export interface Page {
  readonly pairs: readonly (readonly [Key, Uint8Array])[];
  /** Where the next page begins (forwards) or ends (in reverse); undefined after the last. */
  readonly next: Key | undefined;
}

export interface PageRequest {
  readonly lower: Key;
  readonly upper: Key;
  readonly reverse: boolean;
  readonly limit: number;
  readonly keysOnly: boolean;
}

const TIMEOUT_MS = 20_000;
const PAGE = 256;

/** `read_committed` passes locks without asking what became of them: two reads may differ. */
export type Isolation = "snapshot" | "read_committed";

/** How a snapshot reads. */
export interface SnapshotOptions extends ReplicaOptions {
  /** `snapshot` where it is not given. */
  readonly isolation?: Isolation;
}

/** The data as of one timestamp. Made by `TxnClient.snapshot`. */
export class Snapshot {
  /** Everything committed at or below it is seen, and nothing above. */
  readonly timestamp: Timestamp;
  readonly #cluster: Cluster;
  readonly #resolver: LockResolver;
  readonly #isolation: Isolation;
  /** Replicas that are asked first. */
  readonly #first: SendOptions;
  /** Transactions met that cannot commit at or below the timestamp any more. */
  readonly #resolved = new Set<bigint>();

  constructor(
    cluster: Cluster,
    resolver: LockResolver,
    timestamp: Timestamp,
    options: SnapshotOptions,
  ) {
    this.timestamp = timestamp;
    this.#cluster = cluster;
    this.#resolver = resolver;
    this.#isolation = options.isolation ?? "snapshot";
    this.#first = { ...REPEATABLE, readFrom: readFromOf(options) };
  }

  /** The value, or undefined where there is none. */
  async get(key: BytesLike, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    return this.getKey(this.backoff(options), keyOf(key));
  }

  /** The pairs that there are of these keys, in no particular order. */
  async batchGet(
    keys: readonly BytesLike[],
    options: ReadOptions = {},
  ): Promise<readonly KeyValue[]> {
    const found = await this.getKeys(this.backoff(options), [...new Set(keys.map(keyOf))]);
    return [...found].map(([key, value]) => keyValue(key, value));
  }

  /** The pairs of a range: `for await (const { key, value } of snapshot.scan(…))`. */
  async *scan(options: ScanOptions = {}): AsyncGenerator<KeyValue, void, undefined> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let rest: PageRequest | undefined = pageRequestOf(options);
    while (rest !== undefined && left > 0) {
      const limit = Math.min(left, options.pageSize ?? PAGE);
      const page = await this.page(this.backoff(options), { ...rest, limit });
      for (const [key, value] of page.pairs) yield keyValue(key, value);
      left -= page.pairs.length;
      rest = restOf(rest, page);
    }
  }

  /** The waits of one read: for those who put several calls together. */
  backoff({ timeoutMs, signal }: ReadOptions): Backoff {
    return new Backoff(this.#cluster.ports, timeoutMs ?? TIMEOUT_MS, signal);
  }

  /** As `get`, in the engine's keys. */
  async getKey(backoff: Backoff, key: Key): Promise<Uint8Array | undefined> {
    for (let options = this.#first; ; options = REPEATABLE) {
      const response = await this.#cluster.send(backoff, key, options, (context) => ({
        method: "KvGet",
        request: GetRequest.make({ context: this.#seen(context), key, version: this.timestamp }),
      }));
      if (response.error === undefined) return response.notFound ? undefined : response.value;
      await this.#clear(backoff, [response.error]);
    }
  }

  /** As `batchGet`, in the engine's keys. */
  async getKeys(backoff: Backoff, keys: readonly Key[]): Promise<Map<Key, Uint8Array>> {
    const found = new Map<Key, Uint8Array>();
    let rest = keys;
    let options = this.#first;
    while (rest.length > 0) {
      const groups = await this.#cluster.group(backoff, rest, (key) => key);
      const left: Key[] = [];
      const errors: KeyError[] = [];
      await Promise.all(
        groups.map(async ({ located, items }) => {
          const sent = await this.#cluster.sendTo(backoff, located, options, (context) => ({
            method: "KvBatchGet",
            request: BatchGetRequest.make({
              context: this.#seen(context),
              keys: items,
              version: this.timestamp,
            }),
          }));
          if (sent.type === "moved") {
            left.push(...items);
            return;
          }
          const { pairs, error } = sent.response;
          if (error !== undefined) {
            errors.push(error);
            left.push(...items);
            return;
          }
          for (const pair of pairs) {
            if (pair.error === undefined) found.set(pair.key, pair.value);
            else errors.push(pair.error);
            // The store does not always name the key beside the error; the lock does.
            if (pair.error?.locked !== undefined) left.push(pair.error.locked.key);
          }
        }),
      );
      if (errors.length > 0) {
        await this.#clear(backoff, errors);
        // Only the leader knows locks in memory, and which of them this client need not mind.
        options = REPEATABLE;
      }
      rest = left;
    }
    return found;
  }

  /** One page, of one region. */
  async page(backoff: Backoff, request: PageRequest): Promise<Page> {
    const { lower, upper, reverse, limit, keysOnly } = request;
    let options = this.#first;
    for (;;) {
      const located = reverse
        ? await this.#cluster.locateBefore(backoff, upper)
        : await this.#cluster.locate(backoff, lower);
      const part = rangeWithin(located, lower, upper);
      const sent = await this.#cluster.sendTo(backoff, located, options, (context) => ({
        method: "KvScan",
        request: ScanRequest.make({
          context: this.#seen(context),
          startKey: reverse ? part.upper : part.lower,
          endKey: reverse ? part.lower : part.upper,
          limit,
          version: this.timestamp,
          keyOnly: keysOnly,
          reverse,
        }),
      }));
      if (sent.type === "moved") continue;
      const { pairs, error } = sent.response;
      const errors = error === undefined ? errorsOf(pairs) : [error];
      if (errors.length > 0) {
        await this.#clear(backoff, errors);
        options = REPEATABLE;
        continue;
      }
      const last = pairs.at(-1);
      const list = pairs.map(({ key, value }) => [key, value] as const);
      if (last !== undefined && pairs.length >= limit) {
        return { pairs: list, next: reverse ? last.key : (`${last.key}\0` as Key) };
      }
      const edge = reverse ? part.lower : part.upper;
      const ends = reverse ? edge === lower : edge === upper;
      return { pairs: list, next: ends ? undefined : edge };
    }
  }

  #seen(context: Context): Context {
    const isolationLevel = this.#isolation === "snapshot" ? IsolationLevel.SI : IsolationLevel.RC;
    return { ...context, isolationLevel, resolvedLocks: [...this.#resolved] };
  }

  /** Clears the locks that `errors` tell of, or waits for them. */
  async #clear(backoff: Backoff, errors: readonly KeyError[]): Promise<void> {
    const locks: LockInfo[] = [];
    for (const error of errors) {
      if (error.locked === undefined) throw keyFailure(error);
      locks.push(error.locked);
    }
    const { waitMs, resolved } = await this.#resolver.resolve(backoff, locks, this.timestamp);
    for (const startTs of resolved) this.#resolved.add(startTs);
    if (waitMs > 0) await backoff.wait("lock_fast", "a lock is in the way of a read");
  }
}

const errorsOf = (pairs: readonly KvPair[]): readonly KeyError[] =>
  pairs.flatMap(({ error }) => (error === undefined ? [] : [error]));

export const pageRequestOf = (options: ScanOptions): PageRequest => ({
  lower: options.start === undefined ? EMPTY_KEY : keyOf(options.start),
  upper: options.end === undefined ? EMPTY_KEY : keyOf(options.end),
  reverse: options.reverse === true,
  limit: options.pageSize ?? PAGE,
  keysOnly: options.keysOnly === true,
});

/** What is left of a scan behind `page`; undefined where nothing is. */
export function restOf(request: PageRequest, { next }: Page): PageRequest | undefined {
  if (next === undefined) return undefined;
  const rest = request.reverse ? { ...request, upper: next } : { ...request, lower: next };
  const empty = rest.upper !== EMPTY_KEY && rest.lower >= rest.upper;
  return empty ? undefined : rest;
}
