/**
 * Sets of cleared ranges: in a memtable a tree from start to end, in a table an ascending array.
 * Both are disjoint; an empty end is no bound.
 */
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import type { Clear } from "../table/types.ts";
import type { Bounds } from "../view.ts";

export const NO_CLEARS: readonly Clear[] = Object.freeze([]);

/** Whether `key` lies in one of the ranges. */
export function isCleared(clears: Tree<Key>, key: Key): boolean {
  const end = tree.floor(clears, key);
  return end !== undefined && (end === EMPTY_KEY || key < end);
}

/** Whether `key` lies in one of the ranges. */
export function isClearedIn(clears: readonly Clear[], key: Key): boolean {
  if (clears.length === 0) return false;
  const clear = clears[lastFrom(clears, key)];
  return clear !== undefined && (clear.end === EMPTY_KEY || key < clear.end);
}

/** `clears` and [start, end), one range where they meet. */
export function withClear(clears: Tree<Key>, start: Key, end: Key): Tree<Key> {
  if (end !== EMPTY_KEY && start >= end) return clears;
  const edit = tree.edit(clears);
  let from = start;
  let to = end;
  const before = tree.seekBefore(clears, start);
  if (start !== EMPTY_KEY && before.valid && reaches(before.value, start)) {
    from = before.key;
    to = furthest(to, before.value);
  }
  for (const cursor = tree.seek(clears, start); cursor.valid; cursor.next()) {
    if (to !== EMPTY_KEY && cursor.key > to) break;
    edit.remove(cursor.key);
    to = furthest(to, cursor.value);
  }
  edit.set(from, to);
  return edit.done();
}

/** The ranges that meet `bounds`, ascending. */
export function clearsWithin(clears: Tree<Key>, { lower, upper }: Bounds): readonly Clear[] {
  if (clears.size === 0) return NO_CLEARS;
  const within: Clear[] = [];
  const before = lower === EMPTY_KEY ? undefined : tree.seekBefore(clears, lower);
  if (before?.valid === true && (before.value === EMPTY_KEY || before.value > lower)) {
    within.push({ start: before.key, end: before.value });
  }
  for (const cursor = tree.seek(clears, lower); cursor.valid; cursor.next()) {
    if (upper !== EMPTY_KEY && cursor.key >= upper) break;
    within.push({ start: cursor.key, end: cursor.value });
  }
  return within;
}

/** All that is in `a` or in `b`, ascending; ranges that meet have become one. */
export function unite(a: readonly Clear[], b: readonly Clear[]): readonly Clear[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const all = [...a, ...b].sort((x, y) => (x.start < y.start ? -1 : x.start > y.start ? 1 : 0));
  const united: Clear[] = [];
  let { start, end } = all[0]!;
  for (const next of all) {
    if (reaches(end, next.start)) {
      end = furthest(end, next.end);
    } else {
      united.push({ start, end });
      ({ start, end } = next);
    }
  }
  united.push({ start, end });
  return united;
}

/**
 * Looks up keys in a set of ranges, quickly where one key is near the one before: it remembers the
 * last range that begins at or before it.
 */
export class ClearFinder {
  private readonly clears: readonly Clear[];
  private at = -1;

  constructor(clears: readonly Clear[]) {
    this.clears = clears;
  }

  /** The range that `key` lies in. */
  covering(key: Key): Clear | undefined {
    const { clears } = this;
    const here = clears[this.at];
    const behind = clears[this.at + 1];
    const isHere =
      (here === undefined || here.start <= key) && (behind === undefined || key < behind.start);
    if (!isHere) this.at = lastFrom(clears, key);
    const clear = clears[this.at];
    if (clear === undefined || (clear.end !== EMPTY_KEY && key >= clear.end)) return undefined;
    return clear;
  }

  /** The range that begins before `key` and reaches it or ends there; empty: the end of all. */
  coveringBefore(key: Key): Clear | undefined {
    const { clears } = this;
    if (key === EMPTY_KEY) {
      const last = clears.at(-1);
      return last?.end === EMPTY_KEY ? last : undefined;
    }
    const at = lastFrom(clears, key);
    const clear = clears[at]?.start === key ? clears[at - 1] : clears[at];
    return clear === undefined || !reaches(clear.end, key) ? undefined : clear;
  }
}

/** Whether a range that ends at `end` meets one that starts at `start`, or nearly. */
const reaches = (end: Key, start: Key): boolean => end === EMPTY_KEY || end >= start;

const furthest = (a: Key, b: Key): Key =>
  a === EMPTY_KEY || b === EMPTY_KEY ? EMPTY_KEY : a > b ? a : b;

/** The index of the last range that starts at or before `key`; -1 where there is none. */
function lastFrom(clears: readonly Clear[], key: Key): number {
  let low = 0;
  let high = clears.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (clears[middle]!.start <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
