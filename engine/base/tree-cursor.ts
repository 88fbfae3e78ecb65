/** A place in one B+tree, and walking from entry to entry both ways. */
import { assert } from "./assert.ts";
import type { Key } from "./bytes.ts";
import { childAt, childIndex, countOf, keyAt, lowerBound, valueAt } from "./tree-node.ts";
import type { Node } from "./tree-node.ts";
import type { Cursor } from "./tree.ts";

export class TreeCursor<V> implements Cursor<V> {
  /** The branches from the root down to the leaf, and which child was taken in each. */
  private readonly branches: Node<V>[] = [];
  private readonly taken: number[] = [];
  private leaf: Node<V>;
  /** -1 before the first entry of all, the leaf's length behind the last one. */
  private at = 0;

  /** Stands at the first entry that is not below `key`, or behind the last. */
  constructor(root: Node<V>, key: Key) {
    let node = root;
    while (!node.isLeaf) {
      const index = childIndex(node, key);
      this.branches.push(node);
      this.taken.push(index);
      node = childAt(node, index);
    }
    this.leaf = node;
    this.at = lowerBound(node, key);
    if (this.at === countOf(node)) this.turn(1);
  }

  get valid(): boolean {
    return this.at >= 0 && this.at < countOf(this.leaf);
  }

  get key(): Key {
    assert(this.valid, "only a cursor at an entry has a key");
    return keyAt(this.leaf, this.at);
  }

  get value(): V {
    assert(this.valid, "only a cursor at an entry has a value");
    return valueAt(this.leaf, this.at);
  }

  next(): void {
    if (this.at < countOf(this.leaf) - 1) this.at += 1;
    else if (!this.turn(1)) this.at = countOf(this.leaf);
  }

  previous(): void {
    if (this.at > 0) this.at -= 1;
    else if (!this.turn(-1)) this.at = -1;
  }

  /** Goes behind the last entry of all. */
  toEnd(): void {
    let node = this.branches[0] ?? this.leaf;
    for (let depth = 0; !node.isLeaf; depth++) {
      const index = countOf(node) - 1;
      this.branches[depth] = node;
      this.taken[depth] = index;
      node = childAt(node, index);
    }
    this.leaf = node;
    this.at = countOf(node);
  }

  /** Goes to the near end of the next leaf (`step` 1) or the one before (-1), if there is one. */
  private turn(step: 1 | -1): boolean {
    let depth = this.branches.length - 1;
    while (depth >= 0) {
      const sibling = this.taken[depth]! + step;
      if (sibling >= 0 && sibling < countOf(this.branches[depth]!)) break;
      depth -= 1;
    }
    if (depth < 0) return false;
    this.taken[depth]! += step;
    let node = childAt(this.branches[depth]!, this.taken[depth]!);
    while (!node.isLeaf) {
      depth += 1;
      const index = step === 1 ? 0 : countOf(node) - 1;
      this.branches[depth] = node;
      this.taken[depth] = index;
      node = childAt(node, index);
    }
    this.leaf = node;
    this.at = step === 1 ? 0 : countOf(node) - 1;
    return true;
  }
}
