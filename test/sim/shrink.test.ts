/** That shrinking finds what is needed, whatever the workers do. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { type Job, lostJob, type Summary, type Workers } from "../../sim/cli.ts";
import { type Schedule, WHOLE } from "../../sim/decisions/schedule.ts";
import { takesOf } from "../../sim/decisions/takes.ts";
import { needed } from "../../sim/shrink/ddmin.ts";
import { shrink, sizeOf } from "../../sim/shrink/shrink.ts";
import { signatureOf } from "../../sim/shrink/signature.ts";
import { Trials } from "../../sim/shrink/trials.ts";
import { suite } from "../harness.ts";

const test = suite("sim/shrink");

const firstOf =
  <T>(fails: (items: readonly T[]) => boolean) =>
  (candidates: readonly (readonly T[])[]): Promise<number> =>
    Promise.resolve(candidates.findIndex(fails));

test("what is needed together is found among many, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(300), { minLength: 0, maxLength: 6 }),
      fc.integer({ min: 1, max: 300 }),
      async (wanted, size) => {
        const items = Array.from({ length: size }, (_, i) => i);
        const culprits = wanted.filter((one) => one < size).sort((a, b) => a - b);
        const left = await needed(
          items,
          firstOf((some) => culprits.every((one) => some.includes(one))),
        );
        assert.equal(left, culprits);
      },
    ),
    { numRuns: 200, includeErrorInReport: true },
  );
});

test("where failing is not monotone every single item that is left is still needed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000), async (salt) => {
      const items = Array.from({ length: 24 }, (_, i) => i);
      // An arbitrary verdict for each set, and the whole fails.
      const fails = (some: readonly number[]): boolean => {
        let hash = salt | 0;
        for (const one of some) hash = Math.imul(hash ^ one, 0x01000193);
        return some.length === items.length || ((hash >>> 7) & 3) === 0;
      };
      const left = await needed(items, firstOf(fails));
      assert.ok(fails(left));
      for (const one of left) {
        if (left.length > 1) assert.not(fails(left.filter((other) => other !== one)));
      }
    }),
    { numRuns: 200, includeErrorInReport: true },
  );
});

/** Workers that answer in an order of their own. */
function workersOf(count: number, answer: (job: Job) => Summary, salt: number): Workers {
  return {
    count,
    run(job, done) {
      const hops = (JSON.stringify(job).length * 7 + salt) % 5;
      let waiting = Promise.resolve();
      for (let i = 0; i < hops; i++) waiting = waiting.then(() => undefined);
      void waiting.then(() => done(answer(job)));
    },
    end: () => undefined,
    stop: () => undefined,
  };
}

const strike = (atUs: number): Schedule["strikes"][number] => ({
  name: `fault/crash 1/${atUs}`,
  atUs,
  lastsUs: 1_234_567,
  strike: { type: "crash", machine: "store 1", power: false },
});

const whole: Schedule = {
  drawn: ["net", "disk", "clock"],
  strikes: Array.from({ length: 30 }, (_, i) => strike(1_111_111 * i + 77)),
  operations: Array.from({ length: 90 }, (_, i) => ({
    client: `client${1 + (i % 3)}`,
    number: Math.floor(i / 3),
    atUs: 333_333 * i,
  })),
  fates: [],
};

/** Fails where two certain strikes and one operation are there, and clocks are drawn. */
function verdict(job: Job): Summary {
  const { strikes, operations, drawn } = job.schedule ?? WHOLE;
  const has = (name: string): boolean => strikes.some((one) => one.name === name);
  const fails =
    has(whole.strikes[7]?.name ?? "") &&
    has(whole.strikes[21]?.name ?? "") &&
    operations.some(({ client, number }) => client === "client2" && number === 11) &&
    drawn.includes("clock");
  return { ...lostJob(job, "peer 7 is wrong"), passed: !fails, check: "durability" };
}

async function shrunk(count: number, salt: number): Promise<{ best: Schedule; runs: number }> {
  const subject = { scenario: "x", seed: "1", signature: "durability", budget: 2000 };
  const trials = new Trials(workersOf(count, verdict, salt), subject, () => undefined);
  const take = (): Promise<ReturnType<typeof takesOf>> => Promise.resolve(takesOf());
  const best = await shrink({ trials, take, onStep: () => undefined }, whole);
  return { best, runs: trials.runs };
}

test("the same schedule comes of any number of workers, however fast each is", async () => {
  const alone = await shrunk(1, 0);
  assert.is(sizeOf(alone.best), 4);
  assert.equal(
    alone.best.strikes.map(({ name }) => name),
    [whole.strikes[7]?.name, whole.strikes[21]?.name],
  );
  for (const [count, salt] of [
    [2, 1],
    [3, 4],
    [8, 2],
  ] as const) {
    assert.equal(await shrunk(count, salt), alone);
  }
});

test("times and lengths become round where they may", async () => {
  const { best } = await shrunk(2, 0);
  for (const { atUs, lastsUs } of best.strikes) {
    assert.is(atUs % 1_000_000, 0);
    assert.is(lastsUs, 1_000_000);
  }
});

test("a spent budget ends it with what was found so far, which fails", async () => {
  const subject = { scenario: "x", seed: "1", signature: "durability", budget: 12 };
  const trials = new Trials(workersOf(2, verdict, 0), subject, () => undefined);
  const take = (): Promise<ReturnType<typeof takesOf>> => Promise.resolve(takesOf());
  const best = await shrink({ trials, take, onStep: () => undefined }, whole);
  assert.ok(trials.isSpent);
  assert.ok(trials.runs <= 12);
  assert.not(verdict({ scenario: "x", seed: "1", byReference: false, schedule: best }).passed);
  assert.ok(sizeOf(best) < sizeOf(whole));
});

test("failures are the same by their check, and by their words where a check stands for many", () => {
  const one = { check: "durability", text: "key a is gone" };
  assert.is(signatureOf(one), signatureOf({ ...one, text: "key b holds 7" }));
  assert.is.not(signatureOf(one), signatureOf({ ...one, check: "versions" }));
  const asserted = { check: "assertions", text: "store 1: an assertion failed: term 7 is new" };
  const again = { ...asserted, text: "store 3: an assertion failed: term 12 is new" };
  assert.is(signatureOf(asserted), signatureOf(again));
  const other = { ...asserted, text: "store 3: an assertion failed: the log has no hole" };
  assert.is.not(signatureOf(asserted), signatureOf(other));
});

test.run();
