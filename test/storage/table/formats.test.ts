/** Tables byte by byte. A change here is a change of what is on people's disks. */
import * as assert from "uvu/assert";
import { Key, hex, keyToBytes } from "../../../engine/base/bytes.ts";
import { KeyHash } from "../../../engine/storage/table/filter.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import { TOMBSTONE } from "../../../engine/storage/table/types.ts";
import type { Entry } from "../../../engine/storage/table/types.ts";
import { suite } from "../../harness.ts";
import { MemoryDisk, build } from "./tables.ts";

const test = suite("table formats");

const value = (text: string): Uint8Array => keyToBytes(Key(text));

const GOLDEN: readonly string[] = [
  "00000002", // two restarts
  "000000140000002a", // the first: head, value
  "000000200000002d", // the second
  "0005046170706c65", // apple: 3 bytes
  "050100ff", // apple\xff: a tombstone
  "00070161707269636f74", // apricot, whole again: nothing
  "726564", // values
  "00", // stored
  "b18ff887", // checksum
  "0000004c", // size of the block that follows, compressed
  "ff0d000000010000000c0000001500063862616e616e6179656c6c6f77200700",
  "1850656c6c6f77",
  "01", // compressed
  "8b489c17", // checksum
  "0000000010000120820082000002080006200000000040000000010000100001",
  "0000000000000000000010000000000004001000000010000000080080000014", // one line of the filter
  "06", // six probes
  "00", // stored
  "f7083d4b", // checksum
  "0005326170706c65", // apple: a block of 50 bytes
  "00013062", // b: one of 48
  "00", // stored
  "9f15cb47", // checksum
  "01", // the family lock
  "0000000000000004", // entries
  "0000000000000001", // tombstones
  "0000000161", // smallest
  "01", // the largest is exclusive
  "00000000", // and no bound
  "00000001", // clears
  "0000000161", // from a
  "00000000", // on
  "00", // stored
  "186fdb6d", // checksum
  "000000000000012c", // number
  "00000062", // data
  "00000046", // filter
  "00000011", // index
  "0000002d", // properties
  "00000000",
  "a7bbc8da", // checksum
  "525554494c455401", // magic and version
];

const ENTRIES: readonly (readonly [Key, Entry])[] = [
  [Key("apple"), value("red")],
  [Key("apple\xff"), TOMBSTONE],
  [Key("apricot"), value("")],
  [Key("banana"), value("yellow yellow yellow yellow yellow yellow yellow yellow")],
];

test("a table has this shape", () => {
  const disk = new MemoryDisk();
  const meta = build(
    disk,
    300,
    { cf: "lock", entries: ENTRIES, clears: [{ start: Key("a"), end: Key("") }] },
    { blockBytes: 30, restartInterval: 2, compression: "lz4", filterBits: 10 },
  );
  const bytes = disk.files.get(tableFile(300))!;
  assert.is(hex(bytes), GOLDEN.join(""));
  assert.is(meta.crc32, 0x562f4d4c);
});

test("the hash of a filter key is this", () => {
  const hash = new KeyHash();
  const halves = ["", "a", "abcd", "a key of 24 bytes \xff\xfe\0\0\0\0"].map((key) => {
    hash.of(Key(key), key.length);
    return [hash.line >>> 0, hash.bits >>> 0].map((half) => half.toString(16).padStart(8, "0"));
  });
  assert.equal(halves, [
    ["00000000", "491b81d8"],
    ["82d43bb1", "6b90a50a"],
    ["7a6ec5c3", "69646d5b"],
    ["5e12e020", "08f01df4"],
  ]);
});

test.run();
