import fc from "fast-check";
import * as assert from "uvu/assert";
import { AssertionError } from "../../engine/base/assert.ts";
import { hex, keyFromBytes } from "../../engine/base/bytes.ts";
import type { Key } from "../../engine/base/bytes.ts";
import {
  decodeMemcomparable,
  descendingSuffix,
  encodeMemcomparable,
  memcomparableSize,
  readDescendingSuffix,
} from "../../engine/base/memcomparable.ts";
import { suite } from "../harness.ts";

const test = suite("memcomparable");

/** Few different bytes, so that keys share prefixes and end in what padding looks like. */
const anyKey = fc
  .array(fc.constantFrom(0, 0, 1, 0xf7, 0xff), { maxLength: 20 })
  .map((bytes) => keyFromBytes(new Uint8Array(bytes)));
const anyU64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const keyOf = (...bytes: number[]): Key => keyFromBytes(new Uint8Array(bytes));

test("keys have the bytes that TiKV gives them", () => {
  const encoded = (...bytes: number[]): string => hex(encodeMemcomparable(keyOf(...bytes)));
  assert.is(encoded(), "0000000000000000f7");
  assert.is(encoded(0), "0000000000000000f8");
  assert.is(encoded(1, 2, 3), "0102030000000000fa");
  assert.is(encoded(1, 2, 3, 4, 5, 6, 7), "0102030405060700fe");
  assert.is(encoded(1, 2, 3, 4, 5, 6, 7, 8), "0102030405060708ff0000000000000000f7");
  assert.is(encoded(1, 2, 3, 4, 5, 6, 7, 8, 9), "0102030405060708ff0900000000000000f8");
});

test("encoded keys order as the keys, whatever follows them", () => {
  fc.assert(
    fc.property(anyKey, anyKey, anyKey, anyKey, (a, b, behindA, behindB) => {
      fc.pre(a !== b);
      const left = encodeMemcomparable(a) + behindA;
      const right = encodeMemcomparable(b) + behindB;
      assert.is(left < right, a < b);
    }),
    { includeErrorInReport: true, numRuns: 500 },
  );
});

test("an encoded key comes back with the offset behind it", () => {
  fc.assert(
    fc.property(anyKey, anyKey, anyKey, (before, key, behind) => {
      const encoded = encodeMemcomparable(key);
      assert.is(encoded.length, memcomparableSize(key.length));
      const text = (before + encoded + behind) as Key;
      const end = before.length + encoded.length;
      assert.equal(decodeMemcomparable(text, before.length), { ok: true, key, end });
    }),
    { includeErrorInReport: true },
  );
});

test("what decodes is exactly what encodes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), (bytes) => {
      bytes[8] = 0xf7 + (bytes[8]! % 9);
      const text = keyFromBytes(bytes);
      const result = decodeMemcomparable(text);
      if (result.ok) assert.is(encodeMemcomparable(result.key), text);
    }),
    { includeErrorInReport: true },
  );
});

test("a malformed key is refused at the byte that makes it so", () => {
  const offsetOf = (...bytes: number[]): number => {
    const result = decodeMemcomparable(keyOf(...bytes));
    return result.ok ? -1 : result.offset;
  };
  assert.is(offsetOf(), 0);
  assert.is(offsetOf(1, 2, 3, 4, 5, 6, 7, 8), 8);
  assert.is(offsetOf(1, 2, 3, 4, 5, 6, 7, 8, 0xff), 9);
  assert.is(offsetOf(1, 2, 3, 4, 5, 6, 7, 8, 0xf6), 8);
  assert.is(offsetOf(1, 0, 0, 0, 0, 0, 9, 0, 0xf8), 6);
});

test("of one key the newest version comes first", () => {
  fc.assert(
    fc.property(anyU64, anyU64, (a, b) => {
      assert.is(descendingSuffix(a) < descendingSuffix(b), a > b);
      assert.is(readDescendingSuffix(("x" + descendingSuffix(a)) as Key, 1), a);
    }),
    { includeErrorInReport: true },
  );
  assert.is(hex(descendingSuffix(0n)), "ffffffffffffffff");
  assert.is(hex(descendingSuffix(0x0102030405060708n)), "fefdfcfbfaf9f8f7");
  assert.is(readDescendingSuffix("short" as Key, 0), undefined);
  assert.throws(
    () => descendingSuffix(-1n),
    (e: unknown) => e instanceof AssertionError,
  );
});

test.run();
