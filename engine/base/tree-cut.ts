/**
 * Removing a range from the B+tree: whole subtrees between the two ends of the range are dropped
 * unread (but for counting), so the work is that of two point removals and the count.
 */
import type { Key } from "./bytes.ts";
import { branchOf, childIndex, entriesBelow, leafOf, lowerBound, mend } from "./tree-node.ts";
import type { Node, Owner } from "./tree-node.ts";

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
  return node.children === undefined
    ? cutLeaf(owner, node, start, end)
    : cutBranch(owner, node, node.children, start, end);
}

function cutLeaf<V>(
  owner: Owner,
  leaf: Node<V>,
  start: Key | undefined,
  end: Key | undefined,
): Cut<V> {
  const { keys, values } = leaf;
  const from = start === undefined ? 0 : lowerBound(keys, start);
  const to = end === undefined ? keys.length : lowerBound(keys, end);
  if (from >= to) return { node: leaf, removed: 0 };
  return {
    node: leafOf(owner, keys.toSpliced(from, to - from), values.toSpliced(from, to - from)),
    removed: to - from,
  };
}

function cutBranch<V>(
  owner: Owner,
  branch: Node<V>,
  children: readonly Node<V>[],
  start: Key | undefined,
  end: Key | undefined,
): Cut<V> {
  const from = start === undefined ? 0 : childIndex(branch.keys, start);
  const to = end === undefined ? children.length - 1 : childIndex(branch.keys, end);
  const keptKeys: Key[] = [];
  const kept: Node<V>[] = [];
  const keep = (child: Node<V>, index: number): void => {
    if (child.keys.length === 0 && (child.children?.length ?? 0) === 0) return;
    if (kept.length > 0) keptKeys.push(branch.keys[index - 1]!);
    kept.push(child);
  };
  let removed = 0;
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
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
  const node = branchOf(owner, keptKeys, kept);
  mend(owner, node, from, from + 1);
  return { node, removed };
}
