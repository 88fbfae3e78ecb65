/**
 * The pieces that lock and write records are made of, in TiKV's forms:
 *
 *   varint    unsigned 64 bits, seven a byte, low ones first, the top bit set on all but the last
 *   u64       8 bytes, big-endian
 *   bytes     varint of twice the length (a zigzag-coded length that is never negative), then bytes
 *   short     length (1), then bytes
 *
 * A reader that has met bytes that are none of these remembers where and reads nothing from then
 * on, so that a decoder asks once, at its end.
 */
import { assert } from "../../base/assert.ts";
import { EMPTY_BYTES, EMPTY_KEY, type Key, keyFromRange, writeKey } from "../../base/bytes.ts";
import { readU64, writeU64 } from "../../base/big-endian.ts";
import type { Timestamp } from "../../base/timestamp.ts";
import { readVarint, writeVarint } from "../../base/varint.ts";

/** Most bytes that a varint of 64 bits takes. */
export const MAX_VARINT64_BYTES = 10;
/** Longest value that a lock or write record carries itself. */
export const SHORT_VALUE_BYTES = 255;

export class FieldWriter {
  private readonly bytes: Uint8Array;
  private at = 0;

  /** `capacity` is enough for everything that will be written. */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** The byte of an ASCII character. */
  tag(character: string): void {
    this.bytes[this.at++] = character.charCodeAt(0);
  }

  /** A count or a duration: a safe integer that is not negative. */
  count(value: number): void {
    this.at = writeVarint(value, this.bytes, this.at);
  }

  varint(value: bigint): void {
    let low = Number(value & 0xffff_ffffn);
    let high = Number(value >> 32n);
    while (high > 0 || low >= 0x80) {
      this.bytes[this.at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | ((high & 0x7f) << 25)) >>> 0;
      high >>>= 7;
    }
    this.bytes[this.at++] = low;
  }

  u64(value: bigint): void {
    this.at = writeU64(value, this.bytes, this.at);
  }

  key(key: Key): void {
    this.count(key.length * 2);
    this.at = writeKey(key, this.bytes, this.at);
  }

  short(value: Uint8Array): void {
    assert(value.length <= SHORT_VALUE_BYTES, "a value within a record is short");
    this.bytes[this.at++] = value.length;
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** What was written. */
  done(): Uint8Array {
    assert(this.at <= this.bytes.length, "a record has the capacity for its fields");
    return this.bytes.slice(0, this.at);
  }
}

export class FieldReader {
  /** Where the bytes stop making sense; undefined as long as they do. */
  failedAt: number | undefined;
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get offset(): number {
    return this.at;
  }

  /** Whether there is something left that can be read. */
  get more(): boolean {
    return this.failedAt === undefined && this.at < this.bytes.length;
  }

  tag(): string {
    return this.has(1) ? String.fromCharCode(this.bytes[this.at++]!) : "";
  }

  count(): number {
    if (this.failedAt !== undefined) return 0;
    const read = readVarint(this.bytes, this.at);
    if (!read.ok) {
      this.fail();
      return 0;
    }
    this.at = read.next;
    return read.value;
  }

  varint(): bigint {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 7 * MAX_VARINT64_BYTES; shift += 7) {
      if (!this.has(1)) return 0n;
      const byte = this.bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte >= 0x80) continue;
      if ((shift === 63 && byte > 1) || (byte === 0 && shift > 0)) break;
      return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    }
    this.at -= 1;
    this.fail();
    return 0n;
  }

  u64(): bigint {
    if (!this.has(8)) return 0n;
    this.at += 8;
    return readU64(this.bytes, this.at - 8);
  }

  timestamp(): Timestamp {
    return this.u64() as Timestamp;
  }

  /** A u64 that is a safe integer. */
  size(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.at -= 8;
      this.fail();
      return 0;
    }
    return Number(value);
  }

  key(): Key {
    const start = this.at;
    const doubled = this.count();
    if (doubled % 2 === 1) {
      this.at = start;
      this.fail();
    }
    if (!this.has(doubled / 2)) return EMPTY_KEY;
    const from = this.at;
    this.at += doubled / 2;
    return keyFromRange(this.bytes, from, this.at);
  }

  /** A view of the record. */
  short(): Uint8Array {
    if (!this.has(1)) return EMPTY_BYTES;
    const length = this.bytes[this.at++]!;
    if (!this.has(length)) return EMPTY_BYTES;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  fail(): void {
    this.failedAt ??= this.at;
  }

  private has(count: number): boolean {
    if (this.failedAt !== undefined) return false;
    if (this.bytes.length - this.at >= count) return true;
    this.fail();
    return false;
  }
}
