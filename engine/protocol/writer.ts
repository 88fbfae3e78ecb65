/**
 * Writing the protobuf wire format, from the last byte to the first. Once the fields of a nested
 * message are there its length is known, so its prefix is simply put before them: one pass, and
 * nothing is measured twice. Callers therefore write fields in descending order.
 *
 * A writer may be kept and used for message after message: `writtenView` then gives views of one
 * buffer, and a frame header can be put in front of a message without a copy.
 */
import { writeKey } from "../base/bytes.ts";
import type { Key } from "../base/bytes.ts";
import { assert } from "../base/assert.ts";
import { utf8Size, writeUtf8 } from "./utf8.ts";

/** The last `size` bytes of `buffer` are written. */
export interface Writer {
  buffer: Uint8Array;
  size: number;
}

/**
 * Small buffers live in the engine's heap (25 ns); a larger one costs an allocation outside of it
 * (640 ns).
 */
const FIRST_CAPACITY = 64;
const GROWTH = 8;
const TWO_32 = 4_294_967_296;

export function createWriter(capacity: number = FIRST_CAPACITY): Writer {
  return { buffer: new Uint8Array(capacity), size: 0 };
}

/** What was written, fresh. */
export function writtenBytes(w: Writer): Uint8Array {
  return w.size === w.buffer.length ? w.buffer : w.buffer.slice(w.buffer.length - w.size);
}

/** What was written, as a view of the writer's buffer. */
export function writtenView(w: Writer): Uint8Array {
  return w.buffer.subarray(w.buffer.length - w.size);
}

/** Makes room for `count` bytes in front; returns the offset of the first. */
export function reserve(w: Writer, count: number): number {
  const size = w.size + count;
  if (size > w.buffer.length) grow(w, size);
  w.size = size;
  return w.buffer.length - size;
}

function grow(w: Writer, needed: number): void {
  let capacity = Math.max(w.buffer.length, FIRST_CAPACITY);
  // Large buffers grow more gently: at most half of the last one is wasted.
  while (capacity < needed) capacity *= capacity < 65_536 ? GROWTH : 2;
  const buffer = new Uint8Array(capacity);
  buffer.set(writtenView(w), capacity - w.size);
  w.buffer = buffer;
}

/** A varint below 2^32. */
export function uint32(w: Writer, value: number): void {
  if (value < 0x80) {
    const at = reserve(w, 1);
    w.buffer[at] = value;
  } else if (value < 0x4000) {
    const at = reserve(w, 2);
    w.buffer[at] = (value & 0x7f) | 0x80;
    w.buffer[at + 1] = value >>> 7;
  } else {
    halves(w, value >>> 0, 0);
  }
}

/** Ends a length-delimited field whose bytes were written since the writer had `before` bytes. */
export function lengthPrefix(w: Writer, tag: number, before: number): void {
  uint32(w, w.size - before);
  uint32(w, tag);
}

export function uint32Field(w: Writer, tag: number, value: number): void {
  uint32(w, value >>> 0);
  uint32(w, tag);
}

/** int32 and enums; negative ones take ten bytes, as protobuf says. */
export function int32(w: Writer, value: number): void {
  if (value >= 0) uint32(w, value);
  else halves(w, value >>> 0, 0xffff_ffff);
}

export function int32Field(w: Writer, tag: number, value: number): void {
  int32(w, value);
  uint32(w, tag);
}

export function bool(w: Writer, value: boolean): void {
  uint32(w, value ? 1 : 0);
}

export function boolField(w: Writer, tag: number, value: boolean): void {
  bool(w, value);
  uint32(w, tag);
}

/** A 64-bit integer that is a safe number. */
export function safe64(w: Writer, value: number): void {
  if (value >= 0 && value < 0x4000) return uint32(w, value);
  assert(Number.isSafeInteger(value), "a 64-bit field holds a safe integer");
  const low = value >>> 0;
  halves(w, low, ((value - low) / TWO_32) >>> 0);
}

export function safe64Field(w: Writer, tag: number, value: number): void {
  safe64(w, value);
  uint32(w, tag);
}

/** uint64 and int64, exact. */
export function big64(w: Writer, value: bigint): void {
  const word = BigInt.asUintN(64, value);
  halves(w, Number(BigInt.asUintN(32, word)), Number(BigInt.asUintN(32, word >> 32n)));
}

export function big64Field(w: Writer, tag: number, value: bigint): void {
  big64(w, value);
  uint32(w, tag);
}

export function double(w: Writer, value: number): void {
  const at = reserve(w, 8);
  new DataView(w.buffer.buffer, w.buffer.byteOffset + at, 8).setFloat64(0, value, true);
}

export function doubleField(w: Writer, tag: number, value: number): void {
  double(w, value);
  uint32(w, tag);
}

export function bytesField(w: Writer, tag: number, value: Uint8Array): void {
  const at = reserve(w, value.length);
  w.buffer.set(value, at);
  uint32(w, value.length);
  uint32(w, tag);
}

export function keyField(w: Writer, tag: number, value: Key): void {
  const at = reserve(w, value.length);
  writeKey(value, w.buffer, at);
  uint32(w, value.length);
  uint32(w, tag);
}

export function stringField(w: Writer, tag: number, value: string): void {
  const size = utf8Size(value);
  const at = reserve(w, size);
  writeUtf8(value, w.buffer, at);
  uint32(w, size);
  uint32(w, tag);
}

/** The varint of a 64-bit word given as two unsigned halves. */
function halves(w: Writer, low: number, high: number): void {
  const count = high === 0 ? size32(low) : high < 8 ? 5 : 5 + size32(high >>> 3);
  let at = reserve(w, count);
  const { buffer } = w;
  let a = low;
  let b = high;
  while (b !== 0 || a > 0x7f) {
    buffer[at++] = (a & 0x7f) | 0x80;
    a = ((a >>> 7) | (b << 25)) >>> 0;
    b >>>= 7;
  }
  buffer[at] = a;
}

function size32(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
