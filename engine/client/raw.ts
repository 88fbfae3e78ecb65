/**
 * The raw API: single keys and ranges without transactions. Each operation on one key is
 * linearizable; those on several keys are atomic within a region only.
 */
import { EMPTY_BYTES, EMPTY_KEY, type Key } from "../base/bytes.ts";
import {
  type Context,
  KvPair,
  RawBatchDeleteRequest,
  RawBatchGetRequest,
  RawBatchPutRequest,
  RawCASRequest,
  RawDeleteRangeRequest,
  RawDeleteRequest,
  RawGetKeyTTLRequest,
  RawGetRequest,
  RawPutRequest,
  RawScanRequest,
} from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../protocol/services.ts";
import { Backoff } from "./backoff.ts";
import { type BytesLike, bytesOf, type KeyValue, keyOf, keyValue } from "./bytes.ts";
import {
  type Cluster,
  type Located,
  rangeWithin,
  type ResponseOf,
  ONCE,
  REPEATABLE,
} from "./cluster.ts";
import { ClientError } from "./errors.ts";
import { portions } from "./portions.ts";
import type { Signal } from "./ports.ts";

/** For one operation. */
export interface RawOptions {
  /** `default` where it is not given. */
  readonly columnFamily?: "default" | "lock" | "write";
  /** All attempts together; 20,000 where it is not given. */
  readonly timeoutMs?: number;
  /** An `AbortSignal`: ends the operation as `cancelled`. */
  readonly signal?: Signal;
}

/** For an operation that writes values. */
export interface RawPutOptions extends RawOptions {
  /** Seconds after which the key is gone; the cluster must have TTL enabled. */
  readonly ttlSeconds?: number;
}

/** For a scan; each of its pages has `timeoutMs` of its own. */
export interface RawScanOptions extends RawOptions {
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

/** What became of a compare-and-swap. */
export interface Swap {
  /** Whether the new value is there now. */
  readonly swapped: boolean;
  /** What was there before; undefined where nothing was. */
  readonly previous: Uint8Array | undefined;
}

const TIMEOUT_MS = 20_000;
const PAGE = 256;

/** Keys as they are, without transactions: do not use one key both ways. Made by `connectRaw`. */
export class RawClient {
  readonly #cluster: Cluster;

