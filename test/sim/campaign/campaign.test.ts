import fc from "fast-check";
import * as assert from "uvu/assert";
import { suite } from "../../harness.ts";
import { bad, good, machine, onMachine, reportIn } from "./machine.ts";

const test = suite("sim/campaign");

test("a campaign goes on until its time is up, and goes on from there in more time", async () => {
  const m = machine();
  const first = await onMachine(m, "calm --seconds 10");
  assert.is(first.status, 0);
  assert.is(first.ran.length, 20, "half a second each");
  const none = await onMachine(m, "calm --seconds 10");
  assert.is(none.ran.length, 0);
  assert.match(none.out, "it has had its 10s");
  const second = await onMachine(m, "calm --seconds 0.5 --minutes 0.25");
  assert.ok(second.ran.length >= 9, "what repeating took counts as well");
  assert.is(new Set([...first.ran, ...second.ran]).size, first.ran.length + second.ran.length);
  assert.match(second.out, /going on with campaign: 20 runs in 1\d+s so far/);
});

test("killed after any byte, it comes to the same report, and does nothing again", async () => {
  const line = "all --seeds 1..6 --dir d --jobs 2";
  const whole = machine(bad);
  const { ran } = await onMachine(whole, line);
  const journal = whole.files.get("d/runs.jsonl") ?? "";
  await fc.assert(
    fc.asyncProperty(fc.nat(journal.length), async (length) => {
      const m = machine(bad);
      m.files.set("d/runs.jsonl", journal.slice(0, length));
      const written = journal.slice(0, length).split("\n").slice(0, -1);
      const rest = await onMachine(m, line);
      const before = written.filter((one) => one.includes('"type":"run"')).length;
      assert.is(rest.ran.length, ran.length - before);
      assert.equal(reportIn(m, "d"), reportIn(whole, "d"));
    }),
    { numRuns: 40, includeErrorInReport: true },
  );
});

test("shards that are merged are the campaign that was not divided", async () => {
  const whole = machine(bad);
  const { status } = await onMachine(whole, "all --seeds 1..20 --dir d");
  assert.is(status, 1);
  const shards = machine(bad);
  for (const i of [2, 0, 1])
    await onMachine(shards, `all --seeds 1..20 --dir s${i} --shard ${i}/3`);
  const merged = await onMachine(shards, "merge s0 s1 s2 --out m");
  assert.is(merged.status, 1);
  const [one, other] = [reportIn(whole, "d"), reportIn(shards, "m")];
  assert.equal({ ...other, shards: 0 }, { ...one, shards: 0 });
  assert.is(one["runs"], 20 * (one["scenarios"] as unknown[]).length);
});

test("a failure is told once for each signature, and its shortest seeds are kept", async () => {
  const m = machine(bad);
  const { status, out } = await onMachine(m, "calm --seeds 1..200 --dir campaign");
  assert.is(status, 1);
  assert.is(out.match(/^FAIL calm seed=/gm)?.length, 2);
  assert.match(out, 'leases, in 20 runs: key "k10" is gone');
  assert.match(out, "npm run sim -- shrink calm --seed 10");
  type Kept = { signature: string; runs: number; seeds: { seed: number; commands: object }[] };
  const [leases, linearizability] = reportIn(m, "campaign")["failures"] as [Kept, Kept];
  assert.equal(
    leases.seeds.map(({ seed }) => seed),
    [10, 20, 30, 40, 50],
  );
  assert.equal(
    linearizability.seeds.map(({ seed }) => seed),
    [5, 15, 25, 35, 45],
  );
  assert.equal(leases.seeds[0]?.commands, {
    replay: "npm run sim -- calm --seed 10",
    shrink: "npm run sim -- shrink calm --seed 10",
    html: "npm run sim -- calm --seed 10 --html run.html",
    debug: "npm run sim -- debug calm --seed 10",
  });
});

test("runs that go otherwise when they are repeated are failures", async () => {
  const m = machine((job) => (job.twice === true ? { ...good(job), trace: "another" } : good(job)));
  const { status, out } = await onMachine(m, "calm --seeds 1..100 --dir campaign");
  assert.is(status, 1);
  assert.match(out, /not deterministic: traces trace of calm/);
  const report = reportIn(m, "campaign");
  const { repeated, differing, waiting } = report["reproducibility"] as Record<string, number>;
  assert.ok(repeated !== undefined && repeated > 0);
  assert.is(differing, repeated);
  assert.is(waiting, 0);
});

