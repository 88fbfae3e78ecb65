/**
 * Raw calls of TiKV's protocol, translated: which keys a call touches, the commands a write turns
 * into, and the answer to each. Texts of errors follow TiKV's.
 */
import { fail, unreachable } from "../base/assert.ts";
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import type { RawCommand, RawMode, RawResult } from "./command.ts";
import type {
  RawBatchPutRequest,
  RawBatchScanRequest,
  RawCASRequest,
  RawScanRequest,
} from "../protocol/gen/kvrpcpb.ts";
import {
  KeyError,
  KvPair,
  RawBatchDeleteResponse,
  RawBatchGetResponse,
  RawBatchPutResponse,
  RawBatchScanResponse,
  RawCASResponse,
  RawChecksumResponse,
  RawDeleteRangeResponse,
  RawDeleteResponse,
  RawGetKeyTTLResponse,
  RawGetResponse,
  RawPutResponse,
  RawScanResponse,
} from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../protocol/services.ts";
import type { ColumnFamily } from "../storage/types.ts";
import { checksum, get, type RawPair, type RawView, scan, timeToLive } from "./read.ts";

export type RawReadMethod =
  "RawGet" | "RawBatchGet" | "RawScan" | "RawBatchScan" | "RawGetKeyTTL" | "RawChecksum";
export type RawWriteMethod =
  | "RawPut"
  | "RawBatchPut"
  | "RawDelete"
  | "RawBatchDelete"
  | "RawDeleteRange"
  | "RawCompareAndSwap";
export type RawRead = Extract<TikvCall, { method: RawReadMethod }>;
export type RawWrite = Extract<TikvCall, { method: RawWriteMethod }>;

/** The key range of the region a call is for: [start, end), an empty end is no bound. */
export interface Bounds {
  readonly start: Key;
  readonly end: Key;
}

const TTL_DISABLED = "ttl is not enabled, but get put request with ttl";
const TTL_COUNT =
  "the number of ttls does not equal the number of pairs, and is neither zero nor one";
const INVALID_RANGE = "Invalid KeyRange";

/** The column family of this name ("" is default), or undefined. */
export function columnFamily(name: string): ColumnFamily | undefined {
  if (name === "" || name === "default") return "default";
  return name === "lock" || name === "write" ? name : undefined;
}

const badFamily = (name: string): string => `invalid cf name: ${name}`;

/** The first key of `call` that does not lie in `bounds`, if there is one. */
export function strayKey(call: RawRead | RawWrite, bounds: Bounds): Key | undefined {
  const stray = (key: Key): boolean =>
    key < bounds.start || (bounds.end !== EMPTY_KEY && key >= bounds.end);
  switch (call.method) {
    case "RawGet":
    case "RawPut":
    case "RawDelete":
    case "RawGetKeyTTL":
    case "RawCompareAndSwap":
      return stray(call.request.key) ? call.request.key : undefined;
    case "RawBatchGet":
    case "RawBatchDelete":
      return call.request.keys.find(stray);
    case "RawBatchPut":
      return call.request.pairs.find((pair) => stray(pair.key))?.key;
    case "RawDeleteRange":
      return strayRange(call.request.startKey, call.request.endKey, bounds);
    case "RawScan":
      return call.request.reverse
        ? strayUpper(call.request.startKey, bounds)
        : stray(call.request.startKey)
          ? call.request.startKey
          : undefined;
    case "RawBatchScan":
    case "RawChecksum":
      return undefined; // Ranges are cut to the region, as TiKV's region iterators do.
    default:
      return unreachable(call);
  }
}

function strayRange(start: Key, end: Key, bounds: Bounds): Key | undefined {
  if (start < bounds.start || (bounds.end !== EMPTY_KEY && start >= bounds.end)) return start;
  return strayUpper(end, bounds);
}

/** An exclusive upper end may equal the region's own. */
function strayUpper(end: Key, bounds: Bounds): Key | undefined {
  if (bounds.end !== EMPTY_KEY && end !== EMPTY_KEY && end > bounds.end) return end;
  return end !== EMPTY_KEY && end < bounds.start ? end : undefined;
}

/**
 * The commands of a write, or the reply that says why it can't be done. Keeps the request's values.
 */
export type Translation =
  | { readonly ok: true; readonly commands: readonly RawCommand[] }
  | { readonly ok: false; readonly reply: TikvReply };

