/** What is wrong with a table is said, and nothing that it holds is then taken for an answer. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, Key, keyAfter, keyToBytes } from "../../../engine/base/bytes.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import type { Entry, TableDamage, TableMeta } from "../../../engine/storage/table/types.ts";
import { verifyTable } from "../../../engine/storage/table/verify.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk, OPTIONS, build } from "./tables.ts";
import type { Content } from "./tables.ts";

const test = suite("table damage");

const NUMBER = 7;
const FILE = tableFile(NUMBER);

/** Several blocks, one of them compressed, a tombstone, a clear. */
const CONTENT: Content = {
  cf: "write",
  entries: Array.from({ length: 24 }, (_, i): [Key, Entry] => [
    Key(`key ${String(i).padStart(3, "0")} version`),
    i === 5 ? TOMBSTONE : new Uint8Array(i % 3 === 0 ? 40 : 9).fill(i),
  ]),
  clears: [{ start: Key("key"), end: Key("key 9") }],
};
const SMALL = { ...OPTIONS, blockBytes: 128, compression: "lz4" } as const;

function intact(): { disk: MemoryDisk; meta: TableMeta; bytes: Uint8Array } {
  const disk = new MemoryDisk();
  const meta = build(disk, NUMBER, CONTENT, SMALL);
  return { disk, meta, bytes: disk.files.get(FILE)! };
}

const same = (a: Entry, b: Entry): boolean =>
  a === TOMBSTONE || b === TOMBSTONE
    ? a === b
    : a.length === b.length && a.every((x, i) => x === b[i]);

const within = (damage: readonly TableDamage[], key: Key): boolean =>
  damage.some(({ start, end }) => key >= start && (end === EMPTY_KEY || key < end));

/** Reads everything in every way; what is read is right, and what is not read is named. */
function readAll(disk: MemoryDisk, meta: TableMeta): readonly TableDamage[] {
  const cache = new TableCache(disk, 1 << 20);
  const model = new Map(CONTENT.entries);
  const unknown: Key[] = [];
  for (const [key, entry] of model) {
    const found = cache.get(meta, key);
    if (found === undefined) unknown.push(key);
    else assert.ok(same(found, entry), "no get answers wrongly");
  }
  const cursor = cache.cursor(meta);
  for (const [start, step] of [
    ["seek", "next"],
    ["seekBefore", "previous"],
  ] as const) {
    let met = 0;
    for (cursor[start](EMPTY_KEY); cursor.valid; cursor[step]()) {
      assert.ok(same(cursor.entry, model.get(cursor.key)!), "no cursor answers wrongly");
      met += 1;
    }
    if (met < model.size) assert.ok(unknown.length > 0, "a cursor stops where a get fails");
  }
  const damage = cache.takeDamage();
  for (const key of unknown) assert.ok(within(damage, key), `the damage names ${key}`);
  return damage;
}

test("every changed byte of a table is found, and no read answers wrongly", () => {
  const { disk, meta, bytes } = intact();
  assert.equal(verifyTable(disk, meta), []);
  assert.equal(readAll(disk, meta), []);
  for (let i = 0; i < bytes.length; i++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[i]! ^= flip;
      disk.files.set(FILE, changed);
      const found = verifyTable(disk, meta);
      assert.ok(found.length > 0, `byte ${i}`);
      assert.ok(
        found.every(({ table, file, cf }) => table === NUMBER && file === FILE && cf === "write"),
      );
      const met = readAll(disk, meta);
      assert.equal(met, found, `reads meet what the proof finds, byte ${i}`);
    }
  }
});

test("damage of a data block names the keys of that block and no others", () => {
  const { disk, meta, bytes } = intact();
  const spans = new Map<number, TableDamage>();
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i]! ^= 1;
    disk.files.set(FILE, changed);
    const [damage] = verifyTable(disk, meta);
    spans.set(damage!.offset, damage!);
  }
  const blocks = [...spans.values()].filter(({ detail }) => detail.startsWith("the block"));
  const data = blocks.filter(({ start }) => start !== meta.smallest);
  assert.ok(data.length > 3);
  assert.is(data[0]!.start, CONTENT.entries[0]![0]);
  for (let i = 1; i < data.length; i++) assert.is(data[i]!.start, data[i - 1]!.end);
  assert.is(data.at(-1)!.end, "key 9", "the last span goes as far as the table");
  const whole = [...spans.values()].filter(({ start }) => start === meta.smallest);
  assert.ok(whole.length >= 4, "footer, filter, index, properties");
  assert.ok(whole.every(({ end }) => end === "key 9"));
});

test("a table cut short, or with bytes behind its end, is damaged as a whole", () => {
  const { disk, meta, bytes } = intact();
  for (let length = 0; length < bytes.length; length++) {
    disk.files.set(FILE, bytes.slice(0, length));
    const [damage] = verifyTable(disk, meta);
    assert.is(damage!.start, meta.smallest);
    assert.is(readAll(disk, meta).length, 1);
  }
  disk.files.set(FILE, Uint8Array.from([...bytes, 0]));
  assert.match(verifyTable(disk, meta)[0]!.detail, /1 bytes more/);
});

