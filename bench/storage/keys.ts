/**
 * The entries of the storage benchmark, made from their number alone, so that no process has to
 * remember them: keys of 24 bytes whose order is that of their numbers, values of 128 bytes of
 * which half can be compressed.
 */
import { writeU32 } from "../../engine/base/big-endian.ts";

export const KEY_BYTES = 24;
export const VALUE_BYTES = 128;
export const ENTRY_BYTES: number = KEY_BYTES + VALUE_BYTES;

/** As a database has them: a prefix that all keys of a table share, a position, a suffix. */
const PREFIX = Uint8Array.from("bench/t1", (letter) => letter.charCodeAt(0));

/** Scatters the bits of a 32-bit number (the finisher of MurmurHash3); no two become the same. */
function mix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * The key with this number. `absent`: one between it and the next, which no store of the benchmark
 * holds.
 */
export function keyAt(index: number, absent = false): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  key.set(PREFIX);
  // Even numbers are there, odd ones are not.
  writeU32(2 * index + (absent ? 1 : 0), key, 8);
  writeU32(mix(index), key, 12);
  writeU32(mix(index + 1), key, 16);
  writeU32(mix(index + 2), key, 20);
  return key;
}

/** The value of the entry with this number. */
export function valueAt(index: number): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES).fill(0x2e);
  let seed = mix(index ^ 0x5bd1_e995);
  for (let at = 0; at < VALUE_BYTES / 2; at += 4) {
    seed = mix(seed + at);
    writeU32(seed, value, at);
  }
  return value;
}

/**
 * Visits the numbers below `count` in an order without pattern, each once: a Feistel network over
 * the next power of four, walked until it falls below `count`.
 */
export class Shuffle {
  readonly #count: number;
  readonly #half: number;
  readonly #mask: number;
  readonly #seed: number;

  constructor(count: number, seed: number) {
    this.#count = count;
    this.#half = Math.max(1, Math.ceil(Math.log2(count) / 2));
    this.#mask = 2 ** this.#half - 1;
    this.#seed = seed;
  }

  at(place: number): number {
    let value = place;
    do value = this.#scatter(value);
    while (value >= this.#count);
    return value;
  }

  #scatter(value: number): number {
    let high = value >>> this.#half;
    let low = value & this.#mask;
    for (let round = 1; round <= 3; round++) {
      const next = high ^ (mix(low + Math.imul(round, this.#seed)) & this.#mask);
      high = low;
      low = next;
    }
    return high * (this.#mask + 1) + low;
  }
}