export function commandsOf(call: RawWrite, mode: RawMode, nowSeconds: number): Translation {
  const cf = columnFamily(call.request.cf);
  if (cf === undefined) {
    return { ok: false, reply: writeReply(call.method, badFamily(call.request.cf)) };
  }
  switch (call.method) {
    case "RawPut": {
      const { key, value, ttl } = call.request;
      if (ttl !== 0 && !mode.ttlEnabled) return ttlRefusal(call.method);
      return commands([{ type: "put", cf, key, value, expiresAt: expiry(ttl, nowSeconds) }]);
    }
    case "RawBatchPut":
      return batchPut(call.request, cf, mode, nowSeconds);
    case "RawDelete":
      return commands([{ type: "delete", cf, key: call.request.key }]);
    case "RawBatchDelete":
      return commands(call.request.keys.map((key) => ({ type: "delete", cf, key })));
    case "RawDeleteRange":
      return commands([
        { type: "delete_range", cf, start: call.request.startKey, end: call.request.endKey },
      ]);
    case "RawCompareAndSwap":
      return compareAndSwap(call.request, cf, mode, nowSeconds);
    default:
      return unreachable(call);
  }
}

const commands = (list: readonly RawCommand[]): Translation => ({ ok: true, commands: list });
const expiry = (ttl: number, nowSeconds: number): number => (ttl === 0 ? 0 : nowSeconds + ttl);
const ttlRefusal = (method: RawWriteMethod): Translation => ({
  ok: false,
  reply: writeReply(method, TTL_DISABLED),
});

function batchPut(
  request: RawBatchPutRequest,
  cf: ColumnFamily,
  mode: RawMode,
  nowSeconds: number,
): Translation {
  const { pairs, ttls } = request;
  if (ttls.length > 1 && ttls.length !== pairs.length) {
    return { ok: false, reply: writeReply("RawBatchPut", TTL_COUNT) };
  }
  if (!mode.ttlEnabled && ttls.some((ttl) => ttl !== 0)) return ttlRefusal("RawBatchPut");
  return commands(
    pairs.map(({ key, value }, i) => {
      const ttl = ttls.length === 1 ? ttls[0] : ttls[i];
      return { type: "put", cf, key, value, expiresAt: expiry(ttl ?? 0, nowSeconds) };
    }),
  );
}

function compareAndSwap(
  request: RawCASRequest,
  cf: ColumnFamily,
  mode: RawMode,
  nowSeconds: number,
): Translation {
  if (request.ttl !== 0 && !mode.ttlEnabled) return ttlRefusal("RawCompareAndSwap");
  return commands([
    {
      type: "compare_and_swap",
      cf,
      key: request.key,
      expected: request.previousNotExist ? undefined : request.previousValue,
      replacement: request.delete ? undefined : request.value,
      expiresAt: expiry(request.ttl, nowSeconds),
    },
  ]);
}

/** The answer to a write whose commands had these results, or that failed with `error`. */
export function writeReply(
  method: RawWriteMethod,
  error: string,
  results: readonly RawResult[] = [],
): TikvReply {
  switch (method) {
    case "RawPut":
      return { method, response: RawPutResponse.make({ error }) };
    case "RawBatchPut":
      return { method, response: RawBatchPutResponse.make({ error }) };
    case "RawDelete":
      return { method, response: RawDeleteResponse.make({ error }) };
    case "RawBatchDelete":
      return { method, response: RawBatchDeleteResponse.make({ error }) };
    case "RawDeleteRange":
      return { method, response: RawDeleteRangeResponse.make({ error }) };
    case "RawCompareAndSwap": {
      if (error !== "") return { method, response: RawCASResponse.make({ error }) };
      const { succeeded, previous } = results[0] ?? fail("a compare-and-swap has one result");
      return {
        method,
        response: RawCASResponse.make({
          succeed: succeeded,
          previousNotExist: previous === undefined,
          ...(previous === undefined ? {} : { previousValue: previous }),
        }),
      };
    }
    default:
      return unreachable(method);
  }
}

