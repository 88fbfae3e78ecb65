/**
 * Fixed-length unsigned integers, big-endian, so that their bytes order as they do. Readers and
 * writers take offsets that the caller has checked to be within the bytes.
 */
import { assert } from "./assert.ts";
import type { Key } from "./bytes.ts";

const TWO_32 = 2 ** 32;

/** Writes 4 bytes at `offset`; returns the offset behind them. */
export function writeU32(value: number, target: Uint8Array, offset: number): number {
  assert(offset + 4 <= target.length, "an integer fits where it is written");
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
  return offset + 4;
}

export function readU32(bytes: Uint8Array, offset: number): number {
  assert(offset + 4 <= bytes.length, "an integer is read from within the bytes");
  return (
    ((bytes[offset]! << 24) |
      (bytes[offset + 1]! << 16) |
      (bytes[offset + 2]! << 8) |
      bytes[offset + 3]!) >>>
    0
  );
}

/** Writes 8 bytes at `offset`; returns the offset behind them. */
export function writeU64(value: bigint, target: Uint8Array, offset: number): number {
  writeU32(Number((value >> 32n) & 0xffff_ffffn), target, offset);
  return writeU32(Number(value & 0xffff_ffffn), target, offset + 4);
}

export function readU64(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(readU32(bytes, offset)) << 32n) | BigInt(readU32(bytes, offset + 4));
}

/**
 * Writes a safe integer that is not negative as 8 bytes at `offset`; returns the offset behind
 * them.
 */
export function writeSafeU64(value: number, target: Uint8Array, offset: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, "only safe integers are written as such");
  writeU32(Math.floor(value / TWO_32), target, offset);
  return writeU32(value, target, offset + 4);
}

/** The safe integer in the 8 bytes at `offset`; undefined where they hold a greater one. */
export function readSafeU64(bytes: Uint8Array, offset: number): number | undefined {
  const value = readU32(bytes, offset) * TWO_32 + readU32(bytes, offset + 4);
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** The 8-byte key of an id: keys order as the ids do. */
export function idKey(id: number): Key {
  assert(Number.isSafeInteger(id) && id >= 0, "an id is a safe integer, not negative");
  const high = Math.floor(id / TWO_32);
  return String.fromCharCode(
    0,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    id >>> 24,
    (id >>> 16) & 0xff,
    (id >>> 8) & 0xff,
    id & 0xff,
  ) as Key;
}

/** The id that `key` was made of by `idKey`. */
export function idOfKey(key: Key): number {
  assert(key.length === 8, "the key of an id has 8 bytes");
  let id = 0;
  for (let i = 0; i < 8; i++) id = id * 256 + key.charCodeAt(i);
  return id;
}
