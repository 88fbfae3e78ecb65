/** What was written is what is read, whatever the options and however little is remembered. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, Key } from "../../../engine/base/bytes.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import type { Entry, EntryCursor } from "../../../engine/storage/table/types.ts";
import { verifyTable } from "../../../engine/storage/table/verify.ts";
import { filterKey } from "../../../engine/storage/view.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk, OPTIONS, anyContent, anyKey, anyOptions, build } from "./tables.ts";

const test = suite("table reading");

const RUNS = { numRuns: 150, includeErrorInReport: true };
const anyCapacity = fc.constantFrom(0, 3000, 1 << 20);

const same = (a: Entry | undefined, b: Entry | undefined): void => {
  // A view of a block is as good as the bytes it shows.
  assert.equal(a === undefined || a === TOMBSTONE ? a : new Uint8Array(a), b);
};

test("a table answers each of its keys, and no other", () => {
  fc.assert(
    fc.property(
      anyContent,
      anyOptions,
      anyCapacity,
      fc.array(anyKey),
      (content, options, capacity, others) => {
        const disk = new MemoryDisk();
        const meta = build(disk, 7, content, options);
        const cache = new TableCache(disk, capacity);
        const model = new Map(content.entries);
        for (const key of [...model.keys(), ...others]) {
          same(cache.get(meta, key), model.get(key));
          if (model.has(key)) assert.ok(cache.mayContain(meta, filterKey(content.cf, key)));
        }
        assert.ok(cache.usedBytes <= capacity);
        assert.equal(cache.takeDamage(), []);
        assert.equal(verifyTable(disk, meta), []);
      },
    ),
    RUNS,
  );
});

test("a key that ends like a later one, and begins like an earlier, is not found", () => {
  const disk = new MemoryDisk();
  // A reader that does not stop at `ab` compares only the end of `abb`.
  const entries = ["aa", "ab", "abb"].map((text) => [Key(text), new Uint8Array(1)] as const);
  const content = { cf: "default", entries, clears: [] } as const;
  const meta = build(disk, 7, content, { ...OPTIONS, filterBits: 0 });
  assert.is(new TableCache(disk, 0).get(meta, Key("aab")), undefined);
});

interface Move {
  readonly type: "seek" | "seekBefore" | "next" | "previous";
  readonly key: Key;
  readonly count: number;
}

const anyMove: fc.Arbitrary<Move> = fc.record({
  type: fc.constantFrom("seek", "seekBefore", "next", "previous"),
  key: anyKey,
  count: fc.integer({ min: 1, max: 30 }),
});

test("a cursor stands where one in a sorted array would, both ways", () => {
  fc.assert(
    fc.property(
      anyContent,
      anyOptions,
      anyCapacity,
      fc.array(anyMove, { maxLength: 20 }),
      (content, options, capacity, moves) => {
        const disk = new MemoryDisk();
        const cache = new TableCache(disk, capacity);
        const cursor = cache.cursor(build(disk, 7, content, options));
        const { entries } = content;
        let at = -1;
        const check = (): void => {
          assert.is(cursor.valid, at >= 0 && at < entries.length);
          if (!cursor.valid) return;
          assert.is(cursor.key, entries[at]![0]);
          same(cursor.entry, entries[at]![1]);
        };
        for (const move of moves) {
          if (move.type === "seek") {
            cursor.seek(move.key);
            at = entries.findIndex(([key]) => key >= move.key);
          } else if (move.type === "seekBefore") {
            cursor.seekBefore(move.key);
            at = entries.findLastIndex(([key]) => move.key === EMPTY_KEY || key < move.key);
          } else {
            for (let i = 0; i < move.count && cursor.valid; i++) {
              cursor[move.type]();
              at += move.type === "next" ? 1 : -1;
              check();
            }
          }
          check();
        }
      },
    ),
    RUNS,
  );
});

const walk = (cursor: EntryCursor, step: "next" | "previous"): Key[] => {
  const keys: Key[] = [];
  for (; cursor.valid; cursor[step]()) keys.push(cursor.key);
  return keys;
};

test("a table is walked whole from either end", () => {
  fc.assert(
    fc.property(anyContent, anyOptions, (content, options) => {
      const disk = new MemoryDisk();
      const cursor = new TableCache(disk, 1 << 20).cursor(build(disk, 7, content, options));
      const keys = content.entries.map(([key]) => key);
      cursor.seek(EMPTY_KEY);
      assert.equal(walk(cursor, "next"), keys);
      cursor.seekBefore(EMPTY_KEY);
      assert.equal(walk(cursor, "previous"), keys.reverse());
    }),
    RUNS,
  );
});

test("a table's description holds its counts, bounds and clears", () => {
  fc.assert(
    fc.property(anyContent, anyOptions, (content, options) => {
      const disk = new MemoryDisk();
      const meta = build(disk, 7, content, options);
      const keys = content.entries.map(([key]) => key);
      const ends = content.clears.map(({ end }) => end);
      const least = [...keys, ...content.clears.map(({ start }) => start)].reduce((a, b) =>
        a < b ? a : b,
      );
      assert.is(meta.smallest, least);
      assert.is(meta.entries, keys.length);
      assert.is(meta.tombstones, content.entries.filter(([, entry]) => entry === TOMBSTONE).length);
      assert.equal(meta.clears, content.clears);
      assert.is(meta.size, disk.size("table-0000000000000007"));
      const isOpen = ends.includes(EMPTY_KEY);
      const greatest = [...keys, ...ends].reduce((a, b) => (a > b ? a : b), EMPTY_KEY);
      assert.is(meta.largest, isOpen ? EMPTY_KEY : greatest);
      assert.is(meta.largestExclusive, isOpen || !keys.includes(greatest));
    }),
    RUNS,
  );
});

test.run();