test("a version that is unknown is refused by its number", () => {
  const { disk, meta, bytes } = intact();
  bytes[bytes.length - 1] = 9;
  assert.match(verifyTable(disk, meta)[0]!.detail, /^version 9 of the table format is unknown/);
  assert.match(readAll(disk, meta)[0]!.detail, /^version 9 of the table format is unknown/);
});

test("a whole table in the place of another is not taken for it", () => {
  const { disk, meta } = intact();
  const other = { ...CONTENT, entries: CONTENT.entries.slice(1) };
  const changed = { ...CONTENT, clears: [{ start: Key("key"), end: Key("key 8") }] };
  for (const content of [other, changed, { ...CONTENT, cf: "lock" as const }]) {
    build(disk, NUMBER, content, SMALL);
    disk.files.set(
      FILE,
      Uint8Array.from([...new Uint8Array(meta.size), ...disk.files.get(FILE)!]).slice(-meta.size),
    );
    assert.is(verifyTable(disk, meta).length, 1);
    assert.is(readAll(disk, meta).length, 1);
  }
});

test("a table is proved against all that the manifest says of it", () => {
  const { disk, meta } = intact();
  const others: readonly Partial<TableMeta>[] = [
    { cf: "default" },
    { entries: meta.entries + 1 },
    { tombstones: 0 },
    { clears: [] },
    { smallest: Key("k") },
    { largest: Key("l") },
    { largestExclusive: false },
    { crc32: meta.crc32 ^ 1 },
  ];
  for (const other of others) assert.is(verifyTable(disk, { ...meta, ...other }).length, 1);
});

test("a block written to another place, or for another table, is not taken for one of its own", () => {
  const disk = new MemoryDisk();
  const entries = Array.from({ length: 40 }, (_, i): [Key, Entry] => [
    Key(`k${String.fromCharCode(65 + i)}`),
    new Uint8Array(20),
  ]);
  const content: Content = { cf: "default", entries, clears: [] };
  const options = { ...OPTIONS, blockBytes: 1 };
  const meta = build(disk, NUMBER, content, options);
  build(disk, 8, content, options);
  const mine = disk.files.get(FILE)!;
  // All blocks but the first have the same size: one with a key of two bytes, a value of 20.
  const size = 4 + 8 + 3 + 2 + 20 + 5;
  const swapped = mine.slice();
  swapped.copyWithin(size, 2 * size, 3 * size);
  disk.files.set(FILE, swapped);
  assert.is(verifyTable(disk, meta)[0]!.offset, size);
  const foreign = mine.slice();
  foreign.set(disk.files.get(tableFile(8))!.subarray(size, 2 * size), size);
  disk.files.set(FILE, foreign);
  assert.is(verifyTable(disk, meta)[0]!.offset, size);
});

test("a table of another store keeps its seal under a new number", () => {
  const { disk, meta, bytes } = intact();
  const received = { ...meta, number: 99 };
  disk.files.set(tableFile(99), bytes);
  assert.equal(verifyTable(disk, received), []);
  assert.equal(readAll(disk, received), []);
});

test("a disk that does not read is said to be unreadable, and heals when it does", () => {
  const { disk, meta } = intact();
  const cache = new TableCache(disk, 1 << 20);
  const [key] = CONTENT.entries[0]!;
  disk.isBroken = true;
  for (let i = 0; i < 3; i++) assert.is(cache.get(meta, key), undefined);
  assert.not(cache.mayContain(meta, key));
  const damage = cache.takeDamage();
  assert.equal(
    damage.map(({ reason, start, end }) => [reason, start, end]),
    [["unreadable", meta.smallest, meta.largest]],
    "noted once",
  );
  assert.equal(cache.takeDamage(), []);
  disk.isBroken = false;
  assert.ok(cache.get(meta, key) !== undefined);
  disk.isBroken = true;
  const last = CONTENT.entries.at(-1)![0];
  assert.is(cache.get(meta, last), undefined);
  assert.ok(within(cache.takeDamage(), last));
  disk.files.clear();
  assert.is(verifyTable(disk, meta)[0]!.reason, "unreadable");
});

test("garbage is never a table", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (garbage, hasMagic) => {
      const { disk, meta } = intact();
      const tail = hasMagic ? [...keyToBytes(Key("RUTILET\x01"))] : [];
      const bytes = Uint8Array.from([...garbage, ...tail]);
      disk.files.set(FILE, bytes);
      assert.is(verifyTable(disk, { ...meta, size: bytes.length }).length, 1);
      assert.is(readAll(disk, { ...meta, size: bytes.length }).length, 1);
    }),
    { includeErrorInReport: true },
  );
});

test("the span of a table without an exclusive end goes just beyond its largest key", () => {
  const disk = new MemoryDisk();
  const meta = build(disk, NUMBER, { ...CONTENT, clears: [] });
  disk.files.set(FILE, new Uint8Array(0));
  assert.is(verifyTable(disk, meta)[0]!.end, keyAfter(CONTENT.entries.at(-1)![0]));
});

test.run();
