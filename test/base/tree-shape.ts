/** Checks that a tree is a sound B+tree: sorted, balanced, within bounds, counted right. */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { MAX_NODE } from "../../engine/base/tree-node.ts";
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
    const { keys, children } = node;
    for (const [i, key] of keys.entries()) {
      assert.ok(i === 0 || keys[i - 1]! < key, "keys of a node ascend");
      assert.ok(low === undefined || low <= key, "no key is below its separator");
      assert.ok(high === undefined || key < high, "every key is below the next separator");
    }
    if (children === undefined) {
      assert.is(node.values.length, keys.length, "each entry has a key and a value");
      assert.ok(depth === 0 || keys.length > 0, "only the root may be an empty leaf");
      assert.ok(keys.length <= MAX_NODE, "no leaf is overfull");
      depths.add(depth);
      size += keys.length;
      leaves += 1;
      return;
    }
    assert.ok(children.length > (depth === 0 ? 1 : 0), "a branch has children, a root has two");
    assert.is(keys.length, children.length - 1, "a separator stands between each two children");
    assert.ok(children.length <= MAX_NODE, "no branch is overfull");
    for (const [i, child] of children.entries()) {
      check(child, depth + 1, i === 0 ? low : keys[i - 1]!, keys[i] ?? high);
    }
  };
  check(tree.root, 0, undefined, undefined);
  assert.is(depths.size, 1, "all leaves are at the same depth");
  assert.is(tree.size, size, "the size counts the entries");
  return { height: [...depths][0]! + 1, leaves };
}
