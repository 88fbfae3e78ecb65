/**
 * Draws of chance. Where a run's draws come from is in `decisions/`: each decision has a generator
 * of its own, so one decision more or less moves no other.
 *
 * Rare decisions have seedrandom's `alea`. Its `xor128` is as fast, but is linear in its seed: the
 * draws of "client 1" and "client 2" would differ by a fixed pattern. Messages and disks decide a
 * hundred thousand times a second; they share one generator that is seeded anew in a few
 * multiplications.
 */
import seedrandom from "seedrandom";
import { assert } from "../engine/base/assert.ts";

/** A generator. Draws are made by the functions below. */
export interface Random {
  /** A number in [0, 1) with 32 random bits. */
  (): number;
  /** 32 random bits as a signed integer. */
  int32(): number;
}

/** Chances are integers in millionths, so that no draw depends on how a fraction is rounded. */
export const CERTAIN = 1_000_000;

/** A generator of its own, seeded by a text. */
export const randomOf = (seed: string): Random => seedrandom.alea(seed);

/** What a decision draws that is not left to chance: the middle of everything. */
export const MEDIAN: Random = Object.assign(() => 0.5, { int32: () => 0x80000000 | 0 });

/** One generator for many decisions, one after another. Mutable. */
export interface QuickRandom extends Random {
  /** The draws that follow depend on these two numbers alone. */
  reseed(base: number, number: number): QuickRandom;
}

/** Steps by the golden ratio, mixed by two multiplications: a splitmix of 32 bits. */
export function quickRandom(): QuickRandom {
  let state = 0;
  const int32 = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return mixed(state);
  };
  const quick: QuickRandom = Object.assign(() => (int32() >>> 0) / 0x100000000, {
    int32,
    reseed(base: number, number: number): QuickRandom {
      state = mixed(mixed(number ^ 0x5bd1e995) ^ base);
      return quick;
    },
  });
  return quick;
}

function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  const twice = Math.imul(once ^ (once >>> 15), 0x735a2d97);
  return twice ^ (twice >>> 15);
}

/** An integer in [0, count). */
export function below(random: Random, count: number): number {
  assert(count >= 1 && count <= 0x100000000, "a draw has between 1 and 2^32 outcomes");
  return Math.floor(((random.int32() >>> 0) / 0x100000000) * count);
}

/** An integer in [low, high]. */
export const between = (random: Random, low: number, high: number): number =>
  high <= low ? low : low + below(random, high - low + 1);

/** True in `millionths` of a million cases. Draws also where the answer is certain. */
export const chance = (random: Random, millionths: number): boolean =>
  below(random, CERTAIN) < millionths;

/** One element of a list that has some. */
export function pick<T>(random: Random, list: readonly T[]): T {
  assert(list.length > 0, "there is something to pick from");
  return list[below(random, list.length)] as T;
}

/** One of the alternatives, each as likely as its weight says. */
export function pickWeighted<T>(
  random: Random,
  alternatives: readonly (readonly [weight: number, value: T])[],
): T {
  let total = 0;
  for (const [weight] of alternatives) total += weight;
  let at = below(random, total);
  for (const [weight, value] of alternatives) {
    if (at < weight) return value;
    at -= weight;
  }
  return assertNever();
}

/** The elements in random order, as a new array. */
export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const result = list.slice();
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    const swap = result[i] as T;
    result[i] = result[j] as T;
    result[j] = swap;
  }
  return result;
}

/** A random subset of exactly `count` elements, in the order of the list. */
export function sample<T>(random: Random, list: readonly T[], count: number): T[] {
  const chosen = new Set(
    shuffled(
      random,
      list.map((_, i) => i),
    ).slice(0, count),
  );
  return list.filter((_, i) => chosen.has(i));
}

function assertNever(): never {
  assert(false, "weights sum up to the total");
}