test("an interruption ends it with its report; what was under way is done again", async () => {
  const m = machine(bad);
  m.interruptAfter = 12;
  const first = await onMachine(m, "calm --seeds 1..30 --dir campaign --jobs 3");
  assert.is(first.status, 1);
  assert.match(first.out, "the same command goes on from here");
  assert.is(reportIn(m, "campaign")["runs"], first.ran.length);
  m.interruptAfter = Infinity;
  const second = await onMachine(m, "calm --seeds 1..30 --dir campaign --jobs 3");
  assert.is(first.ran.length + second.ran.length, 30);
});

test("a disk that fills up ends it with one line, and nothing that was written is lost", async () => {
  const m = machine();
  m.fullAfter = 10;
  const full = await onMachine(m, "calm --seeds 1..30 --dir campaign");
  assert.is(full.status, 2);
  assert.is(full.err, "sim: cannot write in campaign: no space left on device\n");
  assert.not(full.out.includes("PASS"), "no verdict over runs that were not written down");
  m.fullAfter = Infinity;
  const { ran } = await onMachine(m, "calm --seeds 1..30 --dir campaign");
  assert.is(ran.length, 20);
});

test("another build and another plan are refused, and the journal stays as it is", async () => {
  const m = machine();
  await onMachine(m, "calm --seeds 1..5 --dir campaign");
  const journal = m.files.get("campaign/runs.jsonl");
  for (const [line, problem] of [
    ["calm --seeds 1..6", 'it was begun with seeds "1..5", not "1..6"'],
    ["calm --seeds 1..5 --strategy pct --hours 1", 'strategy "random", not "pct"'],
    ["calm --seeds 1..5 --shard 0/2", 'shard "0/1", not "0/2"'],
    ["bank --seeds 1..5 --dir campaign", 'scenarios "calm", not "bank"'],
  ] as const) {
    const { status, err } = await onMachine(m, `${line} --dir campaign`);
    assert.is(status, 2, line);
    assert.ok(err.includes(problem), err);
  }
  m.build = "fedcba9876543210";
  const { status, err } = await onMachine(m, "calm --seeds 1..5 --dir campaign");
  assert.is(status, 2);
  assert.match(err, "of build 0123456789abcdef, and this is build fedcba9876543210");
  assert.is(m.files.get("campaign/runs.jsonl"), journal);
});

test("what is wrong with a command line is said in one line, and the status is 2", async () => {
  for (const [line, problem] of [
    ["all --hours", "flag --hours needs a value"],
    ["all --hours 0", 'malformed time "--hours 0"'],
    ["all --hours 2h", 'malformed time "--hours 2h"'],
    ["all --minutes -3", 'malformed time "--minutes -3"'],
    ["all --dir d", "how long?"],
    ["all --dir d --seeds 7..", "how long?"],
    ["all --hours 1 --seeds 7..3", 'malformed seeds "7..3"'],
    ["all --hours 1 --shard 3/3", 'malformed shard "3/3"'],
    ["all --hours 1 --shard 1", 'malformed shard "1"'],
    ["all --hours 1 --jobs 0", 'malformed number of jobs "0"'],
    ["all --hours 1 --strategy guided", "strategy guided goes in rounds"],
    ["all --hours 1 --json f", "a campaign writes report.json"],
    ["calm --hours 1 --seed 3", "flag --seed does not go with a campaign"],
    ["merge", "merge: which directories?"],
    ["merge a a", "merge: a is named twice"],
    ["merge a --seeds 1..2", "flag --seeds does not go with merge"],
    ["merge nowhere", "nowhere holds no campaign"],
  ] as const) {
    const { status, out, err } = await onMachine(machine(), line);
    assert.is(status, 2, line);
    assert.is(out, "", line);
    assert.ok(err.includes(problem), `${line}: ${err}`);
    assert.is(err.trim().split("\n").length, 1, line);
  }
});

test("a journal that is damaged in its middle is refused by line", async () => {
  const m = machine();
  await onMachine(m, "calm --seeds 1..5 --dir campaign");
  const lines = (m.files.get("campaign/runs.jsonl") ?? "").split("\n");
  m.files.set("campaign/runs.jsonl", lines.with(2, '{"type":"run"}').join("\n"));
  const { status, err } = await onMachine(m, "calm --seeds 1..5 --dir campaign");
  assert.is(status, 2);
  assert.is(err, "sim: campaign: runs.jsonl, line 3: it is damaged\n");
});

test.run();
