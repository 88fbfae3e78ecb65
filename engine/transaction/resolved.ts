/**
 * Timestamps up to which everything is settled. A leader draws a timestamp T from the oracle,
 * raises `max_ts` to it, and then looks at the locks of its region. Whoever has no lock by then,
 * in the data or in memory, will commit above T: a commit timestamp is drawn after all locks are
 * there, or calculated above `max_ts`. So nothing is ever again committed at or below the least of
 * T and what each lock leaves open, and all that was lies in the log up to what is applied when
 * the last lock has been looked at. That is a fact about the log: any replica that has applied as
 * much may read there, whoever leads by then.
 */
import { type Key, keyAfter } from "../base/bytes.ts";
import type { LogIndex } from "../base/ids.ts";
import { type Timestamp, ZERO_TIMESTAMP, maxTimestamp } from "../base/timestamp.ts";
import * as tree from "../base/tree.ts";
import type { KeyRange } from "../mvcc/calls.ts";
import { scanLocks } from "../mvcc/read/locks.ts";
import { MvccReader } from "../mvcc/read/reader.ts";
import type { Lock } from "../mvcc/record/lock.ts";
import type { KvView } from "../storage/view.ts";
import type { Concurrency } from "./concurrency.ts";

/** Nothing is committed at or below `ts` behind `index`, while the region has this version. */
export interface Settled {
  readonly version: number;
  readonly index: LogIndex;
  readonly ts: Timestamp;
}

/** The greatest timestamp at which no read has to ask what becomes of the lock's transaction. */
const boundOf = ({ startTs, minCommitTs }: Lock): Timestamp =>
  (maxTimestamp(startTs, minCommitTs) - 1n) as Timestamp;

/** Locks that change nothing when they are committed are nothing to readers. */
const changes = ({ type }: Lock): boolean => type === "put" || type === "delete";

const lesser = (a: Timestamp, b: Timestamp): Timestamp => (a < b ? a : b);

/** What the locks in memory leave of `ts` in `range`. */
export function boundInMemory(
  { locks }: Concurrency,
  { start, end }: KeyRange,
  ts: Timestamp,
): Timestamp {
  let bound = ts;
  for (const [, { lock }] of tree.entries(locks, start, end)) bound = lesser(bound, boundOf(lock));
  return bound;
}

export interface ScannedLocks {
  readonly bound: Timestamp;
  /** Where to go on; undefined where all were looked at. */
  readonly next: Key | undefined;
  readonly count: number;
  /** Whether every record could be read. */
  readonly isSound: boolean;
}

/** What the first `limit` locks of `range` in the data leave of `ts`. */
export function boundInData(
  view: KvView,
  range: KeyRange,
  ts: Timestamp,
  limit: number,
): ScannedLocks {
  const reader = new MvccReader(view);
  let bound = ts;
  let count = 0;
  for (const { key, lock } of scanLocks(reader, range, () => true)) {
    if (changes(lock)) bound = lesser(bound, boundOf(lock));
    count += 1;
    if (count < limit) continue;
    return { bound, next: keyAfter(key), count, isSound: reader.damage === undefined };
  }
  return { bound, next: undefined, count, isSound: reader.damage === undefined };
}

/**
 * What a replica remembers that has applied up to `applied`: the best of what it may serve by, the
 * next that it will come to, and the last.
 */
export function remember(
  known: readonly Settled[],
  news: Settled,
  applied: LogIndex,
): readonly Settled[] {
  const of = known.filter(({ version }) => version === news.version);
  if (of.length < known.length && known.some(({ version }) => version > news.version)) return known;
  const reached = [...of, news].filter(({ index }) => index <= applied);
  const ahead = [...of, news]
    .filter(({ index }) => index > applied)
    .sort((a, b) => a.index - b.index);
  const best = reached.reduce<Settled | undefined>(
    (one, other) => (one === undefined || other.ts > one.ts ? other : one),
    undefined,
  );
  const [next] = ahead;
  const last = ahead.at(-1);
  const kept = [best, next, last === next ? undefined : last];
  return kept.filter((one) => one !== undefined);
}

/** The greatest timestamp that such a replica may read at; 0: none. */
export function safeTs(known: readonly Settled[], version: number, applied: LogIndex): Timestamp {
  let greatest = ZERO_TIMESTAMP;
  for (const settled of known) {
    if (settled.version !== version || settled.index > applied) continue;
    greatest = maxTimestamp(greatest, settled.ts);
  }
  return greatest;
}
