/**
 * Flashing a range back to what it was at a timestamp, as a transaction over all that has changed
 * since. It goes in two calls, both within a region that is closed for everybody else:
 *
 *   prepare     rolls back all locks, and locks the first key of the range: its fate is the verdict
 *   flash back  writes again what each key was, in parts; then commits the first key
 *
 * The old versions stay. Both calls may come again, also after a part of their work.
 */
import { EMPTY_KEY, type Key } from "../../base/bytes.ts";
import { Timestamp, ZERO_TIMESTAMP } from "../../base/timestamp.ts";
import {
  type FlashbackToVersionRequest,
  FlashbackToVersionResponse,
  type PrepareFlashbackToVersionRequest,
  PrepareFlashbackToVersionResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, type Work, evaluate } from "../evaluation.ts";
import { commitKey } from "../key/commit.ts";
import { fateOf } from "../key/fate.ts";
import { rollbackLock } from "../key/rollback.ts";
import { afterVersions, decodeKey, encodeEnd, encodeKey, keyOfVersion } from "../keys.ts";
import { type Outcome, done, refused } from "../outcome.ts";
import { scanLocks } from "../read/locks.ts";
import { MvccReader } from "../read/reader.ts";
import type { Version } from "../read/versions.ts";
import { UNKNOWN_CHANGE } from "../record/last-change.ts";
import type { Lock } from "../record/lock.ts";
import { type Write, isChange } from "../record/write.ts";
import type { Refusal } from "../refusal.ts";
import { LOCKS_AT_ONCE, type Part, lockedPart } from "./part.ts";
import { REFUSE } from "./refuse.ts";
import { checkCommitTs, checkTimestamps } from "./request.ts";
import { type KeyRange, within } from "./scan.ts";

/** A part ends when the values that it writes again are about this long. */
const BYTES_AT_ONCE = 1 << 18;

export type FlashbackRequest = PrepareFlashbackToVersionRequest | FlashbackToVersionRequest;

/** The range of encoded keys that `request` names. */
export const rangeOfFlashback = ({ startKey, endKey }: FlashbackRequest): KeyRange => ({
  start: startKey === EMPTY_KEY ? EMPTY_KEY : encodeKey(startKey),
  end: encodeEnd(endKey),
});

/**
 * How far the flashback of `request` has come within `bounds`, those of the region; `empty` where
 * there is no key to lock.
 */
export function stageOfFlashback(
  view: KvView,
  request: FlashbackRequest,
  bounds: KeyRange,
): "nothing" | "empty" | "prepared" | "done" {
  const reader = new MvccReader(view);
  const range = within(rangeOfFlashback(request), bounds);
  const startTs = Timestamp(request.startTs);
  if (ownLock(reader, range, startTs) !== undefined) return "prepared";
  const first = firstKey(reader, range);
  if (first === undefined) return "empty";
  return fateOf(reader, first, startTs).type === "committed" ? "done" : "nothing";
}

/** The locks within `range` that stand in the flashback's way. */
export const partOfPrepareFlashback = (
  view: KvView,
  request: PrepareFlashbackToVersionRequest,
  range: KeyRange,
): Part =>
  lockedPart(
    view,
    within(rangeOfFlashback(request), range),
    ({ startTs }) => startTs !== request.startTs,
  );

/** Rolls back the locks on the encoded `keys` of a part; the last part locks the first key. */
export const prepareFlashback = (
  view: KvView,
  request: PrepareFlashbackToVersionRequest,
  { keys, next }: Part,
  bounds: KeyRange,
): Evaluation<PrepareFlashbackToVersionResponse> =>
  evaluate(view, REFUSE.KvPrepareFlashbackToVersion, (work) => {
    const bad = checkRequest(request);
    if (bad !== undefined) return refused(bad);
    for (const key of keys) {
      const lock = work.reader.lock(key);
      const user = work.reader.userKey("lock", key);
      if (lock !== undefined && user !== undefined) rollbackLock(work, user, lock, true);
    }
    if (next === undefined) {
      const range = within(rangeOfFlashback(request), bounds);
      const refusal = lockFirst(work, request, range, keys[0]);
      if (refusal !== undefined) return refused(refusal);
    }
    return done(PrepareFlashbackToVersionResponse.make());
  });

/**
 * Locks the first key of the range with what it was, unless that has been done. It may be
 * `rolledBack`, which has a version only now. Where another flashback has opened the region
 * meanwhile, somebody may have rolled this one back: that verdict stands.
 */
function lockFirst(
  work: Work,
  { startTs: start, version }: PrepareFlashbackToVersionRequest,
  range: KeyRange,
  rolledBack: Key | undefined,
): Refusal | undefined {
  const { reader, draft } = work;
  const startTs = Timestamp(start);
  const first = firstKey(reader, range);
  const isNew = rolledBack !== undefined && (first === undefined || rolledBack < first);
  const key = isNew ? rolledBack : first;
  if (key === undefined || ownLock(reader, range, startTs) !== undefined) return undefined;
  if (fateOf(reader, key, startTs).type === "rolled_back") {
    return {
      type: "invalid_request",
      detail: `the flashback of start_ts ${startTs} was rolled back`,
    };
  }
  const primary = reader.userKey("write", key);
  if (primary === undefined) return undefined;
  const old = rewrite(work, key, startTs, Timestamp(version));
  const lock: Lock = {
    type: old.type === "put" ? "put" : "delete",
    primary,
    startTs,
    ttlMs: 0,
    shortValue: old.shortValue,
    forUpdateTs: ZERO_TIMESTAMP,
    txnSize: 1n,
    minCommitTs: ZERO_TIMESTAMP,
    secondaries: undefined,
    rollbackTs: [],
    lastChange: UNKNOWN_CHANGE,
    txnSource: 0n,
    lockedWithConflict: false,
    generation: 0,
  };
  draft.putLock(key, lock);
  return undefined;
}

