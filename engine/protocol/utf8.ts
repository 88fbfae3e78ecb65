/**
 * UTF-8, because the engine has no `TextEncoder`. Strict: what is malformed is refused, not mended.
 */
import { keyFromRange } from "../base/bytes.ts";

/** The text in `bytes` from `start` to `end`; undefined where that is no UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let at = start;
  while (at < end && bytes[at]! < 0x80) at += 1;
  // ASCII is one byte a character, which is just what a key is.
  const head: string = keyFromRange(bytes, start, at);
  return at === end ? head : readRest(bytes, at, end, head);
}

function readRest(bytes: Uint8Array, start: number, end: number, head: string): string | undefined {
  let text = head;
  let at = start;
  while (at < end) {
    const first = bytes[at]!;
    const length = sequenceLength(first);
    if (length === 0 || at + length > end) return undefined;
    let code = length === 1 ? first : first & (0x7f >> length);
    for (let i = 1; i < length; i++) {
      const next = bytes[at + i]!;
      if ((next & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (next & 0x3f);
    }
    if (!isScalar(code, length)) return undefined;
    text += String.fromCodePoint(code);
    at += length;
  }
  return text;
}

/** How many bytes the sequence with this first byte has; 0 where it cannot be a first byte. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

/** Neither written longer than needed, nor half of a surrogate pair, nor above U+10FFFF. */
function isScalar(code: number, length: number): boolean {
  if (length === 3) return code >= 0x800 && (code < 0xd800 || code > 0xdfff);
  if (length === 4) return code >= 0x1_0000 && code <= 0x10_ffff;
  return true;
}

/** How many bytes `text` takes. */
export function utf8Size(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) size += 1;
    else {
      size += 2;
      // A pair of units is one sequence of four bytes.
      if (isPair(text, i)) i += 1;
    }
  }
  return size;
}

/** Writes `text` into `target` from `offset` on. Half of a surrogate pair becomes U+FFFD. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): void {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >>> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else if (isPair(text, i)) {
      const code = text.codePointAt(i)!;
      i += 1;
      target[at++] = 0xf0 | (code >>> 18);
      target[at++] = 0x80 | ((code >>> 12) & 0x3f);
      target[at++] = 0x80 | ((code >>> 6) & 0x3f);
      target[at++] = 0x80 | (code & 0x3f);
    } else {
      const code = unit >= 0xd800 && unit <= 0xdfff ? 0xfffd : unit;
      target[at++] = 0xe0 | (code >>> 12);
      target[at++] = 0x80 | ((code >>> 6) & 0x3f);
      target[at++] = 0x80 | (code & 0x3f);
    }
  }
}

function isPair(text: string, i: number): boolean {
  const unit = text.charCodeAt(i);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(i + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
