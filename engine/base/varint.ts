/**
 * Unsigned variable-length integers (LEB128, as protobuf's): seven bits a byte, low ones first, the
 * top bit set on all bytes but the last. Values are safe integers, so a varint has 8 bytes at most.
 * Only the shortest form is read: a value has one encoding.
 */
import { assert } from "./assert.ts";

export const MAX_VARINT_BYTES = 8;

export type ReadVarint =
  | { readonly ok: true; readonly value: number; readonly next: number }
  /** The bytes end within it; or it is above 2^53 - 1; or a shorter form exists. */
  | { readonly ok: false; readonly reason: "truncated" | "too_large" | "not_shortest" };

/** How many bytes `value` takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Writes `value` at `offset` of `target`; returns the offset behind it. */
export function writeVarint(value: number, target: Uint8Array, offset: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, "a varint is a safe integer, not negative");
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  assert(at <= target.length, "a varint fits where it is written");
  return at;
}

/** The varint at `offset` of `bytes`; `next` is the offset behind it. */
export function readVarint(bytes: Uint8Array, offset: number): ReadVarint {
  let value = 0;
  let unit = 1;
  for (let at = offset; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (at - offset === MAX_VARINT_BYTES) return { ok: false, reason: "too_large" };
    value += (byte & 0x7f) * unit;
    if (value > Number.MAX_SAFE_INTEGER) return { ok: false, reason: "too_large" };
    if (byte < 0x80) {
      if (byte === 0 && at > offset) return { ok: false, reason: "not_shortest" };
      return { ok: true, value, next: at + 1 };
    }
    unit *= 0x80;
  }
  return { ok: false, reason: "truncated" };
}
