/**
 * The versions of a register are known to be ordered only in part: nothing comes first, who read
 * one version and wrote another put it later, and in real time a version that somebody has met is
 * not newer than what is met by whoever begins afterwards.
 */
import type { Authors } from "./authors.ts";
import { authorOf } from "./authors.ts";
import { cyclicComponents } from "./components.ts";
import { frontiers } from "./frontier.ts";
import type { Anomaly, Value } from "./history.ts";
import type { KeyRead, KeyUse } from "./keys.ts";
import { versionOf } from "./keys.ts";
import type { Part } from "./parts.ts";
import { checkSource, type Findings } from "./sources.ts";

/** Adds the dependencies through a register to `edges`, and what is wrong to `anomalies`. */
export function orderRegister(
  use: KeyUse,
  authors: Authors,
  writing: ReadonlyMap<unknown, Part>,
  inRealTime: boolean,
  { edges, anomalies }: Findings,
): void {
  const { key } = use;
  const reads = use.reads.filter((one) => isSound(use, one, authors, anomalies));
  const writerOf = (value: Value): Part | undefined => {
    const author = authorOf(authors, key, value)?.transaction;
    return author === undefined ? undefined : writing.get(author);
  };
  const readers = new Map<Value, KeyRead[]>();
  for (const one of reads) {
    const value = versionOf(one.read);
    const others = readers.get(value);
    if (others === undefined) readers.set(value, [one]);
    else others.push(one);
    const from = writerOf(value);
    if (from === undefined || from === one.part) continue;
    const to = one.part.index;
    edges.push({ from: from.index, to, kind: "wr", key, before: value, after: value, free: false });
  }
  const successors = versionOrder(use, reads, inRealTime);
  if (isCyclic(key, successors, anomalies)) return;
  for (const [before, later] of successors) {
    for (const after of later) {
      const next = writerOf(after);
      if (next === undefined) continue;
      const to = next.index;
      const writer = writerOf(before);
      if (writer !== undefined && writer !== next) {
        edges.push({ from: writer.index, to, kind: "ww", key, before, after, free: false });
      }
      for (const { part, read } of readers.get(before) ?? []) {
        if (part === next) continue;
        const free = !read.locked;
        edges.push({ from: part.index, to, kind: "rw", key, before, after, free });
      }
    }
  }
}

/**
 * Whether a read is of a version that is known, written last by a transaction that happened. Who
 * finds nothing under a key that is removed at times says nothing about when.
 */
function isSound(
  { key, isRemoved }: KeyUse,
  one: KeyRead,
  authors: Authors,
  anomalies: Anomaly[],
): boolean {
  const value = versionOf(one.read);
  if (value === 0) return !isRemoved;
  if (!checkSource(key, value, one, authors, anomalies)) return false;
  const author = authorOf(authors, key, value);
  if (author?.overwritten !== true) return true;
  const text =
    `${one.part.transaction.name} reads ${key}: ${value}, ` +
    `but ${author.transaction.name} overwrote it itself`;
  anomalies.push({ name: "G1b", text });
  return false;
}

/** Which versions are known to come right after each; those without a predecessor after 0. */
type Successors = ReadonlyMap<Value, ReadonlySet<Value>>;

/** What one part met under the key. */
interface Meeting {
  readonly part: Part;
  /** Undefined where it only wrote. */
  readonly read: Value | undefined;
  /** Undefined where it only read. */
  readonly wrote: Value | undefined;
}

function versionOrder(use: KeyUse, reads: readonly KeyRead[], inRealTime: boolean): Successors {
  const successors = new Map<Value, Set<Value>>();
  const preceded = new Set<Value>();
  const follow = (before: Value, after: Value): void => {
    if (before === after) return;
    preceded.add(after);
    const later = successors.get(before) ?? new Set<Value>();
    successors.set(before, later.add(after));
  };
  const meetings = meetingsOf(use, reads);
  for (const { read, wrote } of meetings) {
    if (read !== undefined && wrote !== undefined) follow(read, wrote);
  }
  if (inRealTime) {
    const timely = meetings.filter(({ part }) => !part.transaction.stale);
    frontiers(timely.map(({ part }) => part.transaction)).forEach((before, i) => {
      const { read, wrote } = timely[i] as Meeting;
      for (const j of before) {
        const last = timely[j] as Meeting;
        follow(last.wrote ?? last.read ?? 0, read ?? wrote ?? 0);
      }
    });
  }
  for (const { wrote } of meetings) {
    if (wrote !== undefined && !preceded.has(wrote)) follow(0, wrote);
  }
  return successors;
}

function meetingsOf({ key, writers }: KeyUse, reads: readonly KeyRead[]): readonly Meeting[] {
  const meetings = new Map<Part, Meeting>();
  for (const { part, read } of reads) {
    meetings.set(part, { part, read: versionOf(read), wrote: undefined });
  }
  for (const part of writers) {
    const read = meetings.get(part)?.read;
    meetings.set(part, { part, read, wrote: part.writes.get(key)?.at(-1) });
  }
  return [...meetings.values()];
}

function isCyclic(key: string, successors: Successors, anomalies: Anomaly[]): boolean {
  const values = new Set(successors.keys());
  for (const later of successors.values()) for (const value of later) values.add(value);
  const all = [...values];
  const place = new Map(all.map((value, i) => [value, i]));
  const ways = all.map((value) => [...(successors.get(value) ?? [])]);
  const [cycle] = cyclicComponents({
    size: all.length,
    degree: (node) => ways[node]?.length ?? 0,
    target: (node, i) => place.get(ways[node]?.[i] ?? -1) ?? -1,
  });
  if (cycle === undefined) return false;
  const versions = cycle.map((i) => (all[i] === 0 ? "nothing" : String(all[i]))).join(", ");
  const text = `of the versions of ${key} each of these comes before each: ${versions}`;
  anomalies.push({ name: "cyclic versions", text });
  return true;
}
