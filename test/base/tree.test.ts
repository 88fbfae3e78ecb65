import fc from "fast-check";
import * as assert from "uvu/assert";
import { AssertionError } from "../../engine/base/assert.ts";
import { EMPTY_KEY, keyAfter } from "../../engine/base/bytes.ts";
import type { Key } from "../../engine/base/bytes.ts";
import * as tree from "../../engine/base/tree.ts";
import type { Edit, Tree } from "../../engine/base/tree.ts";
import { suite } from "../harness.ts";
import { checkShape } from "./tree-shape.ts";

const test = suite("tree");

/** Numbers order as the keys made of them. */
const keyOf = (n: number): Key => String.fromCharCode(n >> 8, n & 0xff) as Key;
const KEYS = 4000;
const anyNumber = fc.nat(KEYS - 1);
/** A permutation of the numbers below `count`, so that runs reach every corner of a tree. */
const scattered = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i * 2741 + 17) % count);

/** The naive map that the tree must agree with. */
class Model {
  readonly values = new Map<number, number>();

  get sorted(): (readonly [Key, number])[] {
    return [...this.values]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => [keyOf(key), value] as const);
  }

  removeRange(from: number, to: number): number {
    const before = this.values.size;
    for (const key of this.values.keys()) if (key >= from && key < to) this.values.delete(key);
    return before - this.values.size;
  }
}

type Step = (run: Edit<number>, model: Model) => void;

const setting = fc.tuple(anyNumber, fc.nat()).map(([key, value]): Step => (run, model) => {
  assert.is(run.set(keyOf(key), value), model.values.get(key));
  model.values.set(key, value);
  assert.is(run.get(keyOf(key)), value);
});
const removing = anyNumber.map((key): Step => (run, model) => {
  assert.is(run.remove(keyOf(key)), model.values.get(key));
  model.values.delete(key);
  assert.is(run.get(keyOf(key)), undefined);
});
const removingRange = fc.tuple(anyNumber, anyNumber).map(([from, to]): Step => (run, model) => {
  assert.is(run.removeRange(keyOf(from), keyOf(to)), model.removeRange(from, to));
});
const removingTail = anyNumber.map((from): Step => (run, model) => {
  assert.is(run.removeRange(keyOf(from), EMPTY_KEY), model.removeRange(from, KEYS));
});
const settingMany = fc
  .tuple(anyNumber, fc.nat(600), fc.constantFrom(1, -1, 7, 611))
  .map(([start, count, stride]): Step => (run, model) => {
    for (let i = 0; i < count; i++) {
      const key = (((start + i * stride) % KEYS) + KEYS) % KEYS;
      run.set(keyOf(key), i);
      model.values.set(key, i);
    }
  });
const removingMany = fc
  .tuple(anyNumber, fc.nat(600), fc.constantFrom(1, 3, 611))
  .map(([start, count, stride]): Step => (run, model) => {
    for (let i = 0; i < count; i++) {
      const key = (start + i * stride) % KEYS;
      run.remove(keyOf(key));
      model.values.delete(key);
    }
  });
const anyStep = fc.oneof(
  setting,
  removing,
  removingRange,
  removingTail,
  { arbitrary: settingMany, weight: 3 },
  removingMany,
);
const anyRun = fc.array(anyStep, { maxLength: 8 });

function treeOf(numbers: Iterable<number>): Tree<number> {
  const run = tree.edit(tree.empty<number>());
  for (const number of numbers) run.set(keyOf(number), number);
  return run.done();
}

test("an edit does what a map does, and every snapshot stays as it was taken", () => {
  fc.assert(
    fc.property(fc.array(anyRun, { maxLength: 6 }), (runs) => {
      const model = new Model();
      const snapshots: [Tree<number>, (readonly [Key, number])[]][] = [];
      let current = tree.empty<number>();
      for (const steps of runs) {
        const run = tree.edit(current);
        for (const step of steps) step(run, model);
        current = run.done();
        checkShape(current);
        snapshots.push([current, model.sorted]);
      }
      for (const [snapshot, content] of snapshots) {
        assert.equal([...tree.entries(snapshot)], content);
        checkShape(snapshot);
      }
    }),
    { includeErrorInReport: true, numRuns: 60 },
  );
});

