/**
 * Reads of what is committed, and no more: each shows a version of its key that was committed at or
 * below its timestamp, and none that is older than what anybody had read before it began. It may
 * miss what is committed but still locked, and two of its keys may be of two instants.
 */
import type { Anomaly, History, Read, Transaction, Value } from "./history.ts";
import { describeAccess } from "./history.ts";
import { type Timeline, timelinesOf } from "./timelines.ts";

/** One such read of some keys. */
export interface CommittedLook {
  /** For people. */
  readonly name: string;
  /** True times in microseconds. */
  readonly begin: number;
  readonly end: number;
  readonly timestamp: bigint;
  readonly reads: readonly Read[];
}

/** A version that somebody knew of at a time. */
interface Sighting {
  readonly end: number;
  readonly key: string;
  readonly value: Value;
  readonly name: string;
}

/** What is wrong with `looks`, given everything that happened beside them. */
export function checkCommittedReads(
  history: History,
  looks: readonly CommittedLook[],
): readonly Anomaly[] {
  const timelines = timelinesOf(history);
  const sightings = [...history.flatMap(sightingsOf), ...looks.flatMap(sightingsOfLook)].sort(
    (a, b) => a.end - b.end,
  );
  const known = new Map<string, { readonly place: number; readonly name: string }>();
  const anomalies: Anomaly[] = [];
  let seen = 0;
  for (const look of [...looks].sort((a, b) => a.begin - b.begin)) {
    for (; seen < sightings.length; seen++) {
      const { end, key, value, name } = sightings[seen] as Sighting;
      if (end >= look.begin) break;
      const place = placeOf(timelines.get(key), value);
      if (place > (known.get(key)?.place ?? -1)) known.set(key, { place, name });
    }
    for (const read of look.reads) {
      const problem = wrongRead(look, read, timelines.get(read.key), known.get(read.key));
      if (problem === undefined) continue;
      const text = `${look.name} ${describeAccess(read)} at ${look.timestamp}, ${problem}`;
      anomalies.push({ name: "wrong version", text });
    }
  }
  return anomalies;
}

function wrongRead(
  look: CommittedLook,
  { seen }: Read,
  timeline: Timeline | undefined,
  known: { readonly place: number; readonly name: string } | undefined,
): string | undefined {
  const last = seen.at(-1);
  if (last === undefined) {
    if (known === undefined || timeline === undefined || isRemoved(timeline)) return undefined;
    return `though ${known.name} had seen something there before`;
  }
  const place = placeOf(timeline, last);
  const version = timeline?.versions[place];
  const content = version === undefined ? [] : timeline?.elements.slice(version.from, version.to);
  const isWhole = content?.length === seen.length && content.every((one, i) => one === seen[i]);
  if (version === undefined || !isWhole) return "which it never held";
  if (version.commitTs > look.timestamp) return `but that was committed at ${version.commitTs}`;
  if (known === undefined || known.place <= place) return undefined;
  return `though ${known.name} had seen a later version before`;
}

/** Whether the key holds nothing again at some time. */
const isRemoved = ({ versions }: Timeline): boolean => versions.some(({ from, to }) => from === to);

/** Which version it is that ends in `value`; -1 where none does. */
const placeOf = (timeline: Timeline | undefined, value: Value): number =>
  timeline?.versions.findIndex(
    ({ from, to }) => from < to && timeline.elements[to - 1] === value,
  ) ?? -1;

/** What a transaction saw of others: its own writes it sees before they are committed. */
function sightingsOf({ name, end, accesses }: Transaction): readonly Sighting[] {
  const own = new Set<Value>();
  const sightings: Sighting[] = [];
  for (const access of accesses) {
    if (access.type !== "read") own.add(access.value);
    else {
      const value = access.seen.findLast((one) => !own.has(one));
      if (value !== undefined) sightings.push({ end, key: access.key, value, name });
    }
  }
  return sightings;
}

const sightingsOfLook = ({ name, end, reads }: CommittedLook): readonly Sighting[] =>
  reads.flatMap(({ key, seen }) => {
    const value = seen.at(-1);
    return value === undefined ? [] : [{ end, key, value, name }];
  });
