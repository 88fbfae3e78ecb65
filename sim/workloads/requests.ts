/**
 * Calls of the raw API with values by number, and what their answers say.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { EMPTY_BYTES, keyAfter } from "../../engine/base/bytes.ts";
import {
  KvPair,
  RawBatchGetRequest,
  RawBatchPutRequest,
  RawCASRequest,
  RawDeleteRequest,
  RawGetRequest,
  RawPutRequest,
  RawScanRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { valueBytes, valueId } from "./value.ts";

/** A call on one key. `expected` is what a swap wants to find. */
export function single(
  kind: "put" | "get" | "delete" | "swap",
  key: Key,
  context: Context,
  value: number,
  expected: number,
  bytes: number,
): TikvCall {
  switch (kind) {
    case "put": {
      // All writes of one key go the same way, or swaps would not be ordered with them.
      const request = RawPutRequest.make({
        context,
        key,
        value: valueBytes(value, bytes),
        forCas: true,
      });
      return { method: "RawPut", request };
    }
    case "delete":
      return {
        method: "RawDelete",
        request: RawDeleteRequest.make({ context, key, forCas: true }),
      };
    case "get":
      return { method: "RawGet", request: RawGetRequest.make({ context, key }) };
    case "swap": {
      const request = RawCASRequest.make({
        context,
        key,
        value: valueBytes(value, bytes),
        previousNotExist: expected === 0,
        previousValue: expected === 0 ? EMPTY_BYTES : valueBytes(expected, bytes),
      });
      return { method: "RawCompareAndSwap", request };
    }
    default:
      return unreachable(kind);
  }
}

export type SingleAnswer =
  | { readonly type: "done" }
  | { readonly type: "value"; readonly value: number }
  | { readonly type: "swapped"; readonly swapped: boolean; readonly previous: number }
  | { readonly type: "error"; readonly text: string };

export function singleAnswer(reply: TikvReply): SingleAnswer {
  switch (reply.method) {
    case "RawPut":
    case "RawDelete":
      return reply.response.error === "" ? { type: "done" } : failed(reply.response.error);
    case "RawGet": {
      const { response } = reply;
      if (response.error !== "") return failed(response.error);
      if (response.notFound) return { type: "value", value: 0 };
      const value = valueId(response.value);
      return value === undefined ? damaged(response.value) : { type: "value", value };
    }
    case "RawCompareAndSwap": {
      const { response } = reply;
      if (response.error !== "") return failed(response.error);
      const previous = response.previousNotExist ? 0 : valueId(response.previousValue);
      if (previous === undefined) return damaged(response.previousValue);
      return { type: "swapped", swapped: response.succeed, previous };
    }
    default:
      return failed(`an answer to ${reply.method} was not asked for`);
  }
}

/** A call on several keys, in ascending order, that lie in one region. */
export function several(
  kind: "batch_put" | "batch_get" | "scan",
  keys: readonly Key[],
  context: Context,
  values: readonly number[],
  bytes: number,
): TikvCall {
  switch (kind) {
    case "batch_put": {
      const pairs = keys.map((key, i) =>
        KvPair.make({ key, value: valueBytes(values[i] as number, bytes) }),
      );
      return {
        method: "RawBatchPut",
        request: RawBatchPutRequest.make({ context, pairs, forCas: true }),
      };
    }
    case "batch_get":
      return { method: "RawBatchGet", request: RawBatchGetRequest.make({ context, keys }) };
    case "scan": {
      const startKey = keys[0] as Key;
      const endKey = keyAfter(keys.at(-1) as Key);
      const request = RawScanRequest.make({ context, startKey, endKey, limit: 10_000 });
      return { method: "RawScan", request };
    }
    default:
      return unreachable(kind);
  }
}

export type SeveralAnswer =
  | { readonly type: "values"; readonly values: ReadonlyMap<Key, number> }
  | { readonly type: "error"; readonly text: string };

export function severalAnswer(reply: TikvReply): SeveralAnswer {
  let pairs: readonly KvPair[];
  if (reply.method === "RawBatchGet") pairs = reply.response.pairs;
  else if (reply.method === "RawScan") pairs = reply.response.kvs;
  else return failed(`an answer to ${reply.method} was not asked for`);
  const values = new Map<Key, number>();
  for (const pair of pairs) {
    const value = valueId(pair.value);
    if (value === undefined) return damaged(pair.value);
    if (values.has(pair.key)) return failed(`${pair.key} comes twice`);
    values.set(pair.key, value);
  }
  return { type: "values", values };
}

const failed = (text: string): { readonly type: "error"; readonly text: string } => ({
  type: "error",
  text: `the answer is an error: ${text}`,
});

const damaged = (bytes: Uint8Array): { readonly type: "error"; readonly text: string } => ({
  type: "error",
  text: `the value of ${bytes.length} bytes is none that was ever written`,
});
