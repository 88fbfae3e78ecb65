/**
 * Removing a range from the B+tree: whole subtrees between the two ends of the range are dropped
 * unread (but for counting), so the work is that of two point removals and the count.
 */
import type { Key } from "./bytes.ts";
import {
  Node,
  childAt,
  childIndex,
  countOf,
  entriesBelow,
  lowerBound,
  mend,
  separatorAt,
} from "./tree-node.ts";
import type { Owner } from "./tree-node.ts";

/** What is left of a subtree. */
export interface Cut<V> {
  /** The very same node where nothing was removed; without entries or children where all was. */
  readonly node: Node<V>;
  readonly removed: number;
}

/** Removes [start, end) below `node`; where a bound is undefined, everything on that side. */
export function cut<V>(
  owner: Owner,
  node: Node<V>,
  start: Key | undefined,
  end: Key | undefined,
): Cut<V> {
  return node.isLeaf ? cutLeaf(owner, node, start, end) : cutBranch(owner, node, start, end);
}

function cutLeaf<V>(
  owner: Owner,
  leaf: Node<V>,
  start: Key | undefined,
  end: Key | undefined,
): Cut<V> {
  const from = start === undefined ? 0 : lowerBound(leaf, start);
  const to = end === undefined ? countOf(leaf) : lowerBound(leaf, end);
  if (from >= to) return { node: leaf, removed: 0 };
  const slots = leaf.slots.toSpliced(2 * from, 2 * (to - from));
  return { node: new Node(owner, true, slots), removed: to - from };
}

function cutBranch<V>(
  owner: Owner,
  branch: Node<V>,
  start: Key | undefined,
  end: Key | undefined,
): Cut<V> {
  const from = start === undefined ? 0 : childIndex(branch, start);
  const to = end === undefined ? countOf(branch) - 1 : childIndex(branch, end);
  const kept: Node<V>["slots"] = [];
  const keep = (child: Node<V>, index: number): void => {
    if (child.slots.length === 0) return;
    if (kept.length > 0) kept.push(separatorAt(branch, index - 1));
    kept.push(child);
  };
  let removed = 0;
  for (let i = 0; i < countOf(branch); i++) {
    const child = childAt(branch, i);
    if (i < from || i > to) {
      keep(child, i);
    } else if (i > from && i < to) {
      removed += entriesBelow(child);
    } else {
      const rest = cut(owner, child, i === from ? start : undefined, i === to ? end : undefined);
      removed += rest.removed;
      keep(rest.node, i);
    }
  }
  if (removed === 0) return { node: branch, removed };
  const node = new Node<V>(owner, false, kept);
  mend(owner, node, from, from + 1);
  return { node, removed };
}
