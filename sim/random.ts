/**
 * Randomness of a simulated run: one named stream for each concern, all derived from the run's
 * seed. A draw more in one stream moves no other, so a seed keeps most of its story when code
 * changes.
 *
 * The generator is seedrandom's `alea`. Its `xor128` is as fast, but is linear in its seed: the
 * streams of "client 1" and "client 2" would differ by a fixed pattern.
 */
import seedrandom from "seedrandom";
import { assert } from "../engine/base/assert.ts";

/** One stream. Draws are made by the functions below. */
export interface Random {
  /** A number in [0, 1) with 32 random bits. */
  (): number;
  /** 32 random bits as a signed integer. */
  int32(): number;
}

/** The streams of one run, made when they are first asked for. */
export interface Streams {
  readonly seed: string;
  readonly made: Map<string, Random>;
}

/** Chances are integers in millionths, so that no draw depends on how a fraction is rounded. */
export const CERTAIN = 1_000_000;

export const streamsOf = (seed: string): Streams => ({ seed, made: new Map() });

/** The stream called `name`: the same object at every call. */
export function stream(streams: Streams, name: string): Random {
  let random = streams.made.get(name);
  if (random === undefined) {
    random = randomOf(`${streams.seed}/${name}`);
    streams.made.set(name, random);
  }
  return random;
}

/** A stream of its own, outside of any run. */
export const randomOf = (seed: string): Random => seedrandom.alea(seed);

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
