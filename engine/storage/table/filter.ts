/**
 * A table's filter: says of most keys that the table lacks that it lacks them, and never of one
 * that it has. A Bloom filter in lines of 64 bytes: the first half of a key's hash chooses the
 * line, the second the bits in it, so that one look costs one miss of the processor's cache.
 *
 * ```
 *  64 × lines   bits; bit n of a line is bit n % 8 (from the low end) of its byte n / 8
 *  1            probes for each key
 * ```
 */
import { assert } from "../../base/assert.ts";
import type { Key } from "../../base/bytes.ts";

export const LINE_BYTES = 64;
const LINE_BITS = 8 * LINE_BYTES;
const TWO_32 = 2 ** 32;
const MAX_PROBES = 16;
/** Keys that a builder has room for at first. */
const FIRST_KEYS = 64;

const FACTOR_1 = 0xcc9e2d51 | 0;
const FACTOR_2 = 0x85ebca6b | 0;
const FACTOR_3 = 0xc2b2ae35 | 0;
/** 2^32 divided by the golden ratio: multiples of it spread evenly. */
const GOLDEN = 0x9e3779b9 | 0;

/**
 * The 64-bit hash of a key, in two signed halves. Part of the format. Used again for key after key.
 */
export class KeyHash {
  line = 0;
  bits = 0;

  /** Hashes the first `length` bytes of `key`. */
  of(key: Key, length: number): void {
    let a = length | 0;
    let b = ~length;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const word =
        key.charCodeAt(at) |
        (key.charCodeAt(at + 1) << 8) |
        (key.charCodeAt(at + 2) << 16) |
        (key.charCodeAt(at + 3) << 24);
      a = Math.imul(a ^ word, FACTOR_1);
      a ^= a >>> 15;
      b = Math.imul((b << 13) | (b >>> 19), FACTOR_2) ^ word;
    }
    for (; at < length; at++) {
      const byte = key.charCodeAt(at);
      a = Math.imul(a ^ byte, FACTOR_1);
      a ^= a >>> 15;
      b = Math.imul((b << 13) | (b >>> 19), FACTOR_2) ^ byte;
    }
    a = Math.imul(a ^ (a >>> 16), FACTOR_2);
    this.line = a ^ (a >>> 13);
    b = Math.imul(b ^ (b >>> 16), FACTOR_3);
    this.bits = Math.imul(b ^ (b >>> 13), FACTOR_1);
  }
}

/** Collects the hashes of a table's filter keys, eight bytes each. */
export class FilterBuilder {
  private readonly bitsPerKey: number;
  private readonly hash: KeyHash = new KeyHash();
  private hashes: Int32Array = new Int32Array(2 * FIRST_KEYS);
  private count = 0;

  constructor(bitsPerKey: number) {
    assert(bitsPerKey > 0, "a filter has bits");
    this.bitsPerKey = bitsPerKey;
  }

  /** Bytes of the filter if it ended here. */
  get size(): number {
    return this.lines * LINE_BYTES + 1;
  }

  /**
   * Adds the filter key that is the first `length` bytes of `key`. The same as the last one is one.
   */
  add(key: Key, length: number): void {
    const { hash, count } = this;
    hash.of(key, length);
    if (
      count > 0 &&
      this.hashes[2 * count - 2] === hash.line &&
      this.hashes[2 * count - 1] === hash.bits
    ) {
      return;
    }
    if (2 * count === this.hashes.length) {
      const hashes = new Int32Array(4 * count);
      hashes.set(this.hashes);
      this.hashes = hashes;
    }
    this.hashes[2 * count] = hash.line;
    this.hashes[2 * count + 1] = hash.bits;
    this.count += 1;
  }

  /** The filter of what was added since the last one. */
  finish(): Uint8Array {
    const { lines, hashes } = this;
    // Bits times ln 2 would be best without lines; within them, a little fewer.
    const probes = Math.min(Math.max(Math.floor(this.bitsPerKey * 0.62), 1), MAX_PROBES);
    const filter = new Uint8Array(lines * LINE_BYTES + 1);
    filter[lines * LINE_BYTES] = probes;
    for (let i = 0; i < this.count; i++) {
      filterAdd(filter, lineOf(hashes[2 * i]!, lines), hashes[2 * i + 1]!, probes);
    }
    this.count = 0;
    return filter;
  }

  private get lines(): number {
    return Math.max(1, Math.ceil((this.count * this.bitsPerKey) / LINE_BITS));
  }
}

/** Whether `filter[0, size)` is of the shape that `FilterBuilder` gives it. */
export function isFilter(filter: Uint8Array, size: number): boolean {
  const probes = filter[size - 1]!;
  return size > LINE_BYTES && size % LINE_BYTES === 1 && probes >= 1 && probes <= MAX_PROBES;
}

/** False where no key of this hash is in the table. */
export function filterHas(filter: Uint8Array, size: number, hash: KeyHash): boolean {
  const last = size - 1;
  return lineHas(filter, lineOf(hash.line, last / LINE_BYTES), hash.bits, filter[last]!);
}

/** Sets the bits of a key in the line at `line`. */
export function filterAdd(filter: Uint8Array, line: number, hashed: number, probes: number): void {
  let bits = hashed;
  for (let probe = 0; probe < probes; probe++) {
    const bit = bits >>> 23;
    filter[line + (bit >>> 3)]! |= 1 << (bit & 7);
    bits = Math.imul(bits, GOLDEN);
  }
}

/** Whether all bits of a key are set in the line at `line`. */
export function lineHas(filter: Uint8Array, line: number, hashed: number, probes: number): boolean {
  let bits = hashed;
  for (let probe = 0; probe < probes; probe++) {
    const bit = bits >>> 23;
    if ((filter[line + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
    bits = Math.imul(bits, GOLDEN);
  }
  return true;
}

/** Offset of the line for this half of a hash. */
export const lineOf = (half: number, lines: number): number =>
  LINE_BYTES * Math.floor(((half >>> 0) * lines) / TWO_32);