test("single changes give new trees and leave the old ones alone", () => {
  let current = tree.empty<number>();
  const history: Tree<number>[] = [];
  const order = scattered(1000);
  for (const number of order) {
    history.push(current);
    current = tree.set(current, keyOf(number), number);
  }
  for (const number of order) {
    history.push(current);
    current = tree.remove(current, keyOf(number));
  }
  assert.is(current.size, 0);
  for (const [step, snapshot] of history.entries()) {
    const size = step <= 1000 ? step : 2000 - step;
    assert.is(snapshot.size, size);
    if (step % 97 === 0) {
      checkShape(snapshot);
      const live = step <= 1000 ? order.slice(0, step) : order.slice(step - 1000);
      const expected = live.toSorted((a, b) => a - b).map((n) => [keyOf(n), n]);
      assert.equal([...tree.entries(snapshot)], expected);
    }
  }
});

test("get and has find exactly the keys that are there", () => {
  const even = treeOf(scattered(2000).filter((n) => n % 2 === 0));
  for (let n = 0; n < 2000; n++) {
    assert.is(tree.get(even, keyOf(n)), n % 2 === 0 ? n : undefined);
    assert.is(tree.has(even, keyOf(n)), n % 2 === 0);
  }
  assert.is(tree.get(tree.empty(), EMPTY_KEY), undefined);
  assert.not(tree.has(tree.empty(), EMPTY_KEY));
});

test("a value may be undefined, and its key is there all the same", () => {
  const one = tree.set(tree.empty<undefined>(), keyOf(1), undefined);
  assert.ok(tree.has(one, keyOf(1)));
  assert.is(one.size, 1);
  assert.is(tree.remove(one, keyOf(1)).size, 0);
});

test("a change that changes nothing gives the very same tree", () => {
  const full = treeOf(scattered(500));
  assert.is(tree.set(full, keyOf(7), 7), full);
  assert.is(tree.remove(full, keyOf(999)), full);
  assert.is(tree.edit(full).done(), full);
  const run = tree.edit(full);
  assert.is(run.removeRange(keyOf(600), keyOf(700)), 0);
  assert.is(run.removeRange(keyOf(9), keyOf(9)), 0);
  assert.is(run.removeRange(keyOf(9), keyOf(8)), 0);
  assert.is(run.done(), full);
});

test("an edit that is done refuses every further use", () => {
  const run = tree.edit(treeOf([1]));
  run.done();
  assert.throws(
    () => run.set(keyOf(2), 2),
    (e: unknown) => e instanceof AssertionError,
  );
  assert.throws(
    () => run.remove(keyOf(1)),
    (e: unknown) => e instanceof AssertionError,
  );
  assert.throws(
    () => run.done(),
    (e: unknown) => e instanceof AssertionError,
  );
});

test("two edits of one tree do not see each other", () => {
  const base = treeOf(scattered(300));
  const left = tree.edit(base);
  const right = tree.edit(base);
  for (let n = 0; n < 300; n++) {
    left.set(keyOf(n), -1);
    if (n % 3 !== 0) right.remove(keyOf(n));
  }
  assert.is(left.done().size, 300);
  assert.is(right.done().size, 100);
  for (const [key, value] of tree.entries(base)) assert.is(keyOf(value), key);
});

test("a cursor visits every entry once, forwards and backwards, from any place", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyNumber, { maxLength: 300 }), anyNumber, (numbers, from) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      const full = treeOf(numbers);
      const seen: number[] = [];
      const forwards = tree.seek(full, keyOf(from));
      for (; forwards.valid; forwards.next()) seen.push(forwards.value);
      assert.equal(
        seen,
        sorted.filter((n) => n >= from),
      );
      seen.length = 0;
      const backwards = tree.seekBefore(full, keyOf(from));
      for (; backwards.valid; backwards.previous()) seen.push(backwards.value);
      assert.equal(seen, sorted.filter((n) => n < from).toReversed());
    }),
    { includeErrorInReport: true },
  );
});

test("seeking between two keys comes to the nearest entry on the side asked for", () => {
  const even = treeOf(scattered(2000).filter((n) => n % 2 === 0));
  for (let odd = 1; odd < 1999; odd += 2) {
    assert.is(tree.seek(even, keyOf(odd)).value, odd + 1);
    assert.is(tree.seekBefore(even, keyOf(odd)).value, odd - 1);
    assert.is(tree.seek(even, keyOf(odd - 1)).value, odd - 1);
    assert.is(tree.seekBefore(even, keyOf(odd + 1)).value, odd - 1);
  }
});

