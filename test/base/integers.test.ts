import fc from "fast-check";
import * as assert from "uvu/assert";
import { AssertionError } from "../../engine/base/assert.ts";
import * as bigEndian from "../../engine/base/big-endian.ts";
import { hex } from "../../engine/base/bytes.ts";
import { readVarint, varintSize, writeVarint } from "../../engine/base/varint.ts";
import { suite } from "../harness.ts";

const test = suite("integers");

const anyCount = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constant(2 ** 53 - 1));
const isAssertion = (error: unknown): boolean => error instanceof AssertionError;
const varint = (value: number): Uint8Array => {
  const bytes = new Uint8Array(varintSize(value));
  assert.is(writeVarint(value, bytes, 0), bytes.length);
  return bytes;
};

test("a varint comes back, and its size is known beforehand", () => {
  fc.assert(
    fc.property(anyCount, fc.nat(5), (value, offset) => {
      const bytes = new Uint8Array(20);
      const next = writeVarint(value, bytes, offset);
      assert.is(next - offset, varintSize(value));
      assert.equal(readVarint(bytes, offset), { ok: true, value, next });
    }),
    { includeErrorInReport: true },
  );
});

test("varints have protobuf's bytes", () => {
  assert.is(hex(varint(0)), "00");
  assert.is(hex(varint(127)), "7f");
  assert.is(hex(varint(128)), "8001");
  assert.is(hex(varint(300)), "ac02");
  assert.is(hex(varint(2 ** 53 - 1)), "ffffffffffffff0f");
});

test("a varint that is cut off, too large or padded is refused with the reason", () => {
  const reasonOf = (...bytes: number[]): string => {
    const result = readVarint(new Uint8Array(bytes), 0);
    return result.ok ? "" : result.reason;
  };
  assert.is(reasonOf(), "truncated");
  assert.is(reasonOf(0x80), "truncated");
  assert.is(reasonOf(0x80, 0), "not_shortest");
  assert.is(reasonOf(...Array<number>(7).fill(0xff), 0x10), "too_large");
  assert.is(reasonOf(...Array<number>(9).fill(0xff), 1), "too_large");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const result = readVarint(bytes, 0);
      if (result.ok) assert.equal(varint(result.value), bytes.slice(0, result.next));
    }),
    { includeErrorInReport: true },
  );
});

test("fixed integers come back and order as their bytes", () => {
  const bytes = new Uint8Array(20);
  fc.assert(
    fc.property(anyCount, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (count, wide) => {
      assert.is(bigEndian.writeSafeU64(count, bytes, 3), 11);
      assert.is(bigEndian.readSafeU64(bytes, 3), count);
      assert.is(bigEndian.writeU64(wide, bytes, 3), 11);
      assert.is(bigEndian.readU64(bytes, 3), wide);
      const narrow = Number(wide & 0xffff_ffffn);
      assert.is(bigEndian.writeU32(narrow, bytes, 3), 7);
      assert.is(bigEndian.readU32(bytes, 3), narrow);
    }),
    { includeErrorInReport: true },
  );
  bigEndian.writeU64(0x0102030405060708n, bytes, 0);
  assert.is(hex(bytes.slice(0, 8)), "0102030405060708");
});

test("a number above the safe integers is not read as one", () => {
  const bytes = new Uint8Array(8);
  bigEndian.writeU64(2n ** 53n - 1n, bytes, 0);
  assert.is(bigEndian.readSafeU64(bytes, 0), 2 ** 53 - 1);
  bigEndian.writeU64(2n ** 53n, bytes, 0);
  assert.is(bigEndian.readSafeU64(bytes, 0), undefined);
});

test("nothing is written behind the end, or read from there", () => {
  const bytes = new Uint8Array(7);
  assert.throws(() => bigEndian.writeU64(1n, bytes, 0), isAssertion);
  assert.throws(() => bigEndian.readU32(bytes, 4), isAssertion);
  assert.throws(() => writeVarint(2 ** 52, bytes, 0), isAssertion);
});

test("keys of ids order as the ids, and give them back", () => {
  fc.assert(
    fc.property(anyCount, anyCount, (a, b) => {
      assert.is(bigEndian.idKey(a) < bigEndian.idKey(b), a < b);
      assert.is(bigEndian.idOfKey(bigEndian.idKey(a)), a);
    }),
    { includeErrorInReport: true },
  );
  assert.is(hex(bigEndian.idKey(2 ** 40 + 0x8090)), "0000010000008090");
});

test.run();
