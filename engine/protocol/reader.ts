/**
 * Reading the protobuf wire format. A reader is a cursor over borrowed bytes. The first failure
 * sticks: it moves the cursor behind the last byte, so every loop of the form `while (at < end)`
 * ends and the callers need not look at each step.
 */
import { EMPTY_BYTES, keyFromRange } from "../base/bytes.ts";
import type { Key } from "../base/bytes.ts";
import { readUtf8 } from "./utf8.ts";

/** A cursor over `bytes`. */
export interface Reader {
  /** Borrowed. */
  readonly bytes: Uint8Array;
  /** The offset of the next byte to read; behind `bytes.length` after a failure. */
  at: number;
  /** What went wrong first, as a sentence with its offset. */
  failure: string | undefined;
  /** The upper 32 bits of the varint that `varint64` read last. */
  high: number;
  /** How many messages of a type that can hold itself are open. */
  depth: number;
}

/** Deeper nesting than any sender makes; less than what would exhaust the call stack. */
const MAX_DEPTH = 100;
const TWO_32 = 4_294_967_296;

export function createReader(bytes: Uint8Array): Reader {
  return { bytes, at: 0, failure: undefined, high: 0, depth: 0 };
}

/** Notes the first failure and stops every loop over this reader. */
export function fail(r: Reader, what: string): void {
  r.failure ??= `${what} at byte ${r.at}`;
  r.at = r.bytes.length + 1;
}

/** Ends a message that must have taken exactly the bytes up to `end`. */
export function finish(r: Reader, end: number): void {
  if (r.at !== end) fail(r, "a field runs past the end of its message");
}

/** The end of the length-delimited field that starts here; the cursor moves to its first byte. */
export function nestedEnd(r: Reader): number {
  const length = uint32(r);
  const end = r.at + length;
  if (end > r.bytes.length) {
    fail(r, "a field is longer than the message");
    return r.at;
  }
  return end;
}

/** Opens a message of a type that can hold itself. */
export function enter(r: Reader): void {
  r.depth += 1;
  if (r.depth > MAX_DEPTH) fail(r, "messages are nested too deeply");
}

/** Closes what `enter` opened. */
export function leave(r: Reader): void {
  r.depth -= 1;
}

/**
 * The lower 32 bits of a varint, unsigned: tags, lengths, enums, uint32. Longer varints are cut off
 * as protobuf says.
 */
export function uint32(r: Reader): number {
  const { bytes, at } = r;
  if (at < bytes.length) {
    const first = bytes[at]!;
    if (first < 0x80) {
      r.at = at + 1;
      return first;
    }
  }
  return varint64(r);
}

/** A varint as a signed 32-bit number: int32 and enums. */
export const int32 = (r: Reader): number => uint32(r) | 0;

export function bool(r: Reader): boolean {
  const { bytes, at } = r;
  if (at < bytes.length && bytes[at]! < 0x80) {
    r.at = at + 1;
    return bytes[at] !== 0;
  }
  return varint64(r) !== 0 || r.high !== 0;
}

/** A uint64 that must be at most 2^53 - 1. */
export function safeUint64(r: Reader): number {
  const { bytes, at } = r;
  if (at < bytes.length) {
    const first = bytes[at]!;
    if (first < 0x80) {
      r.at = at + 1;
      return first;
    }
  }
  const low = varint64(r);
  const value = r.high * TWO_32 + low;
  if (value > Number.MAX_SAFE_INTEGER) fail(r, "a number is greater than 2^53 - 1");
  return value;
}

/** An int64 whose magnitude must be at most 2^53 - 1. */
export function safeInt64(r: Reader): number {
  const low = varint64(r);
  const value = (r.high | 0) * TWO_32 + low;
  if (!Number.isSafeInteger(value)) fail(r, "a number is outside of +-(2^53 - 1)");
  return value;
}

/** A uint64, exact. */
export function uint64(r: Reader): bigint {
  const low = varint64(r);
  return joined(low, r.high);
}

/** An int64, exact. */
export const int64 = (r: Reader): bigint => BigInt.asIntN(64, uint64(r));

/** Eight bytes, little-endian. */
export function double(r: Reader): number {
  if (r.at + 8 > r.bytes.length) {
    fail(r, "a number is cut off");
    return 0;
  }
  const view = new DataView(r.bytes.buffer, r.bytes.byteOffset + r.at, 8);
  r.at += 8;
  return view.getFloat64(0, true);
}

/** A view of the input, never a subclass of `Uint8Array` whatever the input was. */
export function bytes(r: Reader): Uint8Array {
  const end = nestedEnd(r);
  const start = r.at;
  if (end === start) return EMPTY_BYTES;
  r.at = end;
  return new Uint8Array(r.bytes.buffer, r.bytes.byteOffset + start, end - start);
}

/** A `bytes` field that is a key. A copy. */
export function key(r: Reader): Key {
  const end = nestedEnd(r);
  const start = r.at;
  r.at = end;
  return keyFromRange(r.bytes, start, end);
}

/** Text; fails where it is not UTF-8. */
export function string(r: Reader): string {
  const end = nestedEnd(r);
  const start = r.at;
  if (end === start) return "";
  const text = readUtf8(r.bytes, start, end);
  if (text === undefined) {
    fail(r, "a string is not UTF-8");
    return "";
  }
  r.at = end;
  return text;
}

/** Passes over the field with this tag, whatever it is. */
export function skip(r: Reader, tag: number): void {
  if (tag >>> 3 === 0) return fail(r, "a field has the number 0");
  switch (tag & 7) {
    case 0:
      varint64(r);
      return;
    case 1:
      return skipBytes(r, 8);
    case 2:
      r.at = nestedEnd(r);
      return;
    case 3:
      return skipGroup(r, tag >>> 3);
    case 5:
      return skipBytes(r, 4);
    default:
      return fail(r, "a field has no known wire type");
  }
}

function skipBytes(r: Reader, count: number): void {
  if (r.at + count > r.bytes.length) fail(r, "a number is cut off");
  else r.at += count;
}

/**
 * Groups are history, but a message may hold one. Their nesting is kept in a list, not on the call
 * stack.
 */
function skipGroup(r: Reader, field: number): void {
  const open = [field];
  while (open.length > 0 && r.failure === undefined) {
    const tag = uint32(r);
    if ((tag & 7) === 3) open.push(tag >>> 3);
    else if ((tag & 7) !== 4) skip(r, tag);
    else if (open.pop() !== tag >>> 3) fail(r, "a group ends that is not open");
  }
}

/** The lower 32 bits of a varint, unsigned; the upper ones go to `r.high`. */
function varint64(r: Reader): number {
  const { bytes } = r;
  const last = Math.min(bytes.length, r.at + 10);
  let low = 0;
  let high = 0;
  let shift = 0;
  for (let at = r.at; at < last; at++) {
    const byte = bytes[at]!;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) {
      r.at = at + 1;
      r.high = high >>> 0;
      return low >>> 0;
    }
    shift += 7;
  }
  fail(r, last === bytes.length ? "a varint is cut off" : "a varint has more than ten bytes");
  r.high = 0;
  return 0;
}

/** `asUintN` around each step lets the compiler work on machine words. */
function joined(low: number, high: number): bigint {
  if (high === 0) return BigInt(low);
  return BigInt.asUintN(64, BigInt.asUintN(64, BigInt(high) * 4_294_967_296n) + BigInt(low));
}
