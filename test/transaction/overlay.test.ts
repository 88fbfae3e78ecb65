import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import * as tree from "../../engine/base/tree.ts";
import type { KvCursor, KvView } from "../../engine/storage/view.ts";
import { withLocks } from "../../engine/transaction/overlay.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: locks in memory over data");

const treeOf = (keys: readonly string[], mark: number): tree.Tree<Uint8Array> =>
  tree.fromSorted([...new Set(keys)].sort().map((key) => [key as Key, Uint8Array.of(mark)]));

/** A view of lock records. */
function viewOf(records: tree.Tree<Uint8Array>): KvView {
  return {
    get: (_, key) => tree.get(records, key),
    first: (_, prefix, rest) => {
      const found = tree.ceiling(records, (prefix + rest) as Key);
      if (found?.key.startsWith(prefix) !== true) return undefined;
      return { rest: found.key.slice(prefix.length) as Key, value: found.value };
    },
    cursor: (_, { lower, upper }) => {
      const within = [...tree.entries(records, lower, upper)];
      const inside = tree.fromSorted(within);
      let at = tree.first(tree.empty<Uint8Array>());
      const cursor: KvCursor = {
        get valid() {
          return at.valid;
        },
        get key() {
          return at.key;
        },
        get value() {
          return at.value;
        },
        seek: (key) => (at = tree.seek(inside, key)),
        seekBefore: (key) => (at = tree.seekBefore(inside, key)),
        next: () => at.next(),
        previous: () => at.previous(),
      };
      return cursor;
    },
  };
}

const letter = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const letters = fc.array(letter, { maxLength: 6 });
const bound = fc.oneof(fc.constant(""), letter);
const move = fc.oneof(
  fc.record({ to: fc.constantFrom("seek" as const, "seekBefore" as const), key: bound }),
  fc.record({ to: fc.constantFrom("next" as const, "previous" as const), key: fc.constant("") }),
);

test("cursor and get see both as if they were one, memory first", () => {
  fc.assert(
    fc.property(
      letters,
      letters,
      fc.tuple(bound, bound).filter(([lower, upper]) => upper === "" || lower <= upper),
      fc.array(move, { maxLength: 20 }),
      (written, held, [lower, upper], moves) => {
        const [data, locks] = [treeOf(written, 0), treeOf(held, 1)];
        const run = tree.edit(data);
        for (const [key, value] of tree.entries(locks)) run.set(key, value);
        const model = viewOf(run.done());
        const view = withLocks(viewOf(data), locks);
        const bounds = { lower: lower as Key, upper: upper as Key };
        const [a, b] = [view.cursor("lock", bounds), model.cursor("lock", bounds)];
        for (const { to, key } of moves) {
          if (to === "next" || to === "previous") {
            if (!b.valid) continue;
            a[to]();
            b[to]();
          } else {
            a[to](key as Key);
            b[to](key as Key);
          }
          assert.is(a.valid, b.valid);
          if (b.valid) assert.equal([a.key, a.value], [b.key, b.value]);
        }
        for (const key of "abcdefgh") {
          assert.equal(view.get("lock", key as Key), model.get("lock", key as Key));
          assert.equal(view.get("write", key as Key), tree.get(data, key as Key));
        }
      },
    ),
    { includeErrorInReport: true, numRuns: 500 },
  );
});

test("without locks in memory nothing lies between", () => {
  const view = viewOf(treeOf(["a"], 0));
  assert.is(withLocks(view, tree.empty()), view);
  assert.ok(
    withLocks(view, treeOf(["b"], 1)).cursor("write", { lower: EMPTY_KEY, upper: EMPTY_KEY }),
  );
});

test.run();
