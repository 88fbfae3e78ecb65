import fc from "fast-check";
import * as assert from "uvu/assert";
import { Key, hex, keyToBytes } from "../../../engine/base/bytes.ts";
import { Lz4Compressor, lz4Bound, lz4Decompress } from "../../../engine/storage/table/lz4.ts";
import { suite } from "../../harness.ts";

const test = suite("lz4");

const RUNS = { numRuns: 300, includeErrorInReport: true };

/** Bytes that repeat each other and themselves in many ways, some of them long. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom("a row of a table", "ab", "\0").map((text) => keyToBytes(Key(text))),
      fc
        .tuple(fc.nat(255), fc.integer({ min: 1, max: 700 }))
        .map(([byte, count]) => new Uint8Array(count).fill(byte)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

const compressor = new Lz4Compressor();
const compressed = (bytes: Uint8Array): Uint8Array => {
  const target = new Uint8Array(lz4Bound(bytes.length));
  return target.slice(0, compressor.compress(bytes, target));
};

test("what was compressed is what is decompressed", () => {
  const far = new Uint8Array(200_000);
  for (let i = 0; i < far.length; i++) far[i] = (i * i) >>> 7;
  far.copyWithin(150_000, 0, 20_000);
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const small = compressed(bytes);
      assert.ok(small.length <= lz4Bound(bytes.length));
      const back = new Uint8Array(bytes.length);
      assert.ok(lz4Decompress(small, 0, small.length, back));
      assert.equal(back, bytes);
    }),
    { ...RUNS, examples: [[far], [new Uint8Array(0)], [new Uint8Array(70_000)]] },
  );
});

test("the bytes are those of the LZ4 block format", () => {
  const text = keyToBytes(Key("0123456789abc0123456789abc0123456789abc tail"));
  // 13 literals; 26 bytes copied from 13 before; 5 literals.
  assert.is(hex(compressed(text)), `df${hex(text.slice(0, 13))}0d000750${hex(text.slice(39))}`);
  assert.is(hex(compressed(new Uint8Array(300))), "1f000100ff14500000000000");
});

test("bytes that are not LZ4 of that size are refused, and nothing else happens", () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(), fc.nat(255), fc.nat(), (bytes, place, byte, length) => {
      const small = compressed(bytes);
      const target = new Uint8Array(bytes.length);
      assert.not(lz4Decompress(small, 0, small.length, new Uint8Array(bytes.length + 1)));
      if (bytes.length > 0) {
        assert.not(lz4Decompress(small, 0, small.length, new Uint8Array(bytes.length - 1)));
        assert.not(lz4Decompress(small, 0, length % small.length, target));
      }
      small[place % small.length] = byte;
      lz4Decompress(small, 0, small.length, target);
    }),
    RUNS,
  );
});

test("a length without an end and a copy from before the beginning are refused", () => {
  const out = new Uint8Array(100);
  for (const bytes of [
    [0xf0, 255, 255],
    [0x1f, 1, 1, 0, 255],
    [0x14, 1, 2, 0],
    [0x14, 1, 0, 0],
    [0x10],
    [],
  ]) {
    assert.not(lz4Decompress(Uint8Array.from(bytes), 0, bytes.length, out));
  }
  const copyFrom = (distance: number): boolean => {
    const bytes = Uint8Array.of(0x14, 1, distance, 0, 0x50, 1, 2, 3, 4, 5);
    return lz4Decompress(bytes, 0, bytes.length, new Uint8Array(14));
  };
  assert.ok(copyFrom(1));
  assert.not(copyFrom(2));
});

test.run();
