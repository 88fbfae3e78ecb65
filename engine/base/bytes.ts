/**
 * Keys and byte strings. Inside the engine a key is a one-byte string: one character a byte, so its
 * `<` is unsigned byte order, it is immutable, and it is a `Map` key as it stands. Values are
 * `Uint8Array`. Keys are converted once, in the codecs.
 */
import { assert } from "./assert.ts";
import type { Brand } from "./ids.ts";

/** A byte string as one character (U+0000 to U+00FF) a byte. Compare with `<`. Never text. */
export type Key = Brand<string, "Key">;

/** The smallest key. As an exclusive upper bound it stands for "no bound". */
export const EMPTY_KEY: Key = "" as Key;
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** Checks that every character of `text` is a byte. */
export function Key(text: string): Key {
  for (let i = 0; i < text.length; i++) {
    assert(text.charCodeAt(i) <= 0xff, "a key has one character a byte");
  }
  return text as Key;
}

const CHUNK = 4096;

/** The key with these bytes. Borrows `bytes`. */
export const keyFromBytes = (bytes: Uint8Array): Key => keyFromRange(bytes, 0, bytes.length);

/**
 * The key with the bytes of `bytes` from `start` to `end`. Borrows `bytes`.
 *
 * Keys are short, and for short ones many characters in one call beat every other way: 60 ns for 16
 * bytes, against 150 ns for `apply` on a subarray and 180 ns for a character at a time.
 */
export function keyFromRange(bytes: Uint8Array, start: number, end: number): Key {
  if (end - start > 64) return longKey(bytes, start, end);
  let text = "";
  let at = start;
  for (; at + 16 <= end; at += 16) text += characters16(bytes, at);
  if (at + 8 <= end) {
    text += characters8(bytes, at);
    at += 8;
  }
  return (at === end ? text : text + charactersBelow8(bytes, at, end - at)) as Key;
}

function characters16(b: Uint8Array, i: number): string {
  // prettier-ignore
  return String.fromCharCode(
    b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!,
    b[i + 8]!, b[i + 9]!, b[i + 10]!, b[i + 11]!, b[i + 12]!, b[i + 13]!, b[i + 14]!, b[i + 15]!,
  );
}

function characters8(b: Uint8Array, i: number): string {
  // prettier-ignore
  return String.fromCharCode(
    b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!,
  );
}

function charactersBelow8(b: Uint8Array, i: number, count: number): string {
  // prettier-ignore
  switch (count) {
    case 1: return String.fromCharCode(b[i]!);
    case 2: return String.fromCharCode(b[i]!, b[i + 1]!);
    case 3: return String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!);
    case 4: return String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    case 5: return String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!);
    case 6: return String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!);
    default: return String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!);
  }
}

function longKey(bytes: Uint8Array, start: number, end: number): Key {
  let text = "";
  for (let at = start; at < end; at += CHUNK) {
    const piece = bytes.subarray(at, Math.min(at + CHUNK, end));
    text += String.fromCharCode.apply(undefined, piece as unknown as number[]);
  }
  return text as Key;
}

/** The bytes of `key`, fresh. */
export function keyToBytes(key: Key): Uint8Array {
  const bytes = new Uint8Array(key.length);
  writeKey(key, bytes, 0);
  return bytes;
}

/** Writes the bytes of `key` into `target` from `offset` on; returns the offset behind them. */
export function writeKey(key: Key, target: Uint8Array, offset: number): number {
  for (let i = 0; i < key.length; i++) {
    target[offset + i] = key.charCodeAt(i);
  }
  return offset + key.length;
}

/** The smallest key that is greater than every key starting with `key`; empty where there is none. */
export function prefixEnd(key: Key): Key {
  let length = key.length;
  while (length > 0 && key.charCodeAt(length - 1) === 0xff) length -= 1;
  if (length === 0) return EMPTY_KEY;
  return (key.slice(0, length - 1) + String.fromCharCode(key.charCodeAt(length - 1) + 1)) as Key;
}

/** The smallest key greater than `key`. */
export const keyAfter = (key: Key): Key => (key + "\0") as Key;

/** Whether `key` lies in [start, end), where an empty `end` is no bound. */
export const inRange = (key: Key, start: Key, end: Key): boolean =>
  key >= start && (end === EMPTY_KEY || key < end);

/** Negative, zero or positive as `a` is before, equal to or after `b` in unsigned byte order. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** The parts one behind the other, fresh. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** `bytes` as lower-case hexadecimal, for messages to people. */
export function hex(bytes: Uint8Array | Key): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = typeof bytes === "string" ? bytes.charCodeAt(i) : bytes[i]!;
    text += byte.toString(16).padStart(2, "0");
  }
  return text;
}
