import fc from "fast-check";
import * as assert from "uvu/assert";
import { keyToBytes } from "../../engine/base/bytes.ts";
import type { Key } from "../../engine/base/bytes.ts";
import { crc32, crc64 } from "../../engine/base/checksum.ts";
import { suite } from "../harness.ts";

const test = suite("checksum");

const text = (characters: string): Uint8Array => keyToBytes(characters as Key);
const anyBytes = fc.uint8Array({ maxLength: 100 });

/** The definition: one bit at a time. */
function bitwise(bytes: Uint8Array, polynomial: bigint, width: number): bigint {
  const ones = (1n << BigInt(width)) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ ((crc & 1n) === 1n ? polynomial : 0n);
  }
  return crc ^ ones;
}

test("the check values of the catalogue of CRC algorithms come out", () => {
  assert.is(crc32(text("123456789")), 0xcbf43926);
  assert.is(crc64(text("123456789")), 0x995dc9bbdf1939fan);
  assert.is(crc32(text("")), 0);
  assert.is(crc64(text("")), 0n);
});

test("checksums of any bytes are those of the definition", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.is(BigInt(crc32(bytes)), bitwise(bytes, 0xedb88320n, 32));
      assert.is(crc64(bytes), bitwise(bytes, 0xc96c5795d7870f42n, 64));
    }),
    { includeErrorInReport: true },
  );
});

test("a checksum run over pieces is that of the whole, wherever it was cut", () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(100), (bytes, cut) => {
      const middle = Math.min(cut, bytes.length);
      const end = bytes.length;
      assert.is(crc32(bytes, middle, end, crc32(bytes, 0, middle)), crc32(bytes));
      assert.is(crc64(bytes, middle, end, crc64(bytes, 0, middle)), crc64(bytes));
      assert.is(crc32(bytes, middle), crc32(bytes.slice(middle)));
    }),
    { includeErrorInReport: true },
  );
});

test("one flipped bit changes the checksum", () => {
  const bytes = text("the quick brown fox jumps over the lazy dog");
  const right = crc32(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.is.not(crc32(damaged), right);
    assert.is.not(crc64(damaged), crc64(bytes));
  }
});

test.run();
