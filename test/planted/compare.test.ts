import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { BUGS } from "./bugs.ts";
import { type Compared, comparedLine, signTest, summaryOf } from "./compare.ts";
import type { Catch } from "./hunt.ts";

const test = suite("planted bugs: strategies compared");

const caught = (cpuSeconds: number): Catch => ({ caught: true, seeds: 1, cpuSeconds });
const MISSED: Catch = { caught: false, seeds: 9, cpuSeconds: 11 };

const [bug] = BUGS;
const compared: Compared = {
  bug: bug as (typeof BUGS)[number],
  hunts: new Map([
    ["random", [caught(4), caught(8), MISSED]],
    ["pct", [caught(1), caught(2), caught(5)]],
    ["hold", [caught(8), MISSED, MISSED]],
    ["guided", [caught(4), caught(8), MISSED]],
  ]),
};

test("a bug's line tells the hunt in the middle, and a dash where half of them miss it", () => {
  assert.is(
    comparedLine(compared),
    `| ${compared.bug.id} | 8.0 (2 of 3) | 2.0 (3 of 3) | – (1 of 3) | 8.0 (2 of 3) |`,
  );
});

test("hunts from the same seed are pairs, and one in vain has cost its whole time", () => {
  const [, , random, pct, hold, guided] = summaryOf([compared], 10).split("\n");
  assert.is(random, "| random | 2 of 3 | | | 1 | |");
  // 1/4, 2/8 and 5/10: the cubic root of 1/32.
  assert.is(pct, "| pct | 3 of 3 | 3 | 0 | 0.31 | 0.25 |");
  assert.is(hold, "| hold | 1 of 3 | 0 | 2 | 1.36 | 0.50 |");
  assert.is(guided, "| guided | 2 of 3 | 0 | 0 | 1.00 | 1.00 |");
});

test("chance makes an even split surely, and ten of ten once in five hundred times", () => {
  assert.is(signTest(5, 5), 1);
  assert.is(signTest(0, 0), 1);
  assert.ok(Math.abs(signTest(10, 0) - 2 / 1024) < 1e-12);
  assert.is(signTest(0, 10), signTest(10, 0));
  assert.ok(Math.abs(signTest(2, 8) - (2 * (1 + 10 + 45)) / 1024) < 1e-12);
});

test.run();
