import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { byName } from "../../sim/cli/schedules.ts";
import { coverageText } from "../../sim/cli/coverage.ts";
import { runSeed } from "../../sim/run.ts";
import { addMarks, type MarkName, type Marks, neverReached } from "../../sim/search/marks.ts";
import { suite } from "../harness.ts";

const test = suite("sim/search/marks");

/** A few seeds that meet nearly everything between them. */
const BATCH: readonly (readonly [scenario: string, seed: string])[] = [
  ["isolation", "5"],
  ["bank", "4"],
  ["rotting-disks", "4"],
  ["full-disks", "4"],
  ["deposed-leaders", "1"],
  ["bank", "1"],
  ["membership-churn", "2"],
  ["rearrangements", "4"],
  ["power-loss", "3"],
  ["isolation-clocks", "1"],
  ["isolation-clocks", "2"],
  ["slow-disks", "3"],
  ["isolation", "2"],
  ["full-disks", "3"],
];

/** What this batch does not meet, and what would. */
const ELSEWHERE: Readonly<Partial<Record<MarkName, string>>> = {
  "writes slowed down": "power-loss --seed 4, which takes seconds",
};

test("every mark is reached in a fixed batch, but for those that are known to need more", async () => {
  const marks: Marks = new Map();
  for (const [scenario, seed] of BATCH) {
    const result = await runSeed(byName(SCENARIOS, scenario), seed, drain);
    assert.is(result.violation?.text, undefined, `${scenario}, seed ${seed}`);
    addMarks(marks, result.marks);
  }
  assert.equal(
    neverReached(marks).filter((name) => ELSEWHERE[name] === undefined),
    [],
  );
});

test("a batch is told how many marks it has reached, and the names of the others", () => {
  const most = neverReached(new Map([["election won", 3]]));
  const marks: Marks = new Map(most.slice(1).map((name) => [name, 1]));
  const text = coverageText(marks);
  assert.match(text, /^\d+ of \d+ marks reached; never: /);
  assert.ok(text.includes("election won") && text.includes(most[0] ?? "?"));
  assert.is(text.split(",").length, 2);
});

test.run();
