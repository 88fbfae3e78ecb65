import * as assert from "uvu/assert";
import { below, chance, pickWeighted, sample, stream, streamsOf } from "../../sim/random.ts";
import { suite } from "../harness.ts";

const test = suite("sim/random");

const draws = (seed: string, name: string): number[] => {
  const random = stream(streamsOf(seed), name);
  return Array.from({ length: 2000 }, () => random.int32());
};

test("a stream depends on the seed and its name alone", () => {
  const streams = streamsOf("42");
  stream(streams, "other").int32();
  const random = stream(streams, "network");
  const again = draws("42", "network");
  assert.equal(
    again.map(() => random.int32()),
    again,
  );
  assert.not.equal(draws("42", "network"), draws("42", "disk"));
  assert.not.equal(draws("42", "network"), draws("43", "network"));
});

test("streams of similar names do not differ by a fixed pattern", () => {
  const patternOf = (seed: string): number[] => {
    const a = draws(seed, "client 1");
    const b = draws(seed, "client 2");
    return a.map((value, i) => value ^ (b[i] as number));
  };
  const first = patternOf("1");
  const same = patternOf("2").filter((value, i) => value === first[i]);
  assert.ok(same.length < 3);
});

test("draws below n reach every outcome about equally often", () => {
  const random = stream(streamsOf("7"), "x");
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 50_000; i++) {
    const at = below(random, 5);
    counts[at] = (counts[at] as number) + 1;
  }
  for (const count of counts) assert.ok(count > 9500 && count < 10_500, String(counts));
});

test("a chance of nothing never happens and a certain one always does", () => {
  const random = stream(streamsOf("7"), "y");
  for (let i = 0; i < 1000; i++) {
    assert.not(chance(random, 0));
    assert.ok(chance(random, 1_000_000));
  }
});

test("weights of zero are never picked, samples have their size and keep the order", () => {
  const random = stream(streamsOf("7"), "z");
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
