/**
 * One round of garbage collection over the whole cluster: clears away the locks of all transactions
 * that are over and old, then lets the placement driver move its safe points, upon which each store
 * collects by itself. Rounds may be broken off at any moment and may run side by side: locks are
 * cleared by whoever meets them, and safe points never go back.
 *
 * A region is looked at once. A lock that comes to it later belongs to a transaction that will
 * commit above the round's target: asking for locks up to a timestamp raises what the store lets
 * commits calculate, and any other commit draws its timestamp after its last lock.
 */
import { EMPTY_KEY, type Key, keyAfter } from "../base/bytes.ts";
import {
  composeTimestamp,
  maxTimestamp,
  physicalOf,
  Timestamp,
  ZERO_TIMESTAMP,
} from "../base/timestamp.ts";
import { type LockInfo, ScanLockRequest } from "../protocol/gen/kvrpcpb.ts";
import { Backoff } from "./backoff.ts";
import { type Cluster, type Located, REPEATABLE } from "./cluster.ts";
import { keyFailure } from "./key-errors.ts";
import type { SafePoints } from "./placement.ts";
import type { Signal } from "./ports.ts";
import { LockResolver } from "./resolver.ts";

/** When to collect, and what. The defaults and their names are TiDB's. */
export interface CollectionPlan {
  /** Versions are kept for so long, in milliseconds. */
  readonly lifeTimeMs: number;
  /** Between two moves of the safe point. */
  readonly intervalMs: number;
  /** A transaction that keeps its locks alive holds the safe point back for so long at most. */
  readonly longestMs: number;
}

const MINUTE_MS = 60_000;

export const DEFAULT_PLAN: CollectionPlan = {
  lifeTimeMs: 10 * MINUTE_MS,
  intervalMs: 10 * MINUTE_MS,
  longestMs: 24 * 60 * MINUTE_MS,
};

/** What a round has come to. */
export interface Round {
  /** As they are now. */
  readonly points: SafePoints;
  /** Where the round wanted them. */
  readonly target: Timestamp;
  /** The start of the oldest transaction at or below the target that is alive, if one is. */
  readonly oldest: Timestamp | undefined;
  /** Locks of transactions that were over. */
  readonly cleared: number;
}

/** Locks that one call asks for. */
const PAGE = 256;
/** What one region, or one question to the placement driver, may take. */
const STEP_MS = 60_000;

/** Where the safe point should be; undefined while it is not time to move it. */
export function targetOf(
  now: Timestamp,
  { garbage }: SafePoints,
  { lifeTimeMs, intervalMs }: CollectionPlan,
): Timestamp | undefined {
  const wanted = Math.floor(physicalOf(now) - lifeTimeMs);
  return wanted > 0 && wanted >= physicalOf(garbage) + intervalMs
    ? composeTimestamp(wanted, 0)
    : undefined;
}

/** Runs a round if it is time for one. `cluster` must be one of transactional keys. */
export async function collect(
  cluster: Cluster,
  plan: CollectionPlan,
  signal: Signal | undefined,
): Promise<Round | undefined> {
  const step = (): Backoff => new Backoff(cluster.ports, STEP_MS, signal);
  const points = await cluster.placement.safePoints(step());
  const now = await cluster.placement.timestamp(step());
  const target = targetOf(now, points, plan);
  if (target === undefined) return undefined;
  const { oldest, cleared } = await clearLocks(cluster, target, step);
  const bound = oldest === undefined ? target : Timestamp(oldest - 1n);
  const longest = composeTimestamp(Math.max(0, Math.floor(physicalOf(target) - plan.longestMs)), 0);
  const moved = await advance(cluster, points, maxTimestamp(bound, longest), bound, step);
  return { points: moved, target, oldest, cleared };
}

/** Moves the points: that of transactions to `wanted`, that of garbage no further than `bound`. */
async function advance(
  { placement }: Cluster,
  points: SafePoints,
  wanted: Timestamp,
  bound: Timestamp,
  step: () => Backoff,
): Promise<SafePoints> {
  const transaction =
    wanted > points.transaction
      ? await placement.advanceTransactions(step(), wanted)
      : points.transaction;
  const allowed = bound < transaction ? bound : transaction;
  const garbage =
    allowed > points.garbage ? await placement.advanceGarbage(step(), allowed) : points.garbage;
  return { transaction, garbage };
}

interface Clearing {
  readonly oldest: Timestamp | undefined;
  readonly cleared: number;
}

/** Clears away what is over of all locks up to `target`, region by region. */
async function clearLocks(
  cluster: Cluster,
  target: Timestamp,
  step: () => Backoff,
): Promise<Clearing> {
  const resolver = new LockResolver(cluster);
  let oldest: Timestamp | undefined;
  let cleared = 0;
  let place: Key = EMPTY_KEY;
  for (;;) {
    const backoff = step();
    const located = await cluster.locatePlace(backoff, place);
    const region = await clearRegion(cluster, resolver, target, located, backoff);
    if (region === undefined) continue;
    cleared += region.cleared;
    oldest = older(oldest, region.oldest);
    place = located.route.region.endKey;
    if (place === EMPTY_KEY) return { oldest, cleared };
  }
}

const older = (a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

/** The same in one region; undefined where it is another one meanwhile. */
async function clearRegion(
  cluster: Cluster,
  resolver: LockResolver,
  target: Timestamp,
  located: Located,
  backoff: Backoff,
): Promise<Clearing | undefined> {
  /** An empty start is that of the region: its bounds need not be keys of transactions. */
  const page = async (startKey: Key): Promise<readonly LockInfo[] | undefined> => {
    for (;;) {
      const sent = await cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
        method: "KvScanLock",
        request: ScanLockRequest.make({ context, maxVersion: target, startKey, limit: PAGE }),
      }));
      if (sent.type === "moved") return undefined;
      const { error, locks } = sent.response;
      if (error === undefined) return locks;
      // It is being written, and will be seen.
      if (error.locked === undefined) throw keyFailure(error);
      await backoff.wait("lock_fast", "a lock is on its way into the log");
    }
  };
  let oldest: Timestamp | undefined;
  let cleared = 0;
  for (let startKey = EMPTY_KEY; ;) {
    const locks = await page(startKey);
    if (locks === undefined) return undefined;
    const last = locks.at(-1);
    if (last === undefined) return { oldest, cleared };
    const { waitMs } = await resolver.resolve(backoff, locks, ZERO_TIMESTAMP);
    const left = waitMs === 0 ? [] : await page(startKey);
    if (left === undefined) return undefined;
    const alive = left.filter(({ key }) => key <= last.key);
    for (const { lockVersion } of alive) oldest = older(oldest, Timestamp(lockVersion));
    cleared += Math.max(0, locks.length - alive.length);
    if (locks.length < PAGE) return { oldest, cleared };
    startKey = keyAfter(last.key);
  }
}
