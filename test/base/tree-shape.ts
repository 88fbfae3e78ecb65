/** Checks that a tree is a sound B+tree: sorted, balanced, within bounds, counted right. */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { MAX_NODE, childAt, countOf, keyAt, separatorAt } from "../../engine/base/tree-node.ts";
import type { Node } from "../../engine/base/tree-node.ts";
import type { Tree } from "../../engine/base/tree.ts";

export interface Shape {
  readonly height: number;
  readonly leaves: number;
}

export function checkShape<V>(tree: Tree<V>): Shape {
  const depths = new Set<number>();
  let size = 0;
  let leaves = 0;
  const check = (
    node: Node<V>,
    depth: number,
    low: Key | undefined,
    high: Key | undefined,
  ): void => {
    const count = countOf(node);
    const keys = Array.from({ length: node.isLeaf ? count : count - 1 }, (_, i) =>
      node.isLeaf ? keyAt(node, i) : separatorAt(node, i),
    );
    for (const [i, key] of keys.entries()) {
      assert.ok(i === 0 || keys[i - 1]! < key, "keys of a node ascend");
      assert.ok(low === undefined || low <= key, "no key is below its separator");
      assert.ok(high === undefined || key < high, "every key is below the next separator");
    }
    assert.ok(count <= MAX_NODE, "no node is overfull");
    if (node.isLeaf) {
      assert.is(node.slots.length, 2 * count, "each entry has a key and a value");
      assert.ok(depth === 0 || count > 0, "only the root may be an empty leaf");
      depths.add(depth);
      size += count;
      leaves += 1;
      return;
    }
    assert.is(node.slots.length, 2 * count - 1, "a separator stands between each two children");
    assert.ok(count > (depth === 0 ? 1 : 0), "a branch has children, a root has two");
    for (let i = 0; i < count; i++) {
      check(childAt(node, i), depth + 1, i === 0 ? low : keys[i - 1]!, keys[i] ?? high);
    }
  };
  check(tree.root, 0, undefined, undefined);
  assert.is(depths.size, 1, "all leaves are at the same depth");
  assert.is(tree.size, size, "the size counts the entries");
  return { height: [...depths][0]! + 1, leaves };
}
