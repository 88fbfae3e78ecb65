/**
 * A run of changes to one B+tree. Nodes of the tree it started from are copied when they are first
 * touched; the copies carry this edit's owner, and are changed in place until `done`.
 */
import { assert } from "./assert.ts";
import { EMPTY_KEY } from "./bytes.ts";
import type { Key } from "./bytes.ts";
import { cut } from "./tree-cut.ts";
import {
  MAX_NODE,
  MIN_NODE,
  Node,
  childAt,
  childIndex,
  countOf,
  divide,
  emptyLeaf,
  insertPair,
  isEntry,
  leafFor,
  lowerBound,
  mend,
  ownedBy,
  valueAt,
} from "./tree-node.ts";
import type { Owner } from "./tree-node.ts";
import type { Edit, Tree } from "./tree.ts";

export class TreeEdit<V> implements Edit<V> {
  private readonly base: Tree<V>;
  private readonly owner: Owner = { open: true };
  private root: Node<V>;
  private size: number;
  /**
   * The way to the last key that was looked for: nodes from the root down, and which child was
   * taken.
   */
  private readonly path: Node<V>[] = [];
  private readonly taken: number[] = [];
  private depth = 0;

  constructor(base: Tree<V>) {
    this.base = base;
    this.root = base.root;
    this.size = base.size;
  }

  get(key: Key): V | undefined {
    this.assertOpen();
    const leaf = leafFor(this.root, key);
    const at = lowerBound(leaf, key);
    return isEntry(leaf, at, key) ? valueAt(leaf, at) : undefined;
  }

  set(key: Key, value: V): V | undefined {
    this.assertOpen();
    const leaf = this.descend(key);
    const at = lowerBound(leaf, key);
    if (isEntry(leaf, at, key)) {
      const before = valueAt(leaf, at);
      if (before !== value) this.owned(this.depth).slots[2 * at + 1] = value;
      return before;
    }
    this.size += 1;
    let grown = leaf;
    if (leaf.owner === this.owner) {
      insertPair<Key | V | Node<V>>(leaf.slots, 2 * at, key, value);
    } else {
      // Copying and inserting at once, so that no array has to grow.
      grown = new Node(this.owner, true, leaf.slots.toSpliced(2 * at, 0, key, value));
      this.replace(this.depth, grown);
    }
    if (countOf(grown) > MAX_NODE) this.split(at);
    return undefined;
  }

  remove(key: Key): V | undefined {
    this.assertOpen();
    const found = this.descend(key);
    const at = lowerBound(found, key);
    if (!isEntry(found, at, key)) return undefined;
    const before = valueAt(found, at);
    this.owned(this.depth).slots.splice(2 * at, 2);
    this.size -= 1;
    let depth = this.depth;
    while (depth > 0 && countOf(this.path[depth]!) < MIN_NODE) {
      depth -= 1;
      const taken = this.taken[depth]!;
      mend(this.owner, this.owned(depth), taken, taken);
    }
    this.dropSingleRoots();
    return before;
  }

  removeRange(start: Key, end: Key): number {
    this.assertOpen();
    if (end !== EMPTY_KEY && start >= end) return 0;
    const rest = cut(this.owner, this.root, start, end === EMPTY_KEY ? undefined : end);
    this.root = countOf(rest.node) === 0 ? emptyLeaf<V>() : rest.node;
    this.size -= rest.removed;
    this.dropSingleRoots();
    return rest.removed;
  }

  done(): Tree<V> {
    this.assertOpen();
    this.owner.open = false;
    return this.root === this.base.root ? this.base : { size: this.size, root: this.root };
  }

  private assertOpen(): void {
    assert(this.owner.open, "an edit is not used after done()");
  }

  /** Goes to the leaf of `key` and remembers the way. */
  private descend(key: Key): Node<V> {
    let node = this.root;
    let depth = 0;
    this.path[0] = node;
    while (!node.isLeaf) {
      const index = childIndex(node, key);
      node = childAt(node, index);
      this.taken[depth] = index;
      depth += 1;
      this.path[depth] = node;
    }
    this.depth = depth;
    return node;
  }

  /** The node at `depth` of the way, made this edit's own with everything above it. */
  private owned(depth: number): Node<V> {
    const node = this.path[depth]!;
    const own = ownedBy(this.owner, node);
    if (own !== node) this.replace(depth, own);
    return own;
  }

  /** Puts `node`, which is this edit's own, in the place of the one at `depth` of the way. */
  private replace(depth: number, node: Node<V>): void {
    this.path[depth] = node;
    if (depth === 0) this.root = node;
    else this.owned(depth - 1).slots[2 * this.taken[depth - 1]!] = node;
  }

  /**
   * Divides the overfull leaf of the way, and whatever becomes overfull above it. What grew at its
   * very end keeps all but the newcomer, so that ascending keys leave full nodes behind; what grew
   * elsewhere is halved.
   */
  private split(grownAt: number): void {
    let at = grownAt;
    for (let depth = this.depth; countOf(this.path[depth]!) > MAX_NODE; depth--) {
      const { left, separator, right } = divide(
        this.owner,
        this.path[depth]!,
        at === MAX_NODE ? MAX_NODE : (MAX_NODE + 1) >>> 1,
      );
      if (depth === 0) {
        this.root = new Node(this.owner, false, [left, separator, right]);
        return;
      }
      const parent = this.owned(depth - 1);
      const index = this.taken[depth - 1]!;
      parent.slots[2 * index] = left;
      insertPair<Key | V | Node<V>>(parent.slots, 2 * index + 1, separator, right);
      at = index + 1;
    }
  }

  private dropSingleRoots(): void {
    while (!this.root.isLeaf && countOf(this.root) === 1) this.root = childAt(this.root, 0);
  }
}
