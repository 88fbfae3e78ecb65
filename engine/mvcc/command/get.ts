/**
 * Reads of keys by name: one, many, and those that a pipelined transaction has flushed itself.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp } from "../../base/timestamp.ts";
import {
  type BatchGetRequest,
  BatchGetResponse,
  type BufferBatchGetRequest,
  BufferBatchGetResponse,
  type GetRequest,
  GetResponse,
  KvPair,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Answer, answer } from "../answer.ts";
import { encodeKey } from "../keys.ts";
import { done } from "../outcome.ts";
import type { MvccReader } from "../read/reader.ts";
import { readKey } from "../read/point.ts";
import { snapshotOf } from "../read/snapshot.ts";
import { keyErrorOf } from "../refusal.ts";
import { REFUSE } from "./refuse.ts";

export const get = (view: KvView, request: GetRequest): Answer<GetResponse> =>
  answer(view, REFUSE.KvGet, (reader) => {
    const { context, key, version, needCommitTs } = request;
    const options = { keyOnly: false, needCommitTs };
    const found = readKey(reader, snapshotOf(context, version), key, options);
    if (!found.ok) return found;
    if (found.value === undefined) return done(GetResponse.make({ notFound: true }));
    const { value, commitTs } = found.value;
    return done(GetResponse.make(needCommitTs ? { value, commitTs } : { value }));
  });

/** Keys without a value are left out; a lock in the way is told in its key's place. */
export const batchGet = (view: KvView, request: BatchGetRequest): Answer<BatchGetResponse> =>
  answer(view, REFUSE.KvBatchGet, (reader) => {
    const { context, keys, version, needCommitTs } = request;
    const snapshot = snapshotOf(context, version);
    const options = { keyOnly: false, needCommitTs };
    const pairs: KvPair[] = [];
    for (const key of keys) {
      const found = readKey(reader, snapshot, key, options);
      if (!found.ok) pairs.push(KvPair.make({ error: keyErrorOf(found.refusal) }));
      else if (found.value !== undefined) {
        const { value, commitTs } = found.value;
        pairs.push(KvPair.make(needCommitTs ? { key, value, commitTs } : { key, value }));
      }
    }
    return done(BatchGetResponse.make({ pairs }));
  });

/**
 * What the transaction `version` has flushed of `keys` and not committed yet. What it has deleted
 * is told with an empty value.
 */
export const bufferBatchGet = (
  view: KvView,
  request: BufferBatchGetRequest,
): Answer<BufferBatchGetResponse> =>
  answer(view, REFUSE.KvBufferBatchGet, (reader) => {
    const startTs = Timestamp(request.version);
    const pairs: KvPair[] = [];
    for (const key of new Set(request.keys.toSorted(byKey))) {
      const value = flushedValue(reader, key, startTs);
      if (value !== undefined) pairs.push(KvPair.make({ key, value }));
    }
    return done(BufferBatchGetResponse.make({ pairs }));
  });

const byKey = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);

function flushedValue(reader: MvccReader, user: Key, startTs: Timestamp): Uint8Array | undefined {
  const key = encodeKey(user);
  const lock = reader.lock(key);
  if (lock === undefined || lock.startTs !== startTs) return undefined;
  if (lock.type === "put") return reader.value(key, lock);
  return lock.type === "delete" ? new Uint8Array(0) : undefined;
}
