/**
 * The nodes of the persistent B+tree, and what can be done to one node or two neighbours.
 *
 * A node may be changed only by the edit whose `Owner` it carries; to everybody else it is a
 * constant. All leaves are at the same depth. A leaf holds entries; a branch holds children, and
 * between each two of them a separator: `keys[i]` is above all keys of `children[i]` and not above
 * any key of `children[i + 1]`.
 */
import type { Key } from "./bytes.ts";

/**
 * Most entries of a leaf, and most children of a branch. 32 was the best of 16 to 128: smaller is
 * deeper, larger is dearer to copy.
 */
export const MAX_NODE = 32;
/** A node that a removal leaves with fewer is joined with a neighbour. */
export const MIN_NODE = 8;

/**
 * The identity of one edit: compared by reference, and kept by its nodes for as long as they live.
 */
export interface Owner {
  /** Until the edit is done. */
  open: boolean;
}

const NO_VALUES: never[] = [];

/**
 * A leaf where `children` is undefined, else a branch. One class, so that every access is
 * monomorphic.
 */
export class Node<V> {
  readonly owner: Owner | undefined;
  /**
   * Of a leaf, the keys of its entries, ascending; of a branch, its separators: one less than
   * children.
   */
  readonly keys: Key[];
  /** `values[i]` belongs to `keys[i]`. Of a branch, empty. */
  readonly values: V[];
  readonly children: Node<V>[] | undefined;

  constructor(owner: Owner | undefined, keys: Key[], values: V[], children: Node<V>[] | undefined) {
    this.owner = owner;
    this.keys = keys;
    this.values = values;
    this.children = children;
  }
}

/** A leaf of these entries. Keeps both arrays. */
export const leafOf = <V>(owner: Owner | undefined, keys: Key[], values: V[]): Node<V> =>
  new Node(owner, keys, values, undefined);

/** A branch of these children. Keeps both arrays. */
export const branchOf = <V>(owner: Owner | undefined, keys: Key[], children: Node<V>[]): Node<V> =>
  new Node(owner, keys, NO_VALUES, children);

/** `node` itself where `owner` may change it, else a copy that `owner` may change. */
export function ownedBy<V>(owner: Owner, node: Node<V>): Node<V> {
  if (node.owner === owner) return node;
  const { keys, values, children } = node;
  return children === undefined
    ? leafOf(owner, keys.slice(), values.slice())
    : branchOf(owner, keys.slice(), children.slice());
}

/** Entries of a leaf, children of a branch. */
export const countOf = <V>(node: Node<V>): number =>
  node.children === undefined ? node.keys.length : node.children.length;

/** All entries below `node`. Touches leaves, not entries. */
export function entriesBelow<V>(node: Node<V>): number {
  if (node.children === undefined) return node.keys.length;
  let count = 0;
  for (const child of node.children) count += entriesBelow(child);
  return count;
}

/** The index of the first of `keys` that is not below `key`; their number where there is none. */
export function lowerBound(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the only child of a branch with these separators that may hold `key`. */
export function childIndex(separators: readonly Key[], key: Key): number {
  let low = 0;
  let high = separators.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key < separators[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The leaf that holds `key` if any below `node` does. */
export function leafFor<V>(node: Node<V>, key: Key): Node<V> {
  let below = node;
  while (below.children !== undefined) {
    below = below.children[childIndex(below.keys, key)]!;
  }
  return below;
}

/**
 * Puts `item` at `index` of `items`, in place. Half the time `splice` takes, which makes an array
 * to return.
 */
export function insertAt<T>(items: T[], index: number, item: T): void {
  const last = items.length;
  items.push(item);
  for (let i = last; i > index; i--) items[i] = items[i - 1]!;
  items[index] = item;
}

/** Two nodes where there was one too many in one, and the separator between them. */
export interface Halves<V> {
  readonly left: Node<V>;
  readonly separator: Key;
  readonly right: Node<V>;
}

/** Divides a node so that the left one has `count` entries or children. */
export function divide<V>(owner: Owner, node: Node<V>, count: number): Halves<V> {
  const { keys, values, children } = node;
  if (children === undefined) {
    return {
      left: leafOf(owner, keys.slice(0, count), values.slice(0, count)),
      separator: keys[count]!,
      right: leafOf(owner, keys.slice(count), values.slice(count)),
    };
  }
  return {
    left: branchOf(owner, keys.slice(0, count - 1), children.slice(0, count)),
    separator: keys[count - 1]!,
    right: branchOf(owner, keys.slice(count), children.slice(count)),
  };
}

/**
 * Brings the children `from` to `to` of `branch`, which is the owner's, to a quarter of a node and
 * more, as far as there are neighbours to do it with.
 */
export function mend<V>(owner: Owner, branch: Node<V>, from: number, to: number): void {
  const children = branch.children!;
  for (let i = Math.min(to, children.length - 1); i >= from && i >= 0; i--) {
    while (children.length > 1 && i < children.length && countOf(children[i]!) < MIN_NODE) {
      join(owner, branch, Math.max(i - 1, 0));
    }
  }
}

/**
 * Makes one node of the children `i` and `i + 1` of `branch`, or two of equal size where one is too
 * small.
 */
function join<V>(owner: Owner, branch: Node<V>, i: number): void {
  const children = branch.children!;
  const left = children[i]!;
  const right = children[i + 1]!;
  const joined =
    left.children === undefined
      ? leafOf(owner, left.keys.concat(right.keys), left.values.concat(right.values))
      : branchOf(
          owner,
          left.keys.concat(branch.keys[i]!, right.keys),
          left.children.concat(right.children!),
        );
  // Children that had no neighbour before may be too small as well, and have one now.
  if (left.children !== undefined) {
    mend(owner, joined, left.children.length - 1, left.children.length);
  }
  const count = countOf(joined);
  if (count <= MAX_NODE) {
    children.splice(i, 2, joined);
    branch.keys.splice(i, 1);
  } else {
    const halves = divide(owner, joined, count >>> 1);
    children[i] = halves.left;
    branch.keys[i] = halves.separator;
    children[i + 1] = halves.right;
  }
}
