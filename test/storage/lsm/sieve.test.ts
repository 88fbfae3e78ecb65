import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../../engine/base/bytes.ts";
import { Sieve } from "../../../engine/storage/lsm/memtable/sieve.ts";
import { emptyMemtable, MemtableEdit } from "../../../engine/storage/lsm/memtable/memtable.ts";
import { emptyVersion, lookUp, NO_TABLES } from "../../../engine/storage/lsm/reading/stack.ts";
import { suite } from "../../harness.ts";

const test = suite("sieve of a memtable");

const NOTHING_OLDER = { layers: [], version: emptyVersion() };
const anyKey = fc.string({ unit: "binary-ascii", maxLength: 20 }).map((text) => text as Key);
const numbered = (prefix: string, count: number): Key[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}` as Key);

test("a sieve lets every key pass that was added, however often it has grown", () => {
  fc.assert(
    fc.property(fc.array(anyKey, { maxLength: 400 }), (keys) => {
      const sieve = new Sieve();
      for (const [i, key] of keys.entries()) {
        sieve.add(key);
        assert.ok(keys.slice(0, i + 1).every((known) => sieve.mayContain(known)));
      }
    }),
    { includeErrorInReport: true, numRuns: 20 },
  );
});

test("a sieve keeps out all but one in fifty of the keys that were never added", () => {
  for (const count of [1, 32, 33, 1000, 20_000]) {
    const sieve = new Sieve();
    for (const key of numbered("here/", count)) sieve.add(key);
    const passed = numbered("elsewhere/", 10_000).filter((key) => sieve.mayContain(key));
    assert.ok(passed.length <= 200, `${passed.length} of 10000 pass the sieve of ${count}`);
  }
});

test("an older memtable finds its keys behind the sieve that younger ones have filled", () => {
  const first = new MemtableEdit(emptyMemtable(), NOTHING_OLDER);
  const old = numbered("old/", 20);
  for (const key of old) first.put("write", key, new Uint8Array([1]));
  const before = first.done();
  const second = new MemtableEdit(before, NOTHING_OLDER);
  const young = numbered("young/", 500);
  for (const key of young) second.put("write", key, new Uint8Array([2]));
  for (const key of old) second.delete("write", key);
  const after = second.done();
  const count = (memtable: typeof after, keys: readonly Key[]): number =>
    keys.filter((key) => {
      const stack = { memtable, ...NOTHING_OLDER };
      return lookUp(stack, NO_TABLES, "write", key) !== undefined;
    }).length;
  assert.equal([count(before, old), count(before, young)], [20, 0]);
  assert.equal([count(after, old), count(after, young)], [0, 500]);
});

test.run();
