/**
 * Isolation, judged by the timestamps that the database itself gives: a read is of the newest
 * version committed at or before its instant, what a transaction writes or locks nobody else
 * commits between its two timestamps, and timestamps go with real time. Stricter than
 * `isolation.ts` and cheaper; but timestamps that lie could satisfy it alone.
 *
 * Whether a transaction of unknown outcome happened must be known by now (an audit of all versions
 * tells): it has a commit timestamp, or it did not.
 */
import type { Anomaly, History, Read, Transaction, Value } from "./history.ts";
import { describeAccess, describeSeen } from "./history.ts";
import { checkTimestamps } from "./instants.ts";
import { countUntil, heldBy, newestAt, type Timeline, timelinesOf } from "./timelines.ts";

/** Everything in `history` that strong snapshot isolation forbids, given its timestamps. */
export function checkSnapshots(history: History): readonly Anomaly[] {
  const anomalies: Anomaly[] = [];
  const timelines = timelinesOf(history);
  checkTimestamps(history, timelines, anomalies);
  for (const transaction of history) {
    checkReads(transaction, timelines, anomalies);
    checkExclusion(transaction, timelines, anomalies);
  }
  return anomalies;
}

/** What a transaction did to a key so far. */
interface Own {
  /** Whether what others wrote is still there. */
  readonly isList: boolean;
  readonly values: Value[];
}

function checkReads(
  transaction: Transaction,
  timelines: ReadonlyMap<string, Timeline>,
  anomalies: Anomaly[],
): void {
  const written = new Map<string, Own>();
  for (const access of transaction.accesses) {
    const own = written.get(access.key);
    if (access.type === "read") {
      const problem = checkRead(transaction, access, own, timelines.get(access.key));
      if (problem !== undefined) anomalies.push(problem);
    } else if (access.type === "append" && own !== undefined) own.values.push(access.value);
    else {
      const values = access.type === "remove" ? [] : [access.value];
      written.set(access.key, { isList: access.type === "append", values });
    }
  }
}

function checkRead(
  transaction: Transaction,
  read: Read,
  own: Own | undefined,
  timeline: Timeline | undefined,
): Anomaly | undefined {
  const { startTs, commitTs, pessimistic } = transaction;
  const locked = pessimistic && (read.locking || own !== undefined);
  // What did not commit is not known to have kept its locks, so nor what they showed.
  const below = locked ? commitTs : startTs === undefined ? undefined : startTs + 1n;
  const covered = own?.isList === false;
  if (!covered && below === undefined) {
    return locked ? checkExistence(transaction, read, own, timeline) : undefined;
  }
  const outside = covered ? [] : contentOf(timeline, below ?? 0n);
  const expected = own === undefined ? outside : [...outside, ...own.values];
  const { seen } = read;
  if (seen.length === expected.length && seen.every((value, i) => value === expected[i])) {
    return undefined;
  }
  const instant = locked ? `commits at ${commitTs}` : `starts at ${startTs}`;
  const text =
    `${transaction.name} ${describeAccess(read)}, but it ${instant}, where ` +
    `${read.key} holds ${describeSeen(expected)}${source(timeline, below ?? 0n)}`;
  return { name: "wrong version", text };
}

/** A lock that may have been lost shows a version of whatever instant, but a version. */
function checkExistence(
  { name }: Transaction,
  read: Read,
  own: Own | undefined,
  timeline: Timeline | undefined,
): Anomaly | undefined {
  const { seen } = read;
  const outside = seen.slice(0, seen.length - (own?.values.length ?? 0));
  const last = outside.at(-1);
  if (last === undefined) return undefined;
  const version = timeline?.versions.findLast(
    ({ from, to }) => from < to && timeline.elements[to - 1] === last,
  );
  const content = version === undefined ? [] : timeline?.elements.slice(version.from, version.to);
  if (content?.length === outside.length && content.every((value, i) => value === outside[i])) {
    return undefined;
  }
  return {
    name: "wrong version",
    text: `${name} ${describeAccess(read)}, which ${read.key} never held`,
  };
}

/** What is under the key just before `below`. */
function contentOf(timeline: Timeline | undefined, below: bigint): readonly Value[] {
  const version = timeline === undefined ? undefined : newestAt(timeline, below - 1n);
  if (timeline === undefined || version === undefined) return [];
  return timeline.elements.slice(version.from, version.to);
}

function source(timeline: Timeline | undefined, below: bigint): string {
  const version = timeline === undefined ? undefined : newestAt(timeline, below - 1n);
  if (version === undefined) return "";
  return `, which ${version.transaction.name} committed at ${version.commitTs}`;
}

/**
 * Between the timestamps of an optimistic transaction nobody else commits a key that it holds, but
 * for a lock beside a lock.
 */
function checkExclusion(
  transaction: Transaction,
  timelines: ReadonlyMap<string, Timeline>,
  anomalies: Anomaly[],
): void {
  const { startTs, commitTs, pessimistic, accesses } = transaction;
  // What a pessimistic transaction holds is held by what its locked reads must see.
  if (startTs === undefined || commitTs === undefined || pessimistic) return;
  for (const key of heldBy(transaction)) {
    const timeline = timelines.get(key);
    if (timeline === undefined) continue;
    const [from, to] = [countUntil(timeline, startTs), countUntil(timeline, commitTs - 1n)];
    const between = timeline.versions.slice(from, to);
    const writes = accesses.some((access) => access.key === key && access.type !== "read");
    const other = between.find(({ isLock }) => !isLock || writes);
    if (other === undefined || other.transaction === transaction) continue;
    const text =
      `${transaction.name} holds ${key} from ${startTs} to ${commitTs}, ` +
      `but ${other.transaction.name} commits it at ${other.commitTs}`;
    anomalies.push({ name: "concurrent writes", text });
  }
}
