import * as assert from "uvu/assert";
import { below, chance, pickWeighted, sample } from "../../sim/random.ts";
import { type QuickRandom, quickRandom, randomOf } from "../../sim/random.ts";
import { suite } from "../harness.ts";

const test = suite("sim/random");

test("the quick generator's draws follow from its base and number alone", () => {
  const one = quickRandom();
  const other = quickRandom();
  other.reseed(7, 7).int32();
  const draws = (random: QuickRandom): number[] =>
    Array.from({ length: 100 }, () => random.int32());
  assert.equal(draws(one.reseed(1, 2)), draws(other.reseed(1, 2)));
  assert.not.equal(draws(one.reseed(1, 2)), draws(other.reseed(2, 1)));
});

test("first draws of a series reach every outcome about equally often", () => {
  const quick = quickRandom();
  for (const base of [0, 1, -7, 123_456_789]) {
    const counts = Array.from({ length: 16 }, () => 0);
    const pairs = Array.from({ length: 16 }, () => 0);
    let last = 0;
    for (let number = 0; number < 64_000; number++) {
      const at = below(quick.reseed(base, number), 16);
      counts[at] = (counts[at] as number) + 1;
      const pair = (at + last) % 16;
      pairs[pair] = (pairs[pair] as number) + 1;
      last = at;
    }
    for (const count of [...counts, ...pairs]) {
      assert.ok(count > 3700 && count < 4300, String(counts));
    }
  }
});

test("draws below n reach every outcome about equally often", () => {
  const random = randomOf("x");
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 50_000; i++) {
    const at = below(random, 5);
    counts[at] = (counts[at] as number) + 1;
  }
  for (const count of counts) assert.ok(count > 9500 && count < 10_500, String(counts));
});

test("a chance of nothing never happens and a certain one always does", () => {
  const random = randomOf("y");
  for (let i = 0; i < 1000; i++) {
    assert.not(chance(random, 0));
    assert.ok(chance(random, 1_000_000));
  }
});

test("weights of zero are never picked, samples have their size and keep the order", () => {
  const random = randomOf("z");
  for (let i = 0; i < 1000; i++) {
    assert.is(
      pickWeighted(random, [
        [0, "never"],
        [3, "always"],
      ]),
      "always",
    );
    const three = sample(random, [1, 2, 3, 4, 5], 3);
    assert.is(three.length, 3);
    assert.equal(
      three,
      three.slice().sort((a, b) => a - b),
    );
  }
});

test.run();