test("a cursor walked at random stands where an index into the sorted keys stands", () => {
  const numbers = scattered(1500).filter((n) => n % 3 !== 0);
  const sorted = numbers.toSorted((a, b) => a - b);
  const full = treeOf(numbers);
  fc.assert(
    fc.property(fc.nat(1600), fc.array(fc.integer({ min: -120, max: 120 })), (from, walks) => {
      const cursor = tree.seek(full, keyOf(from));
      let index = sorted.findIndex((n) => n >= from);
      if (index < 0) index = sorted.length;
      for (const walk of walks) {
        for (let i = 0; i < Math.abs(walk); i++) {
          if (walk > 0) cursor.next();
          else cursor.previous();
        }
        // Every step is clamped, which for a straight walk is clamping once.
        index = Math.max(-1, Math.min(sorted.length, index + walk));
        assert.is(cursor.valid, index >= 0 && index < sorted.length);
        if (cursor.valid) {
          assert.is(cursor.value, sorted[index]);
          assert.is(cursor.key, keyOf(sorted[index]!));
        }
      }
    }),
    { includeErrorInReport: true },
  );
});

test("seeking before the empty key comes to the last entry, and first to the first", () => {
  const full = treeOf(scattered(900));
  assert.is(tree.seekBefore(full, EMPTY_KEY).value, 899);
  assert.is(tree.first(full).value, 0);
  assert.not(tree.first(tree.empty()).valid);
  assert.not(tree.seekBefore(tree.empty(), EMPTY_KEY).valid);
  const behind = tree.seek(full, keyOf(900));
  assert.not(behind.valid);
  assert.throws(
    () => behind.key,
    (e: unknown) => e instanceof AssertionError,
  );
  behind.previous();
  assert.is(behind.value, 899);
});

test("entries are bounded below inclusively and above exclusively", () => {
  const full = treeOf(scattered(400));
  const values = (start?: Key, end?: Key): number[] =>
    [...tree.entries(full, start, end)].map(([, value]) => value);
  assert.equal(values(keyOf(10), keyOf(13)), [10, 11, 12]);
  assert.equal(values(keyAfter(keyOf(10)), keyAfter(keyOf(12))), [11, 12]);
  assert.equal(values(keyOf(398)), [398, 399]);
  assert.equal(values(keyOf(13), keyOf(10)), []);
  assert.is(values().length, 400);
});

test("a tree built of sorted pairs holds them, and grows and shrinks like any other", () => {
  for (const size of [0, 1, 31, 32, 33, 64, 65, 1024, 1025, 3000]) {
    const pairs = Array.from({ length: size }, (_, n) => [keyOf(n), n] as const);
    const built = tree.fromSorted(pairs);
    assert.equal([...tree.entries(built)], pairs);
    checkShape(built);
    const run = tree.edit(built);
    for (let n = 0; n < size; n += 2) run.remove(keyOf(n));
    run.set(keyOf(size), size);
    const changed = run.done();
    assert.is(changed.size, Math.floor(size / 2) + 1);
    checkShape(changed);
  }
  assert.throws(
    () =>
      tree.fromSorted([
        [keyOf(2), 2],
        [keyOf(2), 2],
      ]),
    (e: unknown) => e instanceof AssertionError,
  );
});

test("ascending keys fill their leaves, and a thinned-out tree gives its leaves back", () => {
  const ascending = treeOf(Array.from({ length: 3200 }, (_, n) => n));
  assert.is(checkShape(ascending).leaves, 100);
  const run = tree.edit(ascending);
  for (const n of scattered(3200)) if (n % 32 !== 0) run.remove(keyOf(n));
  const thin = run.done();
  assert.is(thin.size, 100);
  const { leaves, height } = checkShape(thin);
  assert.ok(leaves <= 100 / 8, `a hundred entries stand in ${leaves} leaves`);
  assert.is(height, 2);
});

test("cutting a range out of the middle leaves no small nodes at the seam", () => {
  const full = treeOf(Array.from({ length: KEYS }, (_, n) => n));
  for (const [from, to] of [
    [1, KEYS - 1],
    [31, KEYS - 33],
    [1023, 2049],
    [0, KEYS - 1],
    [1000, 1001],
  ] as const) {
    const run = tree.edit(full);
    assert.is(run.removeRange(keyOf(from), keyOf(to)), to - from);
    const rest = run.done();
    const { leaves } = checkShape(rest);
    assert.ok(leaves <= Math.ceil(rest.size / 8), `${rest.size} entries in ${leaves} leaves`);
  }
});

test.run();
