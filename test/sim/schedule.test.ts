/** That a run can be laid down, and does the same when it is. */
import { setImmediate as drain } from "node:timers/promises";
import { Encoder } from "@msgpack/msgpack";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS, type Options } from "../../sim/build.ts";
import { decodeSchedule, encodeSchedule, type ScheduleFile } from "../../sim/decisions/file.ts";
import { KINDS, laidDown } from "../../sim/decisions/laid-down.ts";
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

for (const name of ["crash-storm", "bank", "clock-trouble", "swarm"]) {
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

const FILE: ScheduleFile = {
  scenario: "partitions",
  seed: "3",
  check: "durability",
  text: "key a is gone",
  schedule: {
    drawn: ["clock", "net/store 1>store 2/vote_request"],
    strikes: [
      {
        name: "fault/crash 1/2",
        atUs: 2_000_000,
        lastsUs: 500_000,
        strike: { type: "crash", machine: "store 1", power: true },
      },
    ],
    operations: [{ client: "client2", number: 7, atUs: 1_500_000 }],
    fates: [
      { lane: "net/store 1>store 2/append_request", number: 3, held: false, delays: [] },
      { lane: "net/pd 1>store 2/answer Tso", number: 0, held: true, delays: [1500, 2500] },
    ],
    safetyUs: 3_000_000,
  },
};

test("a schedule is read from its file as it was written, strikes of all types among them", async () => {
  assert.equal(decodeSchedule(encodeSchedule(FILE)), { ok: true, file: FILE });
  const types = new Set<string>();
  for (const { name } of SCENARIOS) {
    const takes = takesOf();
    await run({ ...called(name), safetyMs: 2500, livenessMs: 1 }, { takes, untilUs: 2_500_000 });
    const schedule = laidDown(takes);
    for (const { strike } of schedule.strikes) types.add(strike.type);
    assert.equal(decodeSchedule(encodeSchedule({ ...FILE, schedule })), {
      ok: true,
      file: { ...FILE, schedule },
    });
  }
  assert.ok(types.size >= 8, [...types].join(" "));
});

test("what is no schedule is refused with the reason", () => {
  const encode = (value: unknown): Uint8Array => new Encoder().encode(value);
  const damaged = (change: object): Uint8Array =>
    encodeSchedule({ ...FILE, schedule: { ...FILE.schedule, ...change } });
  const wrong: readonly (readonly [Uint8Array, RegExp])[] = [
    [Uint8Array.of(0xc1), /^no schedule/],
    [encode([1]), /^no schedule$/],
    [encode({ type: "rutile schedule", version: 99 }), /of version 99, not 1/],
    [encode({ type: "rutile schedule", version: 1 }), /its scenario is no text/],
    [damaged({ drawn: [7] }), /drawn names/],
    [
      damaged({ strikes: [{ name: "x", atUs: 1, lastsUs: 1, strike: { type: "flood" } }] }),
      /strikes/,
    ],
    [
      damaged({ strikes: [{ name: "x", atUs: 1, lastsUs: 1, strike: { type: "crash" } }] }),
      /strikes/,
    ],
    [damaged({ operations: [{ client: "a", number: -1, atUs: 0 }] }), /operations/],
    [
      damaged({ fates: [{ lane: "net/a>b/c", number: 1, held: false, delays: ["x"] }] }),
      /messages/,
    ],
    [damaged({ safetyUs: "soon" }), /end of the faults/],
  ];
  for (const [bytes, reason] of wrong) {
    const decoded = decodeSchedule(bytes);
    assert.not(decoded.ok);
    if (!decoded.ok) assert.match(decoded.reason, reason);
  }
});

test("machines, files and clients that there are not are passed over", async () => {
  const strikes = [
    { type: "crash", machine: "store 99", power: true },
    { type: "rot", machine: "store 1", file: "table-9999", offset: 0, bit: 1 },
    { type: "pause_client", client: "client99" },
    { type: "cut", shape: "isolate", nodes: ["a", "b"], links: [["a", "b"]] },
  ] as const;
  const planned = strikes.map((strike, i) => ({
    name: `by hand/${i}`,
    atUs: 1_000_000 * (i + 1),
    lastsUs: 1000,
    strike,
  }));
  const schedule = {
    ...WHOLE,
    drawn: KINDS,
    strikes: planned,
    operations: [{ client: "nobody", number: 1, atUs: 5 }],
    fates: [{ lane: "net/x>y/z", number: 1, held: false, delays: [] }],
  };
  const result = await run(called("partitions"), { schedule });
  assert.is(result.violation, undefined);
  assert.not(result.lines.some(({ topic }) => topic === "fault"));
});

test.run();
