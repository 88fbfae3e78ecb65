/**
 * Scans of a range: of data, and of locks.
 */
import { EMPTY_KEY, type Key } from "../../base/bytes.ts";
import { Timestamp } from "../../base/timestamp.ts";
import {
  KvPair,
  type LockInfo,
  type ScanLockRequest,
  ScanLockResponse,
  type ScanRequest,
  ScanResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Answer, answer } from "../answer.ts";
import { encodeEnd, encodeKey } from "../keys.ts";
import { done } from "../outcome.ts";
import { scan } from "../read/scan.ts";
import { scanLocks } from "../read/locks.ts";
import { snapshotOf } from "../read/snapshot.ts";
import { keyErrorOf, lockInfoOf } from "../refusal.ts";
import { REFUSE } from "./refuse.ts";

/** A range of encoded keys, [start, end); an empty end is no bound. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key;
}

/** The range of encoded keys that `request` asks for. */
export function rangeOfScan(request: ScanRequest): KeyRange {
  // Downwards, `start_key` is the exclusive upper end and `end_key` the inclusive lower one.
  const [from, to] = request.reverse
    ? [request.endKey, request.startKey]
    : [request.startKey, request.endKey];
  return { start: from === EMPTY_KEY ? EMPTY_KEY : encodeKey(from), end: encodeEnd(to) };
}

/** What `request` asks for within `bounds`, those of the region. */
export const scanData = (
  view: KvView,
  request: ScanRequest,
  bounds: KeyRange,
): Answer<ScanResponse> =>
  answer(view, REFUSE.KvScan, (reader) => {
    const { context, version, limit, keyOnly, reverse, sampleStep } = request;
    const { start: lower, end: upper } = within(rangeOfScan(request), bounds);
    const range = { lower, upper, limit, keyOnly, reverse, sampleStep };
    const items = scan(reader, snapshotOf(context, version), range);
    if (!items.ok) return items;
    const pairs = items.value.map((item) =>
      item.ok
        ? KvPair.make({ key: item.key, value: item.value })
        : KvPair.make({ error: keyErrorOf(item.refusal) }),
    );
    return done(ScanResponse.make({ pairs }));
  });

/** The range of encoded keys that `request` asks for. */
export const rangeOfScanLock = (request: ScanLockRequest): KeyRange => ({
  start: request.startKey === EMPTY_KEY ? EMPTY_KEY : encodeKey(request.startKey),
  end: encodeEnd(request.endKey),
});

/** The locks of transactions that started at or before `max_version`, of every type. */
export const scanLock = (
  view: KvView,
  request: ScanLockRequest,
  bounds: KeyRange,
): Answer<ScanLockResponse> =>
  answer(view, REFUSE.KvScanLock, (reader) => {
    const maxTs = Timestamp(request.maxVersion);
    const locks: LockInfo[] = [];
    const range = within(rangeOfScanLock(request), bounds);
    for (const { key, lock } of scanLocks(reader, range, (lock) => lock.startTs <= maxTs)) {
      const user = reader.userKey("lock", key);
      if (user === undefined) break;
      locks.push(lockInfoOf(lock, user));
      if (locks.length === request.limit) break;
    }
    return done(ScanLockResponse.make({ locks }));
  });

/** `range` without what lies outside `bounds`; `start >= end` where nothing is left. */
export function within(range: KeyRange, bounds: KeyRange): KeyRange {
  const start = range.start > bounds.start ? range.start : bounds.start;
  if (range.end === EMPTY_KEY) return { start, end: bounds.end };
  const isBeyond = bounds.end !== EMPTY_KEY && bounds.end < range.end;
  const end = isBeyond ? bounds.end : range.end;
  // An end at or below the start must not come to mean "no bound".
  return { start, end: end < start ? start : end };
}
