/** All versions of each key, and the locks on it, in the order of their commit timestamps. */
import type { Access, History, Transaction, Value } from "./history.ts";

export interface Version {
  readonly commitTs: bigint;
  readonly transaction: Transaction;
  /** Its content: these of the timeline's elements. A register has one, a lock changes none. */
  readonly from: number;
  readonly to: number;
  readonly isLock: boolean;
}

export interface Timeline {
  readonly key: string;
  readonly elements: readonly Value[];
  /** In ascending order. */
  readonly versions: readonly Version[];
}

export function timelinesOf(history: History): ReadonlyMap<string, Timeline> {
  const writers = new Map<string, Transaction[]>();
  for (const transaction of history) {
    if (transaction.commitTs === undefined) continue;
    for (const key of heldBy(transaction)) {
      const others = writers.get(key);
      if (others === undefined) writers.set(key, [transaction]);
      else others.push(transaction);
    }
  }
  const timelines = new Map<string, Timeline>();
  for (const [key, all] of writers) timelines.set(key, timelineOf(key, all));
  return timelines;
}

/** What a transaction writes or locks. */
export const heldBy = ({ accesses }: Transaction): ReadonlySet<string> =>
  new Set(accesses.filter(holds).map(({ key }) => key));

const holds = (access: Access): boolean => access.type !== "read" || access.locking;

function timelineOf(key: string, writers: readonly Transaction[]): Timeline {
  const inOrder = [...writers].sort((a, b) => compare(a.commitTs ?? 0n, b.commitTs ?? 0n));
  const elements: Value[] = [];
  let from = 0;
  const versions = inOrder.map((transaction): Version => {
    let isLock = true;
    for (const access of transaction.accesses) {
      if (access.key !== key || access.type === "read") continue;
      if (access.type !== "append") from = elements.length;
      if (access.type !== "remove") elements.push(access.value);
      isLock = false;
    }
    const commitTs = transaction.commitTs ?? 0n;
    return { commitTs, transaction, from, to: elements.length, isLock };
  });
  return { key, elements, versions };
}

/** The newest version at or before `timestamp`. */
export const newestAt = (timeline: Timeline, timestamp: bigint): Version | undefined =>
  timeline.versions[countUntil(timeline, timestamp) - 1];

/** How many versions there are at or before `timestamp`. */
export function countUntil({ versions }: Timeline, timestamp: bigint): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle] as Version).commitTs <= timestamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
