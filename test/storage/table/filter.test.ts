import fc from "fast-check";
import * as assert from "uvu/assert";
import { idKey } from "../../../engine/base/big-endian.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import { FilterBuilder, KeyHash, filterHas } from "../../../engine/storage/table/filter.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { filterKey } from "../../../engine/storage/view.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk, OPTIONS, anyKey, build } from "./tables.ts";

const test = suite("table filter");

const has = (filter: Uint8Array, key: Key): boolean => {
  const hash = new KeyHash();
  hash.of(key, key.length);
  return filterHas(filter, filter.length, hash);
};

const filterOf = (keys: readonly Key[], bits: number): Uint8Array => {
  const builder = new FilterBuilder(bits);
  // What was in the filter before does not show in this one.
  for (let id = 0; id < 500; id++) builder.add(row(id), 19);
  builder.finish();
  for (const key of keys) builder.add(key, key.length);
  const { size } = builder;
  const filter = builder.finish();
  assert.is(filter.length, size);
  return filter;
};

/** Keys as they come: 19 bytes, the first 11 the same, counting up. */
const row = (id: number): Key => `t\x80\0\0\0\0\0\0\x2a_r${idKey(id)}` as Key;

test("a filter never denies a key of its table", () => {
  fc.assert(
    fc.property(fc.array(anyKey), fc.integer({ min: 1, max: 30 }), (keys, bits) => {
      const filter = filterOf(keys, bits);
      for (const key of keys) assert.ok(has(filter, key));
    }),
    { includeErrorInReport: true },
  );
});

test("with 10 bits a key, fewer than 13 of a thousand absent keys pass", () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => row(i));
  const filter = filterOf(keys, 10);
  let passed = 0;
  for (let i = 0; i < 40_000; i++) if (has(filter, row(40_000 + i))) passed += 1;
  assert.ok(passed < 0.013 * 40_000, `${passed} of 40000`);
  assert.ok(passed > 0.004 * 40_000, "a filter of this size cannot be better");
});

test("all versions of a key in the write family are one entry of the filter", () => {
  const disk = new MemoryDisk();
  const versions = (cf: "write" | "default"): readonly (readonly [Key, Uint8Array])[] =>
    Array.from({ length: 2000 }, (_, i) => [`${cf}${idKey(i)}` as Key, new Uint8Array(1)] as const);
  const write = build(disk, 1, { cf: "write", entries: versions("write"), clears: [] });
  const other = build(disk, 2, { cf: "default", entries: versions("default"), clears: [] });
  const without = build(
    disk,
    3,
    { cf: "write", entries: versions("write"), clears: [] },
    {
      ...OPTIONS,
      filterBits: 0,
    },
  );
  assert.is(write.size - without.size, 64 + 1 + 5, "one line, the probes and the seal");
  assert.ok(other.size - without.size > 2000, "a byte and more for each of 2000 keys");
  const cache = new TableCache(disk, 1 << 20);
  assert.ok(cache.mayContain(write, filterKey("write", versions("write")[7]![0])));
  assert.not(cache.mayContain(write, "other" as Key));
  assert.ok(cache.mayContain(without, "other" as Key), "without a filter nothing is denied");
});

test.run();
