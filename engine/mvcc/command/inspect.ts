/**
 * Everything there is of a key, for people who look for a fault.
 */
import { EMPTY_BYTES, EMPTY_KEY, type Key } from "../../base/bytes.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import {
  type MvccGetByKeyRequest,
  MvccGetByKeyResponse,
  type MvccGetByStartTsRequest,
  MvccGetByStartTsResponse,
  MvccInfo,
  MvccLock,
  MvccValue,
  MvccWrite,
  Op,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Answer, answer } from "../answer.ts";
import { encodeKey, keyOfVersion, timestampOfVersion, versionsOf } from "../keys.ts";
import { done } from "../outcome.ts";
import type { MvccReader } from "../read/reader.ts";
import type { Version } from "../read/versions.ts";
import type { LastChange } from "../record/last-change.ts";
import type { Lock } from "../record/lock.ts";
import type { WriteType } from "../record/write.ts";
import { lockInfoOf } from "../refusal.ts";
import type { KeyRange } from "./scan.ts";
import { REFUSE } from "./refuse.ts";

export const mvccByKey = (
  view: KvView,
  request: MvccGetByKeyRequest,
): Answer<MvccGetByKeyResponse> =>
  answer(view, REFUSE.MvccGetByKey, (reader) =>
    done(MvccGetByKeyResponse.make({ info: infoOf(reader, encodeKey(request.key)) })),
  );

/** Of the first key within `bounds` that the transaction has written; it looks at all of them. */
export const mvccByStartTs = (
  view: KvView,
  request: MvccGetByStartTsRequest,
  bounds: KeyRange,
): Answer<MvccGetByStartTsResponse> =>
  answer(view, REFUSE.MvccGetByStartTs, (reader) => {
    const key = keyWrittenBy(reader, request.startTs, bounds);
    const user = key === undefined ? undefined : reader.userKey("write", key);
    if (key === undefined || user === undefined) {
      return done(MvccGetByStartTsResponse.make({ info: MvccInfo.make() }));
    }
    return done(MvccGetByStartTsResponse.make({ key: user, info: infoOf(reader, key) }));
  });

function keyWrittenBy(
  reader: MvccReader,
  startTs: bigint,
  { start, end }: KeyRange,
): Key | undefined {
  const cursor = reader.view.cursor("write", { lower: start, upper: end });
  for (cursor.seek(start); cursor.valid; cursor.next()) {
    const write = reader.writeOf(cursor.key, cursor.value);
    if (write === undefined) return undefined;
    if (write.startTs === startTs) return keyOfVersion(cursor.key);
  }
  return undefined;
}

/** Lock, versions and values of an encoded key. */
function infoOf(reader: MvccReader, key: Key): MvccInfo {
  const writes: MvccWrite[] = [];
  const versions = reader.versions(key);
  for (let version = versions.newest(); version !== undefined; version = versions.older()) {
    writes.push(writeInfo(version));
  }
  const lock = reader.lock(key);
  return MvccInfo.make({
    lock: lock === undefined ? undefined : lockInfo(lock),
    writes,
    values: valuesOf(reader, key),
  });
}

function valuesOf(reader: MvccReader, key: Key): readonly MvccValue[] {
  const values: MvccValue[] = [];
  const { lower, upper } = versionsOf(key);
  // Without the filter: it knows values by their whole keys.
  const cursor = reader.view.cursor("default", { lower, upper });
  for (cursor.seek(key); cursor.valid; cursor.next()) {
    const startTs = timestampOfVersion(cursor.key);
    if (startTs !== undefined) values.push(MvccValue.make({ startTs, value: cursor.value }));
  }
  return values;
}

function lockInfo(lock: Lock): MvccLock {
  const { lockType: type } = lockInfoOf(lock, EMPTY_KEY);
  return MvccLock.make({
    type,
    startTs: lock.startTs,
    primary: lock.primary,
    shortValue: lock.shortValue ?? EMPTY_BYTES,
    ttl: lock.ttlMs,
    forUpdateTs: lock.forUpdateTs,
    txnSize: lock.txnSize,
    useAsyncCommit: lock.secondaries !== undefined,
    secondaries: lock.secondaries ?? [],
    rollbackTs: lock.rollbackTs,
    ...changeInfo(lock.lastChange),
  });
}

const WRITE_OPS: Readonly<Record<WriteType, Op>> = {
  put: Op.Put,
  delete: Op.Del,
  lock: Op.Lock,
  rollback: Op.Rollback,
};

const writeInfo = ({ commitTs, write }: Version): MvccWrite =>
  MvccWrite.make({
    type: WRITE_OPS[write.type],
    startTs: write.startTs,
    commitTs,
    shortValue: write.shortValue ?? EMPTY_BYTES,
    hasOverlappedRollback: write.overlappedRollback,
    hasGcFence: write.gcFence !== undefined,
    gcFence: write.gcFence ?? 0n,
    ...changeInfo(write.lastChange),
  });

/** As in a record (`last-change.ts`). */
function changeInfo(change: LastChange): {
  readonly lastChangeTs: bigint;
  readonly versionsToLastChange: number;
} {
  const NONE = 0n as Timestamp;
  if (change.type === "at") {
    return { lastChangeTs: change.commitTs, versionsToLastChange: change.versions };
  }
  return { lastChangeTs: NONE, versionsToLastChange: change.type === "none" ? 1 : 0 };
}