  /** `cluster` must be one of raw keys. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The value, or undefined where there is none. */
  async get(key: BytesLike, options: RawOptions = {}): Promise<Uint8Array | undefined> {
    const at = keyOf(key);
    const response = await this.#one(at, options, (context) => ({
      method: "RawGet",
      request: RawGetRequest.make({ context, key: at, cf: cfOf(options) }),
    }));
    succeed(response.error);
    return response.notFound ? undefined : response.value;
  }

  /** The pairs that there are of these keys, in no particular order. */
  async batchGet(
    keys: readonly BytesLike[],
    options: RawOptions = {},
  ): Promise<readonly KeyValue[]> {
    const pairs: KeyValue[] = [];
    const unique = [...new Set(keys.map(keyOf))];
    await this.#each(
      unique,
      (key) => key,
      sizeOfKey,
      options,
      async (backoff, located, items) => {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "RawBatchGet",
          request: RawBatchGetRequest.make({ context, keys: items, cf: cfOf(options) }),
        }));
        if (sent.type === "moved") return false;
        for (const { key, value, error } of sent.response.pairs) {
          if (error !== undefined) throw new ClientError("refused", "a pair could not be read");
          pairs.push(keyValue(key, value));
        }
        return true;
      },
    );
    return pairs;
  }

  /**
   * Puts the value, whatever was there. Repeated until time runs out: one that ends in `timeout`
   * may have happened.
   */
  async put(key: BytesLike, value: BytesLike, options: RawPutOptions = {}): Promise<void> {
    const at = keyOf(key);
    const response = await this.#one(at, options, (context) => ({
      method: "RawPut",
      request: RawPutRequest.make({
        context,
        key: at,
        value: bytesOf(value),
        cf: cfOf(options),
        ttl: options.ttlSeconds ?? 0,
      }),
    }));
    succeed(response.error);
  }

  /** Of a key that occurs twice the last value stays. */
  async batchPut(
    pairs: readonly (readonly [BytesLike, BytesLike])[],
    options: RawPutOptions = {},
  ): Promise<void> {
    const unique = new Map(pairs.map(([key, value]) => [keyOf(key), bytesOf(value)]));
    const ttls = options.ttlSeconds === undefined ? [] : [options.ttlSeconds];
    const items = [...unique].map(([key, value]) => KvPair.make({ key, value }));
    const sizeOf = ({ key, value }: KvPair): number => key.length + value.length;
    await this.#each(
      items,
      ({ key }) => key,
      sizeOf,
      options,
      async (backoff, located, some) => {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "RawBatchPut",
          request: RawBatchPutRequest.make({ context, pairs: some, cf: cfOf(options), ttls }),
        }));
        if (sent.type === "reply") succeed(sent.response.error);
        return sent.type === "reply";
      },
    );
  }

  /** Removes the key; one that is not there is no error. As `put` it is repeated. */
  async delete(key: BytesLike, options: RawOptions = {}): Promise<void> {
    const at = keyOf(key);
    const response = await this.#one(at, options, (context) => ({
      method: "RawDelete",
      request: RawDeleteRequest.make({ context, key: at, cf: cfOf(options) }),
    }));
    succeed(response.error);
  }

  /** Removes these keys; atomic within a region only. */
  async batchDelete(keys: readonly BytesLike[], options: RawOptions = {}): Promise<void> {
    const unique = [...new Set(keys.map(keyOf))];
    await this.#each(
      unique,
      (key) => key,
      sizeOfKey,
      options,
      async (backoff, located, items) => {
        const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
          method: "RawBatchDelete",
          request: RawBatchDeleteRequest.make({ context, keys: items, cf: cfOf(options) }),
        }));
        if (sent.type === "reply") succeed(sent.response.error);
        return sent.type === "reply";
      },
    );
  }

  /** Removes [start, end); without an end everything from `start` on. */
  async deleteRange(
    start: BytesLike,
    end: BytesLike | undefined,
    options: RawOptions = {},
  ): Promise<void> {
    const until = end === undefined ? EMPTY_KEY : keyOf(end);
    const backoff = this.#backoff(options);
    let from = keyOf(start);
    for (;;) {
      if (until !== EMPTY_KEY && from >= until) return;
      const located = await this.#cluster.locate(backoff, from);
      const { lower: startKey, upper: endKey } = rangeWithin(located, from, until);
      const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
        method: "RawDeleteRange",
        request: RawDeleteRangeRequest.make({ context, startKey, endKey, cf: cfOf(options) }),
      }));
      if (sent.type === "moved") continue;
      succeed(sent.response.error);
      if (endKey === until) return;
      from = endKey;
    }
  }

  /**
   * Puts `value` where `expected` is now; undefined expects that there is nothing. Ends
   * `undetermined` where the answer was lost.
   */
  async compareAndSwap(
    key: BytesLike,
    expected: BytesLike | undefined,
    value: BytesLike,
    options: RawPutOptions = {},
  ): Promise<Swap> {
    const at = keyOf(key);
    const backoff = this.#backoff(options);
    const response = await this.#cluster.send(backoff, at, ONCE, (context) => ({
      method: "RawCompareAndSwap",
      request: RawCASRequest.make({
        context,
        key: at,
        value: bytesOf(value),
        previousNotExist: expected === undefined,
        previousValue: expected === undefined ? EMPTY_BYTES : bytesOf(expected),
        cf: cfOf(options),
        ttl: options.ttlSeconds ?? 0,
      }),
    }));
    succeed(response.error);
    const previous = response.previousNotExist ? undefined : response.previousValue;
    return { swapped: response.succeed, previous };
  }

  /** Seconds that the key has left, 0 for no end; undefined where there is no such key. */
  async ttl(key: BytesLike, options: RawOptions = {}): Promise<number | undefined> {
    const at = keyOf(key);
    const response = await this.#one(at, options, (context) => ({
      method: "RawGetKeyTTL",
      request: RawGetKeyTTLRequest.make({ context, key: at, cf: cfOf(options) }),
    }));
    succeed(response.error);
    return response.notFound ? undefined : response.ttl;
  }

  /**
   * Live pairs of a range, a page at a time: `for await (const { key, value } of raw.scan(…))`.
   * Each page is linearizable, the whole is not one instant.
   */
  async *scan(options: RawScanOptions = {}): AsyncGenerator<KeyValue, void, undefined> {
    const lower = options.start === undefined ? EMPTY_KEY : keyOf(options.start);
    const upper = options.end === undefined ? EMPTY_KEY : keyOf(options.end);
    const reverse = options.reverse === true;
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let at = reverse ? upper : lower;
    for (;;) {
      if (left <= 0 || (reverse ? false : upper !== EMPTY_KEY && at >= upper)) return;
      const backoff = this.#backoff(options);
      const page = await this.#page(backoff, options, { at, lower, upper, left });
      for (const { key, value } of page.pairs) yield keyValue(key, value);
      left -= page.pairs.length;
      if (page.next === undefined) return;
      at = page.next;
    }
  }

  /** One page, from one region. `next` is where the following one begins; undefined at the end. */
  async #page(
    backoff: Backoff,
    options: RawScanOptions,
    { at, lower, upper, left }: { at: Key; lower: Key; upper: Key; left: number },
  ): Promise<{ readonly pairs: readonly KvPair[]; readonly next: Key | undefined }> {
    const reverse = options.reverse === true;
    const limit = Math.min(left, options.pageSize ?? PAGE);
    for (;;) {
      const located = reverse
        ? await this.#cluster.locateBefore(backoff, at)
        : await this.#cluster.locate(backoff, at);
      const part = reverse ? rangeWithin(located, lower, at) : rangeWithin(located, at, upper);
      const [startKey, endKey] = reverse ? [part.upper, part.lower] : [part.lower, part.upper];
      const sent = await this.#cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
        method: "RawScan",
        request: RawScanRequest.make({
          context,
          startKey,
          endKey,
          limit,
          reverse,
          keyOnly: options.keysOnly === true,
          cf: cfOf(options),
        }),
      }));
      if (sent.type === "moved") continue;
      const pairs = sent.response.kvs;
      const last = pairs.at(-1);
      if (last !== undefined && pairs.length >= limit) {
        return { pairs, next: reverse ? last.key : (`${last.key}\0` as Key) };
      }
      return { pairs, next: endKey === (reverse ? lower : upper) ? undefined : endKey };
    }
  }

  #backoff(options: RawOptions): Backoff {
    return new Backoff(this.#cluster.ports, options.timeoutMs ?? TIMEOUT_MS, options.signal);
  }

  #one<M extends TikvCall["method"]>(
    key: Key,
    options: RawOptions,
    make: (context: Context) => Extract<TikvCall, { readonly method: M }>,
  ): Promise<ResponseOf<M>> {
    return this.#cluster.send(this.#backoff(options), key, REPEATABLE, make);
  }

  /**
   * Divides `items` by region and size, and does each part; what finds its region changed is
   * divided again.
   */
  async #each<T>(
    items: readonly T[],
    keyOf: (item: T) => Key,
    sizeOf: (item: T) => number,
    options: RawOptions,
    act: (backoff: Backoff, located: Located, items: readonly T[]) => Promise<boolean>,
  ): Promise<void> {
    const backoff = this.#backoff(options);
    let rest = items;
    while (rest.length > 0) {
      const parts: { located: Located; some: readonly T[] }[] = [];
      for (const { located, items: all } of await this.#cluster.group(backoff, rest, keyOf)) {
        for (const some of portions(all, sizeOf)) parts.push({ located, some });
      }
      const done = await Promise.all(parts.map(({ located, some }) => act(backoff, located, some)));
      rest = parts.flatMap(({ some }, i) => (done[i] === true ? [] : some));
    }
  }
}

const cfOf = ({ columnFamily }: RawOptions): string => columnFamily ?? "";
const sizeOfKey = (key: Key): number => key.length;

function succeed(error: string): void {
  if (error !== "") throw new ClientError("refused", error);
}
