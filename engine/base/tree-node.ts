/**
 * The nodes of the persistent B+tree, and what can be done to one node or two neighbours.
 *
 * A node may be changed only by the edit whose `Owner` it carries; to everybody else it is a
 * constant. All leaves are at the same depth. What a node holds stands in one array, as copying is
 * what writes are spent on:
 *
 *   leaf     key, value, key, value, ...             keys ascend
 *   branch   child, separator, child, ..., child     a separator is above all keys of the child
 *                                                    before it and not above any of the one behind
 */
import type { Key } from "./bytes.ts";

/** Most entries of a leaf, and most children of a branch. */
export const MAX_NODE = 32;
/** A node that a removal leaves with fewer is joined with a neighbour. */
export const MIN_NODE = 8;

/** The identity of one edit: compared by reference, and kept by its nodes while they live. */
export interface Owner {
  /** Until the edit is done. */
  open: boolean;
}

type Slot<V> = Key | V | Node<V>;

/** One class for leaves and branches, so that every access is monomorphic. */
export class Node<V> {
  readonly owner: Owner | undefined;
  readonly isLeaf: boolean;
  readonly slots: Slot<V>[];

  constructor(owner: Owner | undefined, isLeaf: boolean, slots: Slot<V>[]) {
    this.owner = owner;
    this.isLeaf = isLeaf;
    this.slots = slots;
  }
}

/** The key of entry `i` of a leaf. */
export const keyAt = <V>(leaf: Node<V>, i: number): Key => leaf.slots[2 * i] as Key;
/** The value of entry `i` of a leaf. */
export const valueAt = <V>(leaf: Node<V>, i: number): V => leaf.slots[2 * i + 1] as V;
/** Child `i` of a branch. */
export const childAt = <V>(branch: Node<V>, i: number): Node<V> => branch.slots[2 * i] as Node<V>;
/** The separator of a branch between its children `i` and `i + 1`. */
export const separatorAt = <V>(branch: Node<V>, i: number): Key => branch.slots[2 * i + 1] as Key;
/** Entries of a leaf, children of a branch. */
export const countOf = <V>(node: Node<V>): number => (node.slots.length + 1) >>> 1;

export const emptyLeaf = <V>(): Node<V> => new Node<V>(undefined, true, []);

/** `node` itself where `owner` may change it, else a copy that `owner` may change. */
export const ownedBy = <V>(owner: Owner, node: Node<V>): Node<V> =>
  node.owner === owner ? node : new Node(owner, node.isLeaf, node.slots.slice());

/** All entries below `node`. Touches leaves, not entries. */
export function entriesBelow<V>(node: Node<V>): number {
  if (node.isLeaf) return countOf(node);
  let count = 0;
  for (let i = 0; i < countOf(node); i++) count += entriesBelow(childAt(node, i));
  return count;
}

/** The index of the first entry of `leaf` not below `key`; their number where there is none. */
export function lowerBound<V>(leaf: Node<V>, key: Key): number {
  const { slots } = leaf;
  let low = 0;
  let high = slots.length >>> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[2 * middle] as Key) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the only child of `branch` that may hold `key`. */
export function childIndex<V>(branch: Node<V>, key: Key): number {
  const { slots } = branch;
  let low = 0;
  let high = slots.length >>> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key < (slots[2 * middle + 1] as Key)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The leaf that holds `key` if any below `node` does. */
export function leafFor<V>(node: Node<V>, key: Key): Node<V> {
  let below = node;
  while (!below.isLeaf) below = childAt(below, childIndex(below, key));
  return below;
}

/** Whether entry `i` of `leaf` exists and has this key. */
export const isEntry = <V>(leaf: Node<V>, i: number, key: Key): boolean =>
  2 * i < leaf.slots.length && leaf.slots[2 * i] === key;

/**
 * Puts two items into `slots` before index `at`, in place. Half the time of `splice`, which makes
 * an array to return.
 */
export function insertPair<T>(slots: T[], at: number, first: T, second: T): void {
  const last = slots.length - 1;
  slots.push(first, second);
  for (let i = last; i >= at; i--) slots[i + 2] = slots[i]!;
  slots[at] = first;
  slots[at + 1] = second;
}

/** Two nodes where there was one too many in one, and the separator between them. */
export interface Halves<V> {
  readonly left: Node<V>;
  readonly separator: Key;
  readonly right: Node<V>;
}

/** Divides a node so that the left one has `count` entries or children. */
export function divide<V>(owner: Owner, node: Node<V>, count: number): Halves<V> {
  const { isLeaf, slots } = node;
  // The key that separates two leaves stays in the right one; a branch's separator moves up.
  const end = isLeaf ? 2 * count : 2 * count - 1;
  return {
    left: new Node(owner, isLeaf, slots.slice(0, end)),
    separator: slots[end] as Key,
    right: new Node(owner, isLeaf, slots.slice(2 * count)),
  };
}

/**
 * Brings the children `from` to `to` of `branch`, which is the owner's, to a quarter of a node and
 * more, as far as there are neighbours to do it with.
 */
export function mend<V>(owner: Owner, branch: Node<V>, from: number, to: number): void {
  for (let i = Math.min(to, countOf(branch) - 1); i >= from && i >= 0; i--) {
    while (i < countOf(branch) && countOf(branch) > 1 && countOf(childAt(branch, i)) < MIN_NODE) {
      join(owner, branch, Math.max(i - 1, 0));
    }
  }
}

/** Makes one node of children `i` and `i + 1`, or two of equal size where one is too small. */
function join<V>(owner: Owner, branch: Node<V>, i: number): void {
  const left = childAt(branch, i);
  const right = childAt(branch, i + 1);
  const middle = left.isLeaf ? [] : [separatorAt(branch, i)];
  const joined = new Node<V>(owner, left.isLeaf, [...left.slots, ...middle, ...right.slots]);
  // Children that had no neighbour before may be too small as well, and have one now.
  if (!left.isLeaf) mend(owner, joined, countOf(left) - 1, countOf(left));
  const count = countOf(joined);
  if (count <= MAX_NODE) {
    branch.slots.splice(2 * i, 3, joined);
  } else {
    const halves = divide(owner, joined, count >>> 1);
    branch.slots.splice(2 * i, 3, halves.left, halves.separator, halves.right);
  }
}
