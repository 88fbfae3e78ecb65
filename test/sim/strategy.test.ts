import { setImmediate as drain } from "node:timers/promises";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS, type Options } from "../../sim/build.ts";
import { runRounds } from "../../sim/cli/rounds.ts";
import { byName } from "../../sim/cli/schedules.ts";
import { type Job, lostJob, replayCommand, strategyOf } from "../../sim/cli/summary.ts";
import { decodeSchedule, encodeSchedule } from "../../sim/decisions/file.ts";
import { KINDS, laidDown } from "../../sim/decisions/laid-down.ts";
import { searchedBy } from "../../sim/decisions/schedule.ts";
import { takesOf } from "../../sim/decisions/takes.ts";
import { type RunResult, runSeed } from "../../sim/run.ts";
import { guideOf, learn, planFor, ROUND } from "../../sim/search/guide.ts";
import { parseStrategy, RANDOM, type Strategy, strategyText } from "../../sim/search/strategy.ts";
import { formatLine } from "../../sim/trace/trace.ts";
import { suite } from "../harness.ts";

const test = suite("sim/search/strategy");

const scenario = { ...byName(SCENARIOS, "deposed-leaders"), safetyMs: 4000 };

const run = (options: Partial<Options>, seed: string = "3"): Promise<RunResult> =>
  runSeed(scenario, seed, drain, { ...DEFAULT_OPTIONS, ...options });

const storyOf = ({ lines }: RunResult): string => lines.map(formatLine).join("\n");

const turns: Strategy = { type: "turns", turns: [{ atUs: 2_000_000, seed: 17 }] };
const OTHERS: readonly Strategy[] = [{ type: "pct" }, { type: "hold" }, turns];

test("a strategy is written and read back, on the command line and in files", () => {
  const ascending = fc
    .uniqueArray(fc.nat(), { minLength: 1, maxLength: 4 })
    .map((times) => times.sort((a, b) => a - b));
  fc.assert(
    fc.property(ascending, fc.nat(), (times, seed) => {
      const strategy: Strategy = { type: "turns", turns: times.map((atUs) => ({ atUs, seed })) };
      assert.equal(parseStrategy(strategyText(strategy)), strategy);
    }),
    { includeErrorInReport: true },
  );
  for (const strategy of OTHERS) {
    assert.equal(parseStrategy(strategyText(strategy)), strategy);
    const head = { scenario: "calm", seed: "1", check: "", text: "" };
    const decoded = decodeSchedule(encodeSchedule({ ...head, schedule: searchedBy(strategy) }));
    assert.ok(decoded.ok);
    assert.equal(decoded.file.schedule.strategy, strategy);
  }
  for (const text of ["", "luck", "turns:", "turns:5.1,4.1", "turns:1", "turns:1.2.3"]) {
    assert.is(parseStrategy(text), undefined, text);
  }
});

test("a strategy makes another run of the seed, which its command repeats", async () => {
  const plain = await run({});
  for (const strategy of OTHERS) {
    const [one, two] = [await run({ schedule: searchedBy(strategy) }), await run({})];
    assert.is(one.violation?.text, undefined);
    assert.is.not(one.trace, plain.trace, strategy.type);
    assert.is(two.trace, plain.trace);
    const again = parseStrategy(
      replayCommand("s", "3", strategyText(strategy)).split(" --strategy ")[1] ?? "",
    );
    const repeated = await run({ schedule: searchedBy(again ?? RANDOM) });
    assert.is(repeated.trace, one.trace, strategy.type);
  }
});

test("what a strategy does is laid down by its names, and can be left out", async () => {
  const plain = await run({ schedule: laidDown(await taken(RANDOM)) });
  for (const strategy of OTHERS) {
    const searched = await run({ schedule: searchedBy(strategy) });
    const schedule = laidDown(await taken(strategy), Infinity, strategy);
    assert.is(storyOf(await run({ schedule })), storyOf(searched), strategy.type);
    const without = { ...laidDown(await taken(RANDOM)), strategy, drawn: KINDS };
    assert.is((await run({ schedule: without })).trace, plain.trace, strategy.type);
  }
});

async function taken(strategy: Strategy): Promise<ReturnType<typeof takesOf>> {
  const takes = takesOf();
  await run({ schedule: searchedBy(strategy), takes });
  return takes;
}

test("up to a turn a run is what it was, and something else from there on", async () => {
  const late = (seed: number): Strategy => ({ type: "turns", turns: [{ atUs: 2_000_000, seed }] });
  const stories = await Promise.all(
    [1, 2].map(async (seed) => run({ schedule: searchedBy(late(seed)), recorded: true })),
  );
  const [a, b] = stories.map(({ recording }) => recording?.hashes ?? []);
  assert.ok(a !== undefined && b !== undefined);
  const parted = a.findIndex((hash, i) => hash !== b[i]);
  assert.ok(parted > 100 && parted < a.length, `they part at event ${parted}`);
  const before = (result: RunResult): string[] =>
    result.lines.filter(({ timeUs }) => timeUs < 2_000_000).map(formatLine);
  assert.equal(before(stories[0] as RunResult), before(await run({})));
});

test("counting abstract states changes nothing, and they come again and again", async () => {
  const [plain, counted] = [await run({}, "2"), await run({ novelty: true }, "2")];
  assert.is(plain.novelty.size, 0);
  assert.is(counted.trace, plain.trace);
  const [states, events] = [counted.novelty.size, counted.events];
  assert.ok(states > 5 && states < events / 10, `${states} states in ${events} events`);
});

test("three of ten runs go back to where something new was met, once a round has taught it", () => {
  const guide = guideOf("s");
  for (let place = 0; place < ROUND; place++) {
    assert.equal(planFor(guide, place, place), { seed: String(place), strategy: RANDOM });
  }
  learn(guide, { seed: "4", strategy: RANDOM }, new Map([[1, 50_000]]));
  learn(guide, { seed: "5", strategy: RANDOM }, new Map([[1, 70_000]]));
  const plans = Array.from({ length: 10 }, (_, i) => planFor(guide, ROUND + i, ROUND + i));
  const guided = plans.filter(({ strategy }) => strategy.type === "turns");
  assert.is(guided.length, 3);
  for (const { seed, strategy } of guided) {
    assert.is(seed, "4", "what was known before is not news");
    assert.ok(strategy.type === "turns" && strategy.turns[0]?.atUs === 50_000);
  }
});

test("a guided batch is the same whoever is done first", async () => {
  const batch = async (delayOf: (i: number) => number): Promise<string[]> => {
    let started = 0;
    const answer = async (job: Job): ReturnType<Parameters<typeof runRounds>[1]> => {
      for (let turns = delayOf(started++); turns > 0; turns--) await drain();
      const novelty = [0, 1, 2].map((i) => [Number(job.seed) * 7 + i, 1000 * (i + 1)] as const);
      return { ...lostJob(job, ""), novelty };
    };
    const command = {
      type: "many",
      scenarios: ["a", "b"],
      first: 1,
      last: 70,
      jobs: 2,
      json: undefined,
      byReference: false,
      novelty: true,
      strategy: { type: "guided" },
    } as const;
    const jobs = await runRounds(command, answer);
    return jobs.map((job) => `${job.scenario} ${job.seed} ${strategyOf(job)}`);
  };
  const one = await batch(() => 0);
  assert.is(one.length, 140);
  assert.is(one.filter((job) => job.includes("turns:")).length, 30);
  assert.equal(await batch((i) => (i * 7) % 5), one);
});

test.run();
