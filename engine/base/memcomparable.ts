/**
 * The order-preserving codec of keys that something follows, as TiKV writes it. A bare key cannot
 * be followed by a suffix: "a" + suffix and "ab" + suffix would mix. Encoded, no key is a prefix of
 * another, and encoded keys order as the keys do, whatever comes behind them.
 *
 *   key      groups of 8 bytes, the last one padded with 00 to 8, each followed by a marker
 *   marker   FF less the number of padding bytes: FF means another group follows (a key of a
 *            multiple of 8 bytes ends in a group of padding alone: 00 x 8, F7)
 *   suffix   of a versioned key, 8 bytes: the timestamp, big-endian, each bit inverted, so that of
 *            one key the newest version comes first
 */
import { assert } from "./assert.ts";
import type { Key } from "./bytes.ts";

const GROUP = 8;
const GROUP_ENCODED = GROUP + 1;
const FULL = 0xff;

/** `[n]` is the padding and the marker of a last group with `n` bytes of padding. */
const ENDINGS: readonly string[] = Array.from(
  { length: GROUP + 1 },
  (_, padding) => "\0".repeat(padding) + String.fromCharCode(FULL - padding),
);
/** Length in bytes of a descending suffix. */
export const SUFFIX_BYTES = 8;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

export type DecodedKey =
  /** `end` is the offset behind the encoded key. */
  | { readonly ok: true; readonly key: Key; readonly end: number }
  /**
   * `offset` is that of the first byte that cannot be part of an encoded key; at the end, one is
   * missing.
   */
  | { readonly ok: false; readonly reason: "malformed_key"; readonly offset: number };

/**
 * `key` encoded. Slices of at most 8 characters joined: measured twice as fast as going through
 * bytes.
 */
export function encodeMemcomparable(key: Key): Key {
  let text = "";
  let at = 0;
  for (; at + GROUP <= key.length; at += GROUP) text += key.slice(at, at + GROUP) + ENDINGS[0]!;
  return (text + key.slice(at) + ENDINGS[GROUP - (key.length - at)]!) as Key;
}

/** How many bytes a key of `length` bytes takes when it is encoded. */
export const memcomparableSize = (length: number): number =>
  (Math.floor(length / GROUP) + 1) * GROUP_ENCODED;

/** The encoded key that begins at `offset` of `text`. */
export function decodeMemcomparable(text: Key, offset: number = 0): DecodedKey {
  let key = "";
  for (let at = offset; at + GROUP < text.length; at += GROUP_ENCODED) {
    const marker = text.charCodeAt(at + GROUP);
    if (marker === FULL) {
      key += text.slice(at, at + GROUP);
      continue;
    }
    const padding = FULL - marker;
    if (padding > GROUP) return { ok: false, reason: "malformed_key", offset: at + GROUP };
    const end = at + GROUP - padding;
    for (let i = end; i < at + GROUP; i++) {
      if (text.charCodeAt(i) !== 0) return { ok: false, reason: "malformed_key", offset: i };
    }
    return { ok: true, key: (key + text.slice(at, end)) as Key, end: at + GROUP_ENCODED };
  }
  return { ok: false, reason: "malformed_key", offset: text.length };
}

/** The suffix that puts greater values of `value`, an unsigned 64-bit integer, first. */
export function descendingSuffix(value: bigint): Key {
  assert(value >= 0n && value <= MAX_U64, "a suffix is of an unsigned 64-bit integer");
  const high = ~Number(value >> 32n);
  const low = ~Number(value & 0xffff_ffffn);
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  ) as Key;
}

/**
 * The value whose descending suffix begins at `offset` of `text`; undefined where `text` is too
 * short.
 */
export function readDescendingSuffix(text: Key, offset: number): bigint | undefined {
  if (text.length < offset + SUFFIX_BYTES) return undefined;
  const word = (at: number): number =>
    ~(
      (text.charCodeAt(at) << 24) |
      (text.charCodeAt(at + 1) << 16) |
      (text.charCodeAt(at + 2) << 8) |
      text.charCodeAt(at + 3)
    ) >>> 0;
  return (BigInt(word(offset)) << 32n) | BigInt(word(offset + 4));
}
