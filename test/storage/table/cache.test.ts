import * as assert from "uvu/assert";
import { idKey } from "../../../engine/base/big-endian.ts";
import { EMPTY_KEY, keyAfter } from "../../../engine/base/bytes.ts";
import type { Key } from "../../../engine/base/bytes.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { tableFile, tableNumber } from "../../../engine/storage/table/file.ts";
import { ReadAhead } from "../../../engine/storage/table/stream.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk, build } from "./tables.ts";

const test = suite("table cache");

const COUNT = 400;

function twoTables(): { disk: MemoryDisk; metas: readonly TableMeta[] } {
  const disk = new MemoryDisk();
  const metas = [1, 2].map((number) =>
    build(disk, number, {
      cf: "default",
      entries: Array.from({ length: COUNT }, (_, i) => [idKey(i), new Uint8Array(50).fill(number)]),
      clears: [],
    }),
  );
  return { disk, metas };
}

const readAll = (cache: TableCache, metas: readonly TableMeta[], check: () => void): void => {
  for (let i = 0; i < COUNT; i++) {
    for (const meta of metas) {
      assert.is((cache.get(meta, idKey((i * 37) % COUNT)) as Uint8Array)[0], meta.number);
      check();
    }
  }
};

test("what is remembered never takes more than its bytes, and something always is", () => {
  const { disk, metas } = twoTables();
  for (const capacity of [0, 5000, 20_000, 60_000]) {
    const cache = new TableCache(disk, capacity);
    readAll(cache, metas, () => assert.ok(cache.usedBytes <= capacity));
    if (capacity >= 20_000) assert.ok(cache.usedBytes > capacity / 2);
  }
});

test("with room for everything, everything is read once", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 1 << 20);
  readAll(cache, metas, () => undefined);
  const { reads } = disk;
  const { hits, misses } = cache;
  readAll(cache, metas, () => undefined);
  assert.is(disk.reads, reads);
  assert.is(cache.misses, misses);
  assert.is(cache.hits, hits + 2 * COUNT);
});

test("what is read again and again stays while a scan goes by", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 40_000);
  const hot = idKey(3);
  const [scanned, used] = metas as [TableMeta, TableMeta];
  cache.get(used, hot);
  const cursor = cache.cursor(scanned);
  let misses = 0;
  for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) {
    const before = cache.misses;
    cache.get(used, hot);
    misses += cache.misses - before;
  }
  assert.is(misses, 0);
});

test("a table that is forgotten takes no memory, and its file is read anew", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 1 << 20);
  readAll(cache, metas, () => undefined);
  cache.forget(1);
  cache.forget(1);
  cache.forget(77);
  disk.files.delete(tableFile(1));
  assert.is(cache.get(metas[0]!, idKey(1)), undefined);
  assert.is(cache.takeDamage()[0]!.reason, "unreadable");
  cache.forget(2);
  assert.is(cache.usedBytes, 0);
});

test("a cursor goes on when the memory it reads from is given to others", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 1 << 20);
  const cursor = cache.cursor(metas[0]!);
  const keys: Key[] = [];
  for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) {
    keys.push(cursor.key);
    assert.is((cursor.entry as Uint8Array)[0], 1);
    if (keys.length % 5 === 0) cache.forget(1);
  }
  assert.equal(
    keys,
    Array.from({ length: COUNT }, (_, i) => idKey(i)),
  );
  assert.is(cache.usedBytes, 0, "nothing is remembered for a table that was forgotten");
});

test("what was read stays as it was when the blocks that held it have made room for others", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 12_000);
  const [first, second] = metas as [TableMeta, TableMeta];
  const value = cache.get(first, idKey(7)) as Uint8Array;
  const cursor = cache.cursor(first);
  cursor.seek(idKey(200));
  for (let i = 0; i < COUNT; i++) cache.get(second, idKey(i));
  const late = cursor.entry as Uint8Array;
  for (let i = 0; i < COUNT; i++) cache.get(second, idKey(i));
  for (const entry of [value, late]) assert.equal(entry, new Uint8Array(50).fill(1));
  assert.is(cursor.key, idKey(200));
  cursor.next();
  assert.is(cursor.key, idKey(201));
});

test("so does what was read from a block that was read again and again", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 12_000);
  const [first, second] = metas as [TableMeta, TableMeta];
  const cursor = cache.cursor(first);
  for (let i = 0; i < 9; i++) cursor.seek(idKey(200));
  const values = Array.from({ length: 9 }, () => cache.get(first, idKey(200)) as Uint8Array);
  for (let i = 0; i < 2 * COUNT; i++) cache.get(second, idKey(i % COUNT));
  for (const entry of [...values, cursor.entry]) assert.equal(entry, new Uint8Array(50).fill(1));
});

test("a stream reads a table once and many blocks at a time, and nothing of it is remembered", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 1 << 20);
  const ahead = new ReadAhead();
  for (const meta of metas) cache.table(meta);
  const { reads } = disk;
  const { usedBytes } = cache;
  for (const meta of metas) {
    const cursor = cache.stream(meta, ahead);
    let count = 0;
    for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) {
      assert.is(cursor.key, idKey(count));
      assert.equal(cursor.entry, new Uint8Array(50).fill(meta.number));
      count += 1;
    }
    assert.is(count, COUNT);
  }
  assert.is(disk.reads, reads + metas.length);
  assert.is(cache.usedBytes, usedBytes);
});

test("where many blocks cannot be read at once, a stream reads those that can be", () => {
  const { disk, metas } = twoTables();
  const cache = new TableCache(disk, 1 << 20);
  cache.table(metas[0]!);
  disk.refuses = (_, offset, length) => offset <= 9000 && 9000 < offset + length;
  const cursor = cache.stream(metas[0]!, new ReadAhead());
  const keys: Key[] = [];
  for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) keys.push(cursor.key);
  const damage = cache.takeDamage()[0]!;
  assert.is(damage.reason, "unreadable");
  assert.ok(keys.length > 50 && keyAfter(keys.at(-1)!) <= damage.start);
  assert.is(cache.takeDamage().length, 0);
  for (cursor.seek(damage.end); cursor.valid; cursor.next()) keys.push(cursor.key);
  assert.is(keys.at(-1), idKey(COUNT - 1));
  assert.is(cache.takeDamage().length, 0);
});

test("files are named by number, in the order of numbers", () => {
  assert.is(tableFile(12), "table-0000000000000012");
  assert.is(tableNumber(tableFile(12)), 12);
  for (const other of ["log-0000000000000012", "table-12", "table-0000000000000012.tmp"]) {
    assert.is(tableNumber(other), undefined);
  }
});

test.run();
