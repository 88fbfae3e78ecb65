/**
 * Tables whose checksums are right and whose numbers are not, as a faulty writer would leave them.
 */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, Key, concatBytes, hex } from "../../../engine/base/bytes.ts";
import { crc32 } from "../../../engine/base/checksum.ts";
import { BlockBuilder } from "../../../engine/storage/table/block.ts";
import { TableCache } from "../../../engine/storage/table/cache.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import { encodeFooter, tableSeed } from "../../../engine/storage/table/footer.ts";
import { IndexBuilder } from "../../../engine/storage/table/index-block.ts";
import { encodeProperties } from "../../../engine/storage/table/properties.ts";
import { Sealer } from "../../../engine/storage/table/seal.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { xxh32 } from "../../../engine/base/xxhash.ts";
import { verifyTable } from "../../../engine/storage/table/verify.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk } from "./tables.ts";

const test = suite("table lies");

const KEYS = ["aa", "aab", "aac", "ab", "b", "ba", "bb", "c"].map((text) => Key(text));

interface Table {
  readonly block: Uint8Array;
  readonly index: Uint8Array;
  readonly properties: Uint8Array;
}

const PROPERTIES = {
  cf: "default",
  entries: KEYS.length,
  tombstones: 0,
  clears: [],
  smallest: KEYS[0]!,
  largest: KEYS.at(-1)!,
  largestExclusive: false,
} as const;

function honest(): Table {
  const builder = new BlockBuilder(3);
  for (const key of KEYS) builder.add(key, Uint8Array.of(1, 2, 3));
  const block = builder.finish();
  const index = new IndexBuilder();
  index.add(KEYS[0]!, block.length + 5);
  return { block, index: index.finish().slice(), properties: encodeProperties(PROPERTIES) };
}

/** Seals the parts into a file, whatever they say. */
function sealed(disk: MemoryDisk, table: Table): TableMeta {
  const sealer = new Sealer(tableSeed(1), "none");
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const part of [table.block, table.index, table.properties]) {
    parts.push(sealer.seal(part, end).slice());
    end += part.length + 5;
  }
  const [dataSize, indexSize, propertiesSize] = parts.map((part) => part.length);
  parts.push(
    encodeFooter({
      number: 1,
      dataSize: dataSize!,
      filterSize: 0,
      indexSize: indexSize!,
      propertiesSize: propertiesSize!,
    }),
  );
  const bytes = concatBytes(parts);
  disk.files.set(tableFile(1), bytes);
  return { ...PROPERTIES, number: 1, size: bytes.length, crc32: crc32(bytes) };
}

/** What two cursors and the gets come to. Every read ends, and none throws. */
function readings(disk: MemoryDisk, meta: TableMeta): { keys: readonly Key[]; damaged: boolean } {
  const cache = new TableCache(disk, 1 << 20);
  const keys: Key[] = [];
  const cursor = cache.cursor(meta);
  for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) {
    keys.push(cursor.key);
    if (cursor.entry !== 0) hex(cursor.entry);
  }
  for (cursor.seekBefore(EMPTY_KEY); cursor.valid; cursor.previous()) hex(cursor.key);
  for (const key of KEYS) {
    cursor.seek(key);
    cursor.seekBefore(key);
    const entry = cache.get(meta, key);
    if (entry !== undefined && entry !== 0) hex(entry);
  }
  return { keys, damaged: cache.takeDamage().length > 0 };
}

test("an honest table made this way is whole", () => {
  const disk = new MemoryDisk();
  const meta = sealed(disk, honest());
  assert.equal(verifyTable(disk, meta), []);
  assert.equal(readings(disk, meta), { keys: KEYS, damaged: false });
});

test("whatever numbers a block holds, reads end, and what is out of order is found", () => {
  const { block } = honest();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(block.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.nat(block.length),
      (changes, cut) => {
        const disk = new MemoryDisk();
        const lie = block.slice(0, cut < 10 ? block.length - cut : block.length);
        for (const [at, byte] of changes) lie[at % lie.length] = byte;
        const index = new IndexBuilder();
        index.add(KEYS[0]!, lie.length + 5);
        const meta = sealed(disk, { ...honest(), block: lie, index: index.finish().slice() });
        const { keys, damaged } = readings(disk, meta);
        const isProved = verifyTable(disk, meta).length === 0;
        // Other keys and values in good order are another table, which only its checksum tells.
        if (isProved) assert.not(damaged);
        if (isProved) assert.is(keys.length, KEYS.length);
        for (let i = 1; i < keys.length; i++) assert.ok(keys[i - 1]! < keys[i]!);
      },
    ),
    { numRuns: 3000, includeErrorInReport: true },
  );
});

test("a key that shares more than the one before has is out of order", () => {
  const disk = new MemoryDisk();
  const { block, ...rest } = honest();
  const lie = block.slice();
  // The second head of the first group: "aab" shares the two bytes that "aa" has.
  const second = 4 + 3 * 8 + 3 + 2;
  assert.equal([...lie.subarray(second, second + 4)], [2, 1, 4, "b".charCodeAt(0)]);
  lie[second] = 3;
  const meta = sealed(disk, { ...rest, block: lie });
  assert.is(verifyTable(disk, meta)[0]!.detail, "the entries of the block are out of order");
  assert.ok(readings(disk, meta).damaged);
});

test("whatever an index or the properties hold, reads end and the lie is found", () => {
  const truth = honest();
  fc.assert(
    fc.property(
      fc.constantFrom("index" as const, "properties" as const),
      fc.nat(),
      fc.nat(255),
      fc.nat(3),
      (part, at, byte, cut) => {
        const disk = new MemoryDisk();
        const lie = truth[part].slice(0, truth[part].length - cut);
        lie[at % lie.length] = byte;
        fc.pre(hex(lie) !== hex(truth[part]));
        const meta = sealed(disk, { ...truth, [part]: lie });
        readings(disk, meta);
        // A start that is lower than it could be does no harm.
        if (part === "properties") assert.is(verifyTable(disk, meta).length, 1);
        else verifyTable(disk, meta);
      },
    ),
    { numRuns: 1000, includeErrorInReport: true },
  );
});

test("a block of unknown codec, or one that lies about its size, is refused", () => {
  const disk = new MemoryDisk();
  const truth = honest();
  const size = truth.block.length + 5;
  for (const [codec, detail] of [
    [7, "codec 7 of blocks is unknown"],
    [1, "a compressed block lies about its size"],
  ] as const) {
    // The block's first four bytes, read as a size, are far above what it could hold.
    const body = Uint8Array.from([0x7f, ...truth.block.slice(1)]);
    const meta = sealed(disk, { ...truth, block: body });
    const file = disk.files.get(tableFile(1))!;
    file.set(resealed(body, codec), 0);
    const [damage] = verifyTable(disk, { ...meta, crc32: crc32(file) });
    assert.is(damage!.detail, detail);
    assert.is(damage!.offset, 0);
    assert.is(size, body.length + 5);
  }
});

function resealed(body: Uint8Array, codec: number): Uint8Array {
  const bytes = new Uint8Array(body.length + 5);
  bytes.set(body);
  bytes[body.length] = codec;
  const checksum = xxh32(bytes, 0, body.length + 1, tableSeed(1));
  new DataView(bytes.buffer).setUint32(body.length + 1, checksum);
  return bytes;
}

test.run();