/** Answers a read from `view`, within `bounds`. */
export function answerRead(call: RawRead, view: RawView, bounds: Bounds): TikvReply {
  switch (call.method) {
    case "RawGet": {
      const { method, request } = call;
      const cf = columnFamily(request.cf);
      if (cf === undefined) {
        return { method, response: RawGetResponse.make({ error: badFamily(request.cf) }) };
      }
      const value = get(view, cf, request.key);
      return {
        method,
        response: RawGetResponse.make(value === undefined ? { notFound: true } : { value }),
      };
    }
    case "RawBatchGet":
      return { method: call.method, response: batchGet(call.request.keys, call.request.cf, view) };
    case "RawScan":
      return { method: call.method, response: rawScan(call.request, view, bounds) };
    case "RawBatchScan":
      return { method: call.method, response: batchScan(call.request, view, bounds) };
    case "RawGetKeyTTL": {
      const { method, request } = call;
      const cf = columnFamily(request.cf);
      if (cf === undefined) {
        return { method, response: RawGetKeyTTLResponse.make({ error: badFamily(request.cf) }) };
      }
      const ttl = timeToLive(view, cf, request.key);
      return {
        method,
        response: RawGetKeyTTLResponse.make(ttl === undefined ? { notFound: true } : { ttl }),
      };
    }
    case "RawChecksum": {
      let sum = { checksum: 0n, pairs: 0, bytes: 0 };
      for (const range of call.request.ranges) {
        const { lower, upper } = cut(range.startKey, range.endKey, bounds);
        sum = checksum(view, lower, upper, sum);
      }
      return {
        method: call.method,
        response: RawChecksumResponse.make({
          checksum: sum.checksum,
          totalKvs: sum.pairs,
          totalBytes: sum.bytes,
        }),
      };
    }
    default:
      return unreachable(call);
  }
}

function batchGet(keys: readonly Key[], family: string, view: RawView): RawBatchGetResponse {
  const cf = columnFamily(family);
  if (cf === undefined) return RawBatchGetResponse.make({ pairs: errorPairs(badFamily(family)) });
  const pairs: KvPair[] = [];
  for (const key of keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    const value = get(view, cf, key);
    if (value !== undefined) pairs.push(KvPair.make({ key, value }));
  }
  return RawBatchGetResponse.make({ pairs });
}

function rawScan(request: RawScanRequest, view: RawView, bounds: Bounds): RawScanResponse {
  const cf = columnFamily(request.cf);
  if (cf === undefined) {
    return RawScanResponse.make({ kvs: errorPairs(badFamily(request.cf)) });
  }
  const { limit, keyOnly, reverse } = request;
  // Scanning backwards, `start_key` is the exclusive upper end and `end_key` the inclusive lower.
  const { lower, upper } = reverse
    ? cut(request.endKey, request.startKey, bounds)
    : cut(request.startKey, request.endKey, bounds);
  const pairs = scan(view, { cf, lower, upper, limit, keyOnly, reverse });
  return RawScanResponse.make({ kvs: pairs.map(toKvPair) });
}

function batchScan(
  request: RawBatchScanRequest,
  view: RawView,
  bounds: Bounds,
): RawBatchScanResponse {
  const cf = columnFamily(request.cf);
  if (cf === undefined) {
    return RawBatchScanResponse.make({ kvs: errorPairs(badFamily(request.cf)) });
  }
  const { ranges, eachLimit: limit, keyOnly, reverse } = request;
  const kvs: KvPair[] = [];
  for (const [i, range] of ranges.entries()) {
    // A range without an end goes on to the start of the next one.
    const end = range.endKey === EMPTY_KEY ? (ranges[i + 1]?.startKey ?? EMPTY_KEY) : range.endKey;
    const backwards = end !== EMPTY_KEY && range.startKey > end;
    if (backwards !== reverse && end !== EMPTY_KEY && range.startKey !== end) {
      return RawBatchScanResponse.make({ kvs: errorPairs(INVALID_RANGE) });
    }
    const limits = reverse ? cut(end, range.startKey, bounds) : cut(range.startKey, end, bounds);
    kvs.push(...scan(view, { cf, ...limits, limit, keyOnly, reverse }).map(toKvPair));
  }
  return RawBatchScanResponse.make({ kvs });
}

/** [start, end) without what lies outside `bounds`; `lower >= upper` where nothing is left. */
function cut(start: Key, end: Key, bounds: Bounds): { readonly lower: Key; readonly upper: Key } {
  const lower = start > bounds.start ? start : bounds.start;
  if (end === EMPTY_KEY) return { lower, upper: bounds.end };
  return { lower, upper: bounds.end !== EMPTY_KEY && bounds.end < end ? bounds.end : end };
}

const toKvPair = ({ key, value }: RawPair): KvPair => KvPair.make({ key, value });
const errorPairs = (abort: string): readonly KvPair[] => [
  KvPair.make({ error: KeyError.make({ abort }) }),
];
