/** Reads all transactional records of a store's data in a range, key by key. */
import type { Key } from "../../engine/base/bytes.ts";
import type { Timestamp } from "../../engine/base/timestamp.ts";
import { decodeKey, keyOfVersion, timestampOfVersion } from "../../engine/mvcc/keys.ts";
import { decodeLock, type Lock } from "../../engine/mvcc/record/lock.ts";
import { decodeWrite, type Write } from "../../engine/mvcc/record/write.ts";
import type { ColumnFamily } from "../../engine/storage/types.ts";
import type { KvView } from "../../engine/storage/view.ts";

/** One write record, with the value it gives its key. */
export interface Record {
  readonly commitTs: bigint;
  readonly write: Write;
  /** Of a put; undefined where it is missing. */
  readonly value: Uint8Array | undefined;
}

/** Everything that is stored of one of the user's keys. */
export interface KeyRecords {
  readonly key: Key;
  /** By commit timestamp, newest first. */
  readonly versions: readonly Record[];
  /** Start timestamp of whoever holds a lock. */
  readonly lockedBy: bigint | undefined;
  /** Start timestamps of the values that lie apart, and whether a lock or version needs each. */
  readonly values: readonly { readonly startTs: bigint; readonly needed: boolean }[];
}

export interface Range {
  readonly startKey: Key;
  readonly endKey: Key;
}

/** Whatever a key has, or a sentence about a record that cannot be read. */
export function recordsOf(view: KvView, range: Range): readonly KeyRecords[] | string {
  const found = new Map<Key, Found>();
  const of = (encoded: Key): Found => {
    let one = found.get(encoded);
    if (one === undefined) {
      one = { writes: [], lock: undefined, values: new Map() };
      found.set(encoded, one);
    }
    return one;
  };
  for (const [stored, bytes] of entries(view, "lock", range)) {
    const decoded = decodeLock(bytes);
    if (!decoded.ok) return `a lock is ${decoded.reason} at byte ${decoded.offset}`;
    of(stored).lock = decoded.lock;
  }
  for (const [stored, bytes] of entries(view, "write", range)) {
    const decoded = decodeWrite(bytes);
    const commitTs = timestampOfVersion(stored);
    if (commitTs === undefined) return "a write record's key has no timestamp";
    if (!decoded.ok) return `a write record is ${decoded.reason} at byte ${decoded.offset}`;
    of(keyOfVersion(stored)).writes.push({ commitTs, write: decoded.write });
  }
  for (const [stored, bytes] of entries(view, "default", range)) {
    const startTs = timestampOfVersion(stored);
    if (startTs === undefined) return "a value's key has no timestamp";
    of(keyOfVersion(stored)).values.set(startTs, bytes);
  }
  const keys: KeyRecords[] = [];
  for (const [encoded, one] of found) {
    const key = decodeKey(encoded);
    if (key === undefined) return "a key is not transactional";
    keys.push(keyRecords(key, one));
  }
  return keys;
}

/** Mutable while records are gathered. */
interface Found {
  readonly writes: { readonly commitTs: Timestamp; readonly write: Write }[];
  lock: Lock | undefined;
  readonly values: Map<Timestamp, Uint8Array>;
}

function keyRecords(key: Key, { writes, lock, values }: Found): KeyRecords {
  const needed = new Set<Timestamp>();
  const versions = writes.map(({ commitTs, write }): Record => {
    if (write.type !== "put") return { commitTs, write, value: undefined };
    if (write.shortValue !== undefined) return { commitTs, write, value: write.shortValue };
    needed.add(write.startTs);
    return { commitTs, write, value: values.get(write.startTs) };
  });
  if (lock?.type === "put" && lock.shortValue === undefined) needed.add(lock.startTs);
  return {
    key,
    versions,
    lockedBy: lock?.startTs,
    values: [...values.keys()].map((startTs) => ({ startTs, needed: needed.has(startTs) })),
  };
}

function* entries(
  view: KvView,
  family: ColumnFamily,
  { startKey, endKey }: Range,
): Generator<readonly [Key, Uint8Array], void, undefined> {
  const cursor = view.cursor(family, { lower: startKey, upper: endKey });
  for (cursor.seek(startKey); cursor.valid; cursor.next()) yield [cursor.key, cursor.value];
}
