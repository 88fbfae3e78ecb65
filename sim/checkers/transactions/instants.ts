/** The timestamps themselves: unique, in the right order, and in that of real time. */
import type { Anomaly, History, Transaction } from "./history.ts";
import type { Timeline } from "./timelines.ts";

export function checkTimestamps(
  history: History,
  timelines: ReadonlyMap<string, Timeline>,
  anomalies: Anomaly[],
): void {
  const add = (text: string): void => {
    anomalies.push({ name: "timestamps", text });
  };
  for (const transaction of history) checkOutcome(transaction, add);
  for (const timeline of timelines.values()) checkUnique(timeline, add);
  checkStarts(history, add);
  checkRealTime(history, add);
  checkCommits(history, add);
}

type Add = (text: string) => void;

function checkOutcome(transaction: Transaction, add: Add): void {
  const { name, outcome, startTs, commitTs, accesses } = transaction;
  if (commitTs === undefined) {
    const wrote = outcome === "ok" && accesses.some(({ type }) => type !== "read");
    if (wrote) add(`${name} was told that it committed, but has no commit timestamp`);
    return;
  }
  if (outcome === "fail") add(`${name} was told that it failed, but committed at ${commitTs}`);
  if (startTs !== undefined && commitTs <= startTs) {
    add(`${name} starts at ${startTs} and commits at ${commitTs}`);
  }
}

/** Transactions that share no key may share a commit timestamp: asynchronous ones compute it. */
function checkUnique({ key, versions }: Timeline, add: Add): void {
  versions.forEach((version, i) => {
    const next = versions[i + 1];
    if (next?.commitTs !== version.commitTs) return;
    const [a, b] = [version.transaction.name, next.transaction.name];
    add(`${a} and ${b} both commit ${key} at ${version.commitTs}`);
  });
}

function checkStarts(history: History, add: Add): void {
  const starts = new Map<bigint, Transaction>();
  for (const transaction of history) {
    const { startTs, stale, name } = transaction;
    if (startTs === undefined || stale) continue;
    const other = starts.get(startTs);
    if (other !== undefined) add(`${other.name} and ${name} both start at ${startTs}`);
    starts.set(startTs, transaction);
  }
}

/** Who begins after another has ended starts above its start, and not below its commit. */
function checkRealTime(history: History, add: Add): void {
  const timely = history.filter(({ stale, startTs }) => !stale && startTs !== undefined);
  const byBegin = [...timely].sort((a, b) => a.begin - b.begin);
  const byEnd = timely.filter(({ end }) => end < Infinity).sort((a, b) => a.end - b.end);
  let started: Transaction | undefined;
  let committed: Transaction | undefined;
  let ended = 0;
  for (const one of byBegin) {
    const startTs = one.startTs ?? 0n;
    for (; ended < byEnd.length; ended++) {
      const last = byEnd[ended] as Transaction;
      if (last.end >= one.begin) break;
      if ((last.startTs ?? 0n) > (started?.startTs ?? -1n)) started = last;
      if ((last.commitTs ?? -1n) > (committed?.commitTs ?? -1n)) committed = last;
    }
    if (started?.startTs !== undefined && startTs <= started.startTs) {
      add(
        `${one.name} starts at ${startTs}, though ${started.name}, which started at ${started.startTs}, had ended before`,
      );
    }
    if (committed?.commitTs !== undefined && startTs < committed.commitTs) {
      add(
        `${one.name} starts at ${startTs}, though ${committed.name} had committed at ${committed.commitTs} before`,
      );
    }
  }
}

/**
 * Who asks for a commit after another has ended commits above its start, and not below its commit:
 * whoever sees the later of two commits that one client made after the other sees both.
 */
function checkCommits(history: History, add: Add): void {
  const committing = history
    .filter(({ asked, commitTs }) => asked < Infinity && commitTs !== undefined)
    .sort((a, b) => a.asked - b.asked);
  const byEnd = history
    .filter(({ end, stale }) => end < Infinity && !stale)
    .sort((a, b) => a.end - b.end);
  let latest: { readonly of: Transaction; readonly timestamp: bigint } | undefined;
  let ended = 0;
  for (const one of committing) {
    for (; ended < byEnd.length; ended++) {
      const last = byEnd[ended] as Transaction;
      if (last.end >= one.asked) break;
      // A calculated timestamp may be one that the oracle grants next: only starts are unique.
      const timestamp = maxOf(last.commitTs, (last.startTs ?? -1n) + 1n);
      if (timestamp > (latest?.timestamp ?? -1n)) latest = { of: last, timestamp };
    }
    if (latest === undefined || (one.commitTs ?? 0n) >= latest.timestamp) continue;
    const { name, startTs, commitTs } = latest.of;
    const other = commitTs === undefined ? `started at ${startTs}` : `committed at ${commitTs}`;
    add(`${one.name} commits at ${one.commitTs}, though ${name}, which ${other}, had ended before`);
  }
}

const maxOf = (a: bigint | undefined, b: bigint): bigint => (a !== undefined && a > b ? a : b);
