/**
 * Random numbers whose generator is a value: the engine keeps one as a field of its state, and
 * every draw gives the number and the generator to keep. Same seed, same numbers, on every machine.
 *
 * The generator is Chris Doty-Humphrey's sfc32 (PractRand): 128 bits of state, one of them a
 * counter, so that no seed has a period below 2^32.
 */
import { assert } from "./assert.ts";

/** A generator. Four 32-bit words. */
export interface Prng {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly counter: number;
}

/** A number, and the generator to draw the next one from. */
export interface Draw<T> {
  readonly value: T;
  readonly prng: Prng;
}

const TWO_32 = 2 ** 32;
const WARM_UP_ROUNDS = 15;

/** The generator of a seed: a safe integer, or any text (for named streams: "election/3"). */
export function seeded(seed: number | string): Prng {
  let words: [number, number];
  if (typeof seed === "number") {
    assert(Number.isSafeInteger(seed), "a numeric seed is a safe integer");
    words = [seed | 0, Math.floor(seed / TWO_32) | 0];
  } else {
    words = [hashText(seed, 0x811c9dc5), hashText(seed, 0x01234567)];
  }
  let prng: Prng = { a: words[0], b: words[1], c: 0, counter: 1 };
  for (let i = 0; i < WARM_UP_ROUNDS; i++) prng = next(prng).prng;
  return prng;
}

/** An unsigned 32-bit integer. */
export function next(prng: Prng): Draw<number> {
  const { a, b, c, counter } = prng;
  const value = (a + b + counter) | 0;
  return {
    value: value >>> 0,
    prng: {
      a: b ^ (b >>> 9),
      b: (c + (c << 3)) | 0,
      c: (((c << 21) | (c >>> 11)) + value) | 0,
      counter: (counter + 1) | 0,
    },
  };
}

/** An integer of [0, bound), each as likely as the others. `bound` is at most 2^32. */
export function below(prng: Prng, bound: number): Draw<number> {
  assert(Number.isInteger(bound) && bound >= 1 && bound <= TWO_32, "a bound is of 1 to 2^32");
  // Draws above the last whole multiple of `bound` would favour small results.
  const limit = TWO_32 - (TWO_32 % bound);
  let draw = next(prng);
  while (draw.value >= limit) draw = next(draw.prng);
  return { value: draw.value % bound, prng: draw.prng };
}

/** An integer of [low, high), each as likely as the others. */
export function between(prng: Prng, low: number, high: number): Draw<number> {
  const draw = below(prng, high - low);
  return { value: low + draw.value, prng: draw.prng };
}

/**
 * True in `part` of `whole` draws. A ratio of integers, so that no rounding differs between
 * machines.
 */
export function chance(prng: Prng, part: number, whole: number): Draw<boolean> {
  assert(Number.isInteger(part) && part >= 0 && part <= whole, "a chance is a part of a whole");
  const draw = below(prng, whole);
  return { value: draw.value < part, prng: draw.prng };
}

/** FNV-1a over the characters from `basis` on, stirred so that short texts differ in all bits. */
function hashText(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
