/**
 * The versions of a list are in the order of its elements: the longest read tells them all, and
 * every other read must be the beginning of it.
 */
import type { Authors } from "./authors.ts";
import { authorOf } from "./authors.ts";
import type { Edge } from "./graph.ts";
import type { Anomaly, Value } from "./history.ts";
import { describeSeen } from "./history.ts";
import type { KeyRead, KeyUse } from "./keys.ts";
import { versionOf } from "./keys.ts";
import type { Part } from "./parts.ts";
import { checkSource, type Findings } from "./sources.ts";

/** Adds the dependencies through a list to `edges`, and what is wrong with it to `anomalies`. */
export function orderList(
  use: KeyUse,
  authors: Authors,
  writing: ReadonlyMap<unknown, Part>,
  { edges, anomalies }: Findings,
): void {
  const whole = longestRead(use, anomalies);
  if (whole === undefined) return;
  const { key } = use;
  const { seen } = whole.read;
  const fitting = use.reads.filter((one) => fits(key, whole, one, anomalies));
  checkElements(key, seen, fitting, authors, anomalies);

  const happened: Written[] = [];
  const before: number[] = [];
  for (const value of seen) {
    before.push(happened.length);
    const author = authorOf(authors, key, value)?.transaction;
    const part = author === undefined ? undefined : writing.get(author);
    if (part !== undefined) happened.push({ part, value });
  }
  before.push(happened.length);
  const unseen = unseenAppends(use, seen);
  orderWrites(key, happened, unseen, edges);
  for (const { part, read } of fitting) {
    const count = before[read.seen.length] as number;
    orderRead(key, part, read.locked, happened, count, unseen, edges);
  }
}

interface Written {
  readonly part: Part;
  readonly value: Value;
}

/** The longest read that holds no element twice. */
function longestRead({ key, reads }: KeyUse, anomalies: Anomaly[]): KeyRead | undefined {
  const byLength = [...reads].sort((a, b) => b.read.seen.length - a.read.seen.length);
  return byLength.find((one) => !isDoubled(key, one, anomalies));
}

function isDoubled(key: string, { part, read }: KeyRead, anomalies: Anomaly[]): boolean {
  const elements = new Set(read.seen);
  if (elements.size === read.seen.length) return false;
  const twice = read.seen.find((value, i) => read.seen.indexOf(value) !== i);
  const text = `${part.transaction.name} reads ${key}: [${read.seen.join(" ")}], with ${twice} twice`;
  anomalies.push({ name: "duplicate", text });
  return true;
}

/** Whether a read is the beginning of the longest one; says so where it is not. */
function fits(key: string, whole: KeyRead, one: KeyRead, anomalies: Anomaly[]): boolean {
  const { seen } = one.read;
  const all = whole.read.seen;
  if (seen.length <= all.length && seen.every((value, i) => value === all[i])) return true;
  if (isDoubled(key, one, anomalies)) return false;
  anomalies.push({
    name: "incompatible order",
    text:
      `${one.part.transaction.name} reads ${key}: [${seen.join(" ")}], ` +
      `but ${whole.part.transaction.name} reads [${all.join(" ")}]`,
  });
  return false;
}

/** Elements nobody appended, or somebody whose transaction did not happen or went on. */
function checkElements(
  key: string,
  seen: readonly Value[],
  reads: readonly KeyRead[],
  authors: Authors,
  anomalies: Anomaly[],
): void {
  const byLength = [...reads].sort((a, b) => a.read.seen.length - b.read.seen.length);
  let next = 0;
  seen.forEach((value, i) => {
    while ((byLength[next]?.read.seen.length ?? Infinity) <= i) next += 1;
    const reader = byLength[next];
    if (reader !== undefined) checkSource(key, value, reader, authors, anomalies);
    checkFoundation(key, value, seen[i + 1], authors, anomalies);
  });
  for (const one of reads) {
    const author = authorOf(authors, key, versionOf(one.read));
    if (author?.overwritten !== true || author.transaction.outcome === "fail") continue;
    const text =
      `${one.part.transaction.name} reads ${key}: ${describeSeen(one.read.seen)}, ` +
      `but ${author.transaction.name} appended more to it`;
    anomalies.push({ name: "G1b", text });
  }
}

function checkFoundation(
  key: string,
  value: Value,
  following: Value | undefined,
  authors: Authors,
  anomalies: Anomaly[],
): void {
  if (following === undefined) return;
  const below = authorOf(authors, key, value)?.transaction;
  const above = authorOf(authors, key, following)?.transaction;
  if (below?.outcome !== "fail" || above === undefined || !authors.committed.has(above)) return;
  const text =
    `${above.name} appends ${following} to ${key} after ${value} of ${below.name}, ` +
    `which did not happen`;
  anomalies.push({ name: "dirty update", text });
}

/** Appends that happened and that the longest read lacks: they come after it, in any order. */
function unseenAppends({ key, writers }: KeyUse, seen: readonly Value[]): readonly Written[] {
  const there = new Set(seen);
  return writers.flatMap((part) => {
    const value = part.writes.get(key)?.find((one) => !there.has(one));
    return value === undefined ? [] : [{ part, value }];
  });
}

function orderWrites(
  key: string,
  happened: readonly Written[],
  unseen: readonly Written[],
  edges: Edge[],
): void {
  const follow = (a: Written, b: Written): void => {
    if (a.part === b.part) return;
    const [from, to] = [a.part.index, b.part.index];
    edges.push({ from, to, kind: "ww", key, before: a.value, after: b.value, free: false });
  };
  happened.forEach((one, i) => {
    const after = happened[i + 1];
    if (after !== undefined) follow(one, after);
  });
  const last = happened.at(-1);
  if (last !== undefined) for (const one of unseen) follow(last, one);
}

/** `count` of the elements that happened were read. */
function orderRead(
  key: string,
  part: Part,
  locked: boolean,
  happened: readonly Written[],
  count: number,
  unseen: readonly Written[],
  edges: Edge[],
): void {
  const last = happened[count - 1];
  const before = last?.value ?? 0;
  if (last !== undefined && last.part !== part) {
    const from = last.part.index;
    edges.push({ from, to: part.index, kind: "wr", key, before, after: before, free: false });
  }
  const next = happened[count];
  for (const one of next === undefined ? unseen : [next]) {
    // Who wrote both sides was read in the middle of its work: that has its own name.
    if (one.part === part || one.part === last?.part) continue;
    const to = one.part.index;
    const after = one.value;
    edges.push({ from: part.index, to, kind: "rw", key, before, after, free: !locked });
  }
}