/** The keys within `range` that have changed since, and that have not been written again yet. */
export function partOfFlashback(
  view: KvView,
  request: FlashbackToVersionRequest,
  range: KeyRange,
): Part {
  const reader = new MvccReader(view);
  const startTs = Timestamp(request.startTs);
  const whole = within(rangeOfFlashback(request), range);
  const locked = ownLock(reader, whole, startTs);
  const keys: Key[] = [];
  let bytes = 0;
  for (const key of userKeys(reader, whole)) {
    if (keys.length === LOCKS_AT_ONCE || bytes >= BYTES_AT_ONCE) {
      return { keys, next: key, damage: reader.damage };
    }
    if (key === locked || !isChanged(reader, key, request)) continue;
    keys.push(key);
    const old = visible(reader, key, Timestamp(request.version));
    bytes += old === undefined ? 0 : (reader.value(key, old.write)?.length ?? 0);
  }
  return { keys, next: undefined, damage: reader.damage };
}

/** Writes the encoded `keys` of a part again; the last part commits the first key of the range. */
export const flashback = (
  view: KvView,
  request: FlashbackToVersionRequest,
  { keys, next }: Part,
  bounds: KeyRange,
): Evaluation<FlashbackToVersionResponse> =>
  evaluate(view, REFUSE.KvFlashbackToVersion, (work) => {
    const startTs = Timestamp(request.startTs);
    const commitTs = Timestamp(request.commitTs);
    const bad = checkRequest(request) ?? checkCommitTs(startTs, commitTs);
    if (bad !== undefined) return refused(bad);
    for (const key of keys) {
      const newest = work.reader.versions(key).newest();
      if (newest !== undefined && newest.commitTs >= commitTs) return refused(late(commitTs));
      const write = rewrite(work, key, startTs, Timestamp(request.version));
      work.draft.putWrite(key, commitTs, write);
    }
    return next === undefined ? commitFirst(work, request, bounds) : finished();
  });

/** A commit timestamp may have been calculated that the oracle has given out since. */
const late = (commitTs: Timestamp): Refusal => ({
  type: "invalid_request",
  detail: `commit_ts is ${commitTs}, and a version of the range is not older`,
});

const finished = (): Outcome<FlashbackToVersionResponse> => done(FlashbackToVersionResponse.make());

function commitFirst(
  work: Work,
  request: FlashbackToVersionRequest,
  bounds: KeyRange,
): Outcome<FlashbackToVersionResponse> {
  const { reader } = work;
  const startTs = Timestamp(request.startTs);
  const commitTs = Timestamp(request.commitTs);
  const range = within(rangeOfFlashback(request), bounds);
  const locked = ownLock(reader, range, startTs);
  const user = locked === undefined ? undefined : reader.userKey("lock", locked);
  if (locked === undefined || user === undefined) return finished();
  const newest = reader.versions(locked).newest();
  if (newest !== undefined && newest.commitTs >= commitTs) return refused(late(commitTs));
  const committed = commitKey(work, user, startTs, commitTs);
  return committed.ok ? finished() : committed;
}

function checkRequest({ startTs, version }: FlashbackRequest): Refusal | undefined {
  const bad = checkTimestamps({ start_ts: startTs, version });
  if (bad !== undefined || version < startTs) return bad;
  return { type: "invalid_request", detail: `version ${version} is not below start_ts ${startTs}` };
}

/** The record that makes `key` what it was at `version`; a long value of it is written too. */
function rewrite({ reader, draft }: Work, key: Key, startTs: Timestamp, version: Timestamp): Write {
  const old = visible(reader, key, version);
  if (old !== undefined && old.write.shortValue === undefined) {
    const value = reader.value(key, old.write);
    if (value !== undefined) draft.putValue(key, startTs, value);
  }
  return {
    type: old === undefined ? "delete" : "put",
    startTs,
    shortValue: old?.write.shortValue,
    overlappedRollback: false,
    gcFence: undefined,
    lastChange: UNKNOWN_CHANGE,
    txnSource: 0n,
  };
}

const visible = (reader: MvccReader, key: Key, version: Timestamp): Version | undefined =>
  reader.versions(key).visibleAt(version, version);

/** Whether `key` was put or deleted since, and not by this very flashback. */
function isChanged(reader: MvccReader, key: Key, request: FlashbackToVersionRequest): boolean {
  const versions = reader.versions(key);
  for (let one = versions.newest(); one !== undefined; one = versions.older()) {
    if (one.commitTs <= request.version) return false;
    if (isChange(one.write)) return one.write.startTs !== request.startTs;
  }
  return false;
}

/** The key that the flashback has locked. */
function ownLock(reader: MvccReader, range: KeyRange, startTs: Timestamp): Key | undefined {
  for (const { key } of scanLocks(reader, range, (lock) => lock.startTs === startTs)) return key;
  return undefined;
}

function firstKey(reader: MvccReader, range: KeyRange): Key | undefined {
  for (const key of userKeys(reader, range)) return key;
  return undefined;
}

/** The encoded keys of `range` that have versions. */
function* userKeys({ view }: MvccReader, { start, end }: KeyRange): IterableIterator<Key> {
  if (end !== EMPTY_KEY && start >= end) return;
  const cursor = view.cursor("write", { lower: start, upper: end });
  cursor.seek(start);
  while (cursor.valid) {
    const key = keyOfVersion(cursor.key);
    if (decodeKey(key) === undefined) cursor.next();
    else {
      yield key;
      cursor.seek(afterVersions(key));
    }
  }
}
