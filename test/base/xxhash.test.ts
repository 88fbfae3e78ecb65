import fc from "fast-check";
import * as assert from "uvu/assert";
import { Key, keyToBytes } from "../../engine/base/bytes.ts";
import { xxh32 } from "../../engine/base/xxhash.ts";
import { suite } from "../harness.ts";

const test = suite("xxhash");

const hashOf = (text: string, seed: number): number => {
  const bytes = keyToBytes(Key(text));
  return xxh32(bytes, 0, bytes.length, seed);
};

test("the checksum is the one that other implementations of XXH32 give", () => {
  assert.is(hashOf("", 0), 0x02cc5d05);
  assert.is(hashOf("a", 0), 0x550d7456);
  assert.is(hashOf("abc", 0), 0x32d153ff);
  assert.is(hashOf("Nobody inspects the spammish repetition", 0), 0xe2293b2f);
});

test("it does not matter where in memory the bytes lie", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(7), (bytes, seed, shift) => {
      const shifted = new Uint8Array(shift + bytes.length + 3);
      shifted.set(bytes, shift);
      const expected = xxh32(bytes, 0, bytes.length, seed);
      assert.is(xxh32(shifted, shift, shift + bytes.length, seed), expected);
      assert.is(xxh32(shifted.subarray(shift), 0, bytes.length, seed), expected);
    }),
    { includeErrorInReport: true },
  );
});

test("no change of one bit, of bytes or of the seed, goes unseen", () => {
  const bytes = Uint8Array.from({ length: 67 }, (_, i) => i * 31);
  const expected = xxh32(bytes, 0, bytes.length, 5);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >>> 3]! ^= 1 << (bit & 7);
    assert.is.not(xxh32(changed, 0, changed.length, 5), expected);
  }
  for (let bit = 0; bit < 32; bit++) {
    assert.is.not(xxh32(bytes, 0, bytes.length, (5 ^ (1 << bit)) >>> 0), expected);
  }
});

test.run();
