/** That a run can be laid down, and does the same when it is. */
import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS, type Options } from "../../sim/build.ts";
import { laidDown } from "../../sim/decisions/laid-down.ts";
import { WHOLE } from "../../sim/decisions/schedule.ts";
import { type Takes, takesOf } from "../../sim/decisions/takes.ts";
import { type RunResult, runSeed } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { formatLine } from "../../sim/trace/trace.ts";
import { suite } from "../harness.ts";

const test = suite("sim/schedule");

const called = (name: string): Scenario => {
  const scenario = SCENARIOS.find((one) => one.name === name);
  assert.ok(scenario);
  return { ...scenario, safetyMs: 5000 };
};

const run = (scenario: Scenario, options: Partial<Options>): Promise<RunResult> =>
  runSeed(scenario, "3", drain, { ...DEFAULT_OPTIONS, ...options });

async function taken(scenario: Scenario, takes: Takes): Promise<RunResult> {
  const result = await run(scenario, { takes });
  assert.is(result.violation, undefined);
  return result;
}

const storyOf = ({ lines }: RunResult): string => lines.map(formatLine).join("\n");

for (const name of ["crash-storm", "bank", "clock-trouble"]) {
  test(`strikes and operations laid down tell the story of the seed: ${name}`, async () => {
    const scenario = called(name);
    const takes = takesOf();
    const drawn = await taken(scenario, takes);
    assert.ok(takes.operations.length > 0);
    const again = await run(scenario, { schedule: laidDown(takes) });
    assert.is(storyOf(again), storyOf(drawn));
    const plain = await run(scenario, {});
    assert.is(plain.trace, drawn.trace, "writing down changes nothing");
  });
}

test("fates laid down do what their draws did", async () => {
  const scenario = called("partitions");
  const takes = takesOf(() => true);
  const drawn = await taken(scenario, takes);
  const kinds = laidDown(takes).drawn.filter((kind) => kind !== "net");
  const schedule = { ...laidDown(takes), drawn: kinds, fates: takes.fates };
  const again = await run(scenario, { schedule });
  assert.is(storyOf(again), storyOf(drawn));
});

test("a strike that is left out does not happen, and those before it stay as they were", async () => {
  const scenario = called("crash-storm");
  const takes = takesOf();
  await taken(scenario, takes);
  const whole = laidDown(takes);
  assert.ok(whole.strikes.length >= 2);
  const left = whole.strikes[whole.strikes.length >> 1];
  assert.ok(left);
  const strikes = whole.strikes.filter((one) => one !== left);
  const result = await run(scenario, { schedule: { ...whole, strikes } });
  const before = ({ lines }: RunResult): string[] =>
    lines.filter(({ timeUs }) => timeUs < left.atUs).map(formatLine);
  const complete = await run(scenario, { schedule: whole });
  assert.equal(before(result), before(complete));
  assert.not.equal(storyOf(result), storyOf(complete));
});

test("where nothing is left to the seed nothing happens, and the cluster is as small as it may be", async () => {
  const result = await run(called("partitions"), { schedule: { ...WHOLE, drawn: [] } });
  assert.is(result.violation, undefined);
  assert.equal(result.faults, []);
  const operations = [...result.operations.values()].reduce((sum, { ok }) => sum + ok, 0);
  assert.is(operations, 0);
  assert.is(result.knobs.stores, Math.min(...called("partitions").cluster.stores));
});

test.run();
