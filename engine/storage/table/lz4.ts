/**
 * The LZ4 block format: sequences of literals and of copies of what stands up to 64 KiB before.
 *
 * ```
 * sequence
 *  1     token: count of literals (high 4 bits), length of the copy less 4 (low 4 bits)
 *  0-n   where a count is 15: bytes to be added to it, up to and with one that is not 255
 *        literals
 *  2     distance of the copy, little-endian
 *  0-n   where a length is 15: as above
 * ```
 *
 * The last sequence has literals only. As the format demands, the last 5 bytes are literals and no
 * copy begins within the last 12.
 */
const MIN_MATCH = 4;
const LAST_LITERALS = 5;
/** No copy begins within this many bytes of the end. */
const MATCH_MARGIN = 12;
const MAX_DISTANCE = 0xffff;
const HASH_BITS = 13;
const HASH_FACTOR = 0x9e3779b1 | 0;
/** After each 2^6 places without a copy, the step between tries grows by one. */
const SKIP_SHIFT = 6;
/** Places are small integers. */
const LAST_PLACE = 2 ** 30;

/** A block of this size never compresses to more than this. */
export const lz4Bound = (size: number): number => size + Math.ceil(size / 255) + 16;

/** The greatest size that `size` bytes of LZ4 can stand for: each byte of a length adds 255. */
export const lz4MostFrom = (size: number): number => 255 * size;

export class Lz4Compressor {
  /**
   * The place behind which each hash was last seen, counted on through all blocks: up to `before`
   * it was in an earlier one. To clear them for each would cost more than a small block does.
   */
  private readonly places: Int32Array = new Int32Array(1 << HASH_BITS);
  private before = 0;

  /**
   * Writes `source` compressed to the start of `target`, which has `lz4Bound` bytes; returns how
   * many it took.
   */
  compress(source: Uint8Array, target: Uint8Array): number {
    const { places } = this;
    if (this.before + source.length >= LAST_PLACE) {
      places.fill(0);
      this.before = 0;
    }
    const { before } = this;
    this.before += source.length;
    const lastStart = source.length - MATCH_MARGIN;
    let anchor = 0;
    let at = 0;
    let out = 0;
    let tries = 1 << SKIP_SHIFT;
    while (at < lastStart) {
      const slot = hashAt(source, at);
      const candidate = places[slot]! - before - 1;
      places[slot] = before + at + 1;
      if (candidate < 0 || at - candidate > MAX_DISTANCE || !sameWord(source, candidate, at)) {
        at += tries++ >>> SKIP_SHIFT;
        continue;
      }
      tries = 1 << SKIP_SHIFT;
      const length = matchLength(source, candidate, at);
      out = writeLiterals(source, anchor, at, length - MIN_MATCH, target, out);
      const distance = at - candidate;
      target[out++] = distance;
      target[out++] = distance >>> 8;
      if (length - MIN_MATCH >= 15) out = writeLength(length - MIN_MATCH - 15, target, out);
      at += length;
      anchor = at;
    }
    return writeLiterals(source, anchor, source.length, 0, target, out);
  }
}

/**
 * Decompresses `source[start, end)` into all of `target`. False where the bytes are no LZ4 block of
 * exactly that size.
 */
export function lz4Decompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): boolean {
  const size = target.length;
  let at = start;
  let out = 0;
  while (at < end) {
    const token = source[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) literals += more = source[at++]!;
      if (more === 255) return false;
    }
    if (at + literals > end || out + literals > size) return false;
    if (literals > 32) target.set(source.subarray(at, at + literals), out);
    else for (let i = 0; i < literals; i++) target[out + i] = source[at + i]!;
    at += literals;
    out += literals;
    if (at === end) return out === size && (token & 15) === 0;
    if (at + 2 > end) return false;
    const distance = source[at]! | (source[at + 1]! << 8);
    at += 2;
    let length = (token & 15) + MIN_MATCH;
    if (length === 15 + MIN_MATCH) {
      let more = 255;
      while (more === 255 && at < end) length += more = source[at++]!;
      if (more === 255) return false;
    }
    if (distance === 0 || distance > out || out + length > size) return false;
    if (length > 32 && distance >= length)
      target.copyWithin(out, out - distance, out - distance + length);
    else for (let i = out; i < out + length; i++) target[i] = target[i - distance]!;
    out += length;
  }
  return false;
}

function hashAt(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
}

function sameWord(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    bytes[a] === bytes[b] &&
    bytes[a + 1] === bytes[b + 1] &&
    bytes[a + 2] === bytes[b + 2] &&
    bytes[a + 3] === bytes[b + 3]
  );
}

/** How far the bytes at `candidate` and `at` agree; the last bytes of all are left out. */
function matchLength(bytes: Uint8Array, candidate: number, at: number): number {
  const most = bytes.length - LAST_LITERALS - at;
  let length = MIN_MATCH;
  while (length < most && bytes[candidate + length] === bytes[at + length]) length += 1;
  return length;
}

/** Token, count and literals of a sequence whose copy has `copyRest` bytes more than 4. */
function writeLiterals(
  source: Uint8Array,
  start: number,
  end: number,
  copyRest: number,
  target: Uint8Array,
  offset: number,
): number {
  const count = end - start;
  let out = offset;
  target[out++] = (Math.min(count, 15) << 4) | Math.min(copyRest, 15);
  if (count >= 15) out = writeLength(count - 15, target, out);
  if (count > 32) target.set(source.subarray(start, end), out);
  else for (let i = 0; i < count; i++) target[out + i] = source[start + i]!;
  return out + count;
}

function writeLength(rest: number, target: Uint8Array, offset: number): number {
  let out = offset;
  let left = rest;
  for (; left >= 255; left -= 255) target[out++] = 255;
  target[out++] = left;
  return out;
}
