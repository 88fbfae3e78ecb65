import fc from "fast-check";
import * as assert from "uvu/assert";
import { below, between, chance, next, seeded } from "../../engine/base/prng.ts";
import type { Prng } from "../../engine/base/prng.ts";
import { suite } from "../harness.ts";

const test = suite("prng");

function draws(seed: number | string, count: number): number[] {
  const values: number[] = [];
  let prng = seeded(seed);
  for (let i = 0; i < count; i++) {
    const draw = next(prng);
    values.push(draw.value);
    prng = draw.prng;
  }
  return values;
}

/** sfc32 as its author wrote it, on words of exactly 32 bits. */
function reference(prng: Prng, count: number): number[] {
  const words = Uint32Array.of(prng.a, prng.b, prng.c, prng.counter);
  const sum = new Uint32Array(1);
  return Array.from({ length: count }, () => {
    sum[0] = words[0]! + words[1]! + words[3]!;
    words[3]! += 1;
    words[0] = words[1]! ^ (words[1]! >>> 9);
    words[1] = words[2]! + (words[2]! << 3);
    words[2] = ((words[2]! << 21) | (words[2]! >>> 11)) + sum[0];
    return sum[0];
  });
}

test("the numbers are those of sfc32", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (seed) => {
      assert.equal(draws(seed, 20), reference(seeded(seed), 20));
    }),
    { includeErrorInReport: true },
  );
});

test("a seed gives the numbers it always gave", () => {
  assert.equal(draws(42, 3), [3011021589, 3960382089, 1547270628]);
  assert.equal(draws("election/3", 3), [3280926719, 3358774979, 2418141617]);
});

test("seeds that differ a little give numbers that differ a lot", () => {
  const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, "", "a", "b", "ab", "ba"];
  const firsts = new Set(seeds.flatMap((seed) => draws(seed, 100)));
  assert.ok(firsts.size >= seeds.length * 100 - 1, "streams do not share numbers");
});

test("an old generator gives its numbers again", () => {
  const prng = seeded(7);
  assert.equal(next(prng), next(prng));
});

test("numbers below a bound are spread evenly over all of them", () => {
  for (const bound of [1, 2, 3, 7, 10]) {
    const counts = Array<number>(bound).fill(0);
    let prng = seeded(bound);
    const total = 20_000;
    for (let i = 0; i < total; i++) {
      const draw = below(prng, bound);
      counts[draw.value]! += 1;
      prng = draw.prng;
    }
    const expected = total / bound;
    let chiSquared = 0;
    for (const count of counts) chiSquared += (count - expected) ** 2 / expected;
    // The 99.9 % point for 9 degrees of freedom; the seeds are fixed, so this never flickers.
    assert.ok(chiSquared < 27.9, `bound ${bound}: chi squared ${chiSquared}`);
  }
});

test("a bound just above half the range is met without favouring small numbers", () => {
  let prng = seeded(3);
  const bound = 3 * 2 ** 30;
  let low = 0;
  for (let i = 0; i < 3000; i++) {
    const draw = below(prng, bound);
    if (draw.value < bound / 3) low += 1;
    prng = draw.prng;
  }
  // Taken modulo the bound without care, half of all draws would be in the lowest third.
  assert.ok(low > 900 && low < 1100, `${low} of 3000 in the lowest third`);
});

test("between and chance keep to their ranges and ratios", () => {
  let prng = seeded("ratios");
  let hits = 0;
  for (let i = 0; i < 10_000; i++) {
    const number = between(prng, 150, 300);
    assert.ok(number.value >= 150 && number.value < 300);
    const coin = chance(number.prng, 1, 4);
    if (coin.value) hits += 1;
    prng = coin.prng;
  }
  assert.ok(hits > 2350 && hits < 2650, `${hits} of 10000 at one in four`);
  assert.is(chance(prng, 0, 5).value, false);
  assert.is(chance(prng, 5, 5).value, true);
});

test.run();
