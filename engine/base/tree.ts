/**
 * The persistent ordered map of the whole engine: a B+tree over byte-string keys with path copying.
 *
 * A `Tree` is a value: keeping a reference is taking a snapshot, and costs nothing. Single changes
 * return a new tree that shares all untouched nodes with the old one; a run of changes goes through
 * `edit`, which copies a node at most once. See docs/design/001-base-and-tree.md.
 */
import { assert } from "./assert.ts";
import { EMPTY_KEY } from "./bytes.ts";
import type { Key } from "./bytes.ts";
import { TreeCursor } from "./tree-cursor.ts";
import { TreeEdit } from "./tree-edit.ts";
import {
  MAX_NODE,
  Node,
  childAt,
  childIndex,
  countOf,
  emptyLeaf,
  isEntry,
  keyAt,
  leafFor,
  lowerBound,
  valueAt,
} from "./tree-node.ts";

/** An immutable ordered map. Only the functions of this file look inside. */
export interface Tree<out V> {
  /** How many entries. */
  readonly size: number;
  readonly root: Node<V>;
}

/** Changes to one tree that become visible together. Values are kept, never copied. */
export interface Edit<V> {
  get(key: Key): V | undefined;
  /** Returns the value that was there before. */
  set(key: Key, value: V): V | undefined;
  /** Returns the value that was there before. */
  remove(key: Key): V | undefined;
  /** Removes [start, end); an empty end is no bound. Returns how many. Drops whole subtrees. */
  removeRange(start: Key, end: Key): number;
  /**
   * Ends the edit: the new tree, or the very tree it began with where nothing changed. The edit
   * must not be used afterwards.
   */
  done(): Tree<V>;
}

/**
 * A position in one tree: at an entry, before the first, or behind the last. Valid for ever (trees
 * are values). Stepping out at either end and back in comes to the entry at that end.
 */
export interface Cursor<V> {
  /** Whether it stands at an entry; only then `key` and `value` may be read. */
  readonly valid: boolean;
  readonly key: Key;
  readonly value: V;
  next(): void;
  previous(): void;
}

export function empty<V>(): Tree<V> {
  return { size: 0, root: emptyLeaf() };
}

export function get<V>(tree: Tree<V>, key: Key): V | undefined {
  const leaf = leafFor(tree.root, key);
  const at = lowerBound(leaf, key);
  return isEntry(leaf, at, key) ? valueAt(leaf, at) : undefined;
}

export function has<V>(tree: Tree<V>, key: Key): boolean {
  const leaf = leafFor(tree.root, key);
  return isEntry(leaf, lowerBound(leaf, key), key);
}

/** The value at the last key <= `key`, or undefined where there is none. */
export function floor<V>(tree: Tree<V>, key: Key): V | undefined {
  return tree.size === 0 ? undefined : floorBelow(tree.root, key);
}

function floorBelow<V>(node: Node<V>, key: Key): V | undefined {
  if (node.isLeaf) {
    const at = lowerBound(node, key);
    if (isEntry(node, at, key)) return valueAt(node, at);
    return at === 0 ? undefined : valueAt(node, at - 1);
  }
  const index = childIndex(node, key);
  const found = floorBelow(childAt(node, index), key);
  // A key between a separator and the first key behind it has its floor before the separator.
  return found === undefined && index > 0 ? lastBelow(childAt(node, index - 1)) : found;
}

function lastBelow<V>(node: Node<V>): V {
  let below = node;
  while (!below.isLeaf) below = childAt(below, countOf(below) - 1);
  return valueAt(below, countOf(below) - 1);
}

/** The first entry at or behind `key`, or undefined where there is none. */
export function ceiling<V>(
  tree: Tree<V>,
  key: Key,
): { readonly key: Key; readonly value: V } | undefined {
  if (tree.size === 0) return undefined;
  const leaf = leafFor(tree.root, key);
  const at = lowerBound(leaf, key);
  if (at < countOf(leaf)) return { key: keyAt(leaf, at), value: valueAt(leaf, at) };
  // Behind the last of its leaf: the next leaf begins with it.
  const cursor = new TreeCursor(tree.root, key);
  return cursor.valid ? { key: cursor.key, value: cursor.value } : undefined;
}

/** `tree` with `value` at `key`; the very same tree where it is there already. */
export function set<V>(tree: Tree<V>, key: Key, value: V): Tree<V> {
  const run = new TreeEdit(tree);
  run.set(key, value);
  return run.done();
}

/** `tree` without `key`; the very same tree where it is absent. */
export function remove<V>(tree: Tree<V>, key: Key): Tree<V> {
  const run = new TreeEdit(tree);
  run.remove(key);
  return run.done();
}

export function edit<V>(tree: Tree<V>): Edit<V> {
  return new TreeEdit(tree);
}

/** A cursor at the first key >= `key`. */
export function seek<V>(tree: Tree<V>, key: Key): Cursor<V> {
  return new TreeCursor(tree.root, key);
}

/** A cursor at the last key < `key`; an empty key is no bound. */
export function seekBefore<V>(tree: Tree<V>, key: Key): Cursor<V> {
  const cursor = new TreeCursor(tree.root, key);
  if (key === EMPTY_KEY) cursor.toEnd();
  cursor.previous();
  return cursor;
}

/** A cursor at the smallest key. */
export function first<V>(tree: Tree<V>): Cursor<V> {
  return new TreeCursor(tree.root, EMPTY_KEY);
}

/** The entries of [start, end) in ascending order; an empty end is no bound. */
export function* entries<V>(
  tree: Tree<V>,
  start: Key = EMPTY_KEY,
  end: Key = EMPTY_KEY,
): IterableIterator<readonly [Key, V]> {
  for (const cursor = seek(tree, start); cursor.valid; cursor.next()) {
    const key = cursor.key;
    if (end !== EMPTY_KEY && key >= end) return;
    yield [key, cursor.value];
  }
}

/** Builds a tree from strictly ascending pairs, in linear time. */
export function fromSorted<V>(pairs: Iterable<readonly [Key, V]>): Tree<V> {
  const slots: Node<V>["slots"] = [];
  let last: Key | undefined;
  for (const [key, value] of pairs) {
    assert(last === undefined || last < key, "sorted keys ascend strictly");
    slots.push(key, value);
    last = key;
  }
  if (last === undefined) return empty();
  const size = slots.length / 2;
  let level: Built<V>[] = portions(size).map(([from, to]) => ({
    node: new Node(undefined, true, slots.slice(2 * from, 2 * to)),
    lowest: slots[2 * from] as Key,
  }));
  while (level.length > 1) level = branchesOver(level);
  return { size, root: level[0]!.node };
}

/** A subtree under construction, with the smallest key in it. */
interface Built<V> {
  readonly node: Node<V>;
  readonly lowest: Key;
}

function branchesOver<V>(below: readonly Built<V>[]): Built<V>[] {
  return portions(below.length).map(([from, to]) => {
    const slots: Node<V>["slots"] = [below[from]!.node];
    for (let i = from + 1; i < to; i++) slots.push(below[i]!.lowest, below[i]!.node);
    return { node: new Node(undefined, false, slots), lowest: below[from]!.lowest };
  });
}

/** Cuts [0, count) into as few ranges as nodes need, of sizes that differ by one at most. */
function portions(count: number): (readonly [number, number])[] {
  const parts = Math.ceil(count / MAX_NODE);
  return Array.from({ length: parts }, (_, i) => [
    Math.floor((i * count) / parts),
    Math.floor(((i + 1) * count) / parts),
  ]);
}
