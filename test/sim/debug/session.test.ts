import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { answer } from "../../../sim/debug/commands.ts";
import { branchOf, type Debugger, debuggerOf } from "../../../sim/debug/branches.ts";
import { sessionOf } from "../../../sim/debug/session.ts";
import { differenceLines, differences } from "../../../sim/debug/show.ts";
import { searchedBy } from "../../../sim/decisions/schedule.ts";
import { DEFAULT_OPTIONS } from "../../../sim/build.ts";
import { runSeed } from "../../../sim/run.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { suite } from "../../harness.ts";

const test = suite("sim/debug/session");

const calm = SCENARIOS.find(({ name }) => name === "calm") as Scenario;
const started = (): Promise<Debugger> => debuggerOf(() => sessionOf(calm, "1", drain));

test("going back shows what was shown on the way forth", async () => {
  const session = await started();
  await answer(session, "goto 1500");
  const then = [await answer(session, "nodes"), await answer(session, "where")];
  await answer(session, "goto 3s");
  assert.is.not(await answer(session, "nodes"), then[0]);
  await answer(session, "goto 1500");
  assert.equal([await answer(session, "nodes"), await answer(session, "where")], then);
});

test("a run goes only as far as somebody looked", async () => {
  const session = await started();
  await answer(session, "step 10");
  assert.is(branchOf(session).session.world.events, 10);
  await answer(session, "back 4");
  assert.is(branchOf(session).session.world.events, 10);
  assert.is(branchOf(session).session.at, 6);
});

test("a difference names what changed, and no others, in a line for each group", () => {
  const before = new Map([
    ["status", "up"],
    ["region.2.applied", "6"],
    ["region.2.raft.term", "1"],
    ["region.2.raft.vote", "3"],
    ["region.7.applied", "4"],
  ]);
  const after = new Map([
    ["status", "down"],
    ["region.2.applied", "8"],
    ["region.2.raft.term", "2"],
    ["region.2.raft.vote", "3"],
  ]);
  const lines = differences("store 1", before, after).flatMap((one) => differenceLines(one));
  assert.equal(lines, [
    "store 1: status up → down",
    "store 1 region 7: gone",
    "store 1 region 2: done 6 → 8, term 1 → 2",
  ]);
  assert.equal(differences("store 1", before, before), []);
  const [came] = differences("store 1", new Map([["status", "down"]]), after);
  assert.equal(came, { of: "store 1 region 2", fields: ["new", "done 8", "term 2", "vote 3"] });
});

test("a difference goes on in the next line, and is cut only where one field is longer", () => {
  const fields = ["term 1 → 2", "vote 0 → 3", `range ${"x".repeat(40)}`];
  assert.equal(differenceLines({ of: "store 1 region 2", fields }, 34), [
    "store 1 region 2: term 1 → 2,",
    "    vote 0 → 3,",
    `    range ${"x".repeat(23)}…`,
  ]);
});

test("a node is shown as a table with a row for each of its groups", async () => {
  const debug = await started();
  await answer(debug, "goto 3s");
  const [status, header = "", ...rows] = (await answer(debug, "node store 1")).trim().split("\n");
  assert.is(status, "store 1 up");
  const fields = "done role term vote leader commit applied written durable".split(" ");
  assert.equal(header.trim().split(/ +/), fields);
  const at = rows.findIndex((row) => row.startsWith(" "));
  const [numbers, regions] = [rows.slice(0, at), rows.slice(at + 1)];
  assert.ok(numbers.length > 0 && numbers.every((row) => /^region \d+ +/.test(row)));
  assert.equal((rows[at] ?? "").trim().split(/ +/), ["epoch", "members", "range"]);
  assert.is(regions.length, numbers.length);
  assert.match(regions[0] ?? "", /^region \d+ +\d+\.\d+ +\d+@\d+(:learner)?( .+)? \[".*", ".*"\)$/);
  assert.ok([header, ...rows].every((line) => line.length <= 80));
  const narrow = (await answer(debug, "node store 1", 40)).split("\n");
  assert.ok(narrow.every((line) => line.length <= 40));
  assert.match(await answer(debug, "node pd 1"), /members +(leader|follower)/);
});

test("what is on its way leaves deadlines out, counts them, and keeps to the width", async () => {
  const debug = await started();
  await answer(debug, "goto 3s");
  const said = await answer(debug, "pending", 50);
  assert.not.match(said, /^\S+ deadline of/m);
  const [, count = ""] = /… and (\d+) deadlines/.exec(said) ?? [];
  assert.ok(Number(count) > 0, said);
  assert.ok(said.split("\n").every((line) => line.length <= 50));
  const all = await answer(debug, "pending deadline");
  const listed = all.split("\n").filter((line) => line.includes(" deadline of")).length;
  const more = Number(/… (\d+) more/.exec(all)?.[1] ?? 0);
  assert.is(listed + more, Number(count));
  assert.is(await answer(debug, "pending nonsense"), 'nothing with "nonsense"\n');
});

test("a moment changed is another timeline, which is the first one up to there", async () => {
  const debug = await started();
  await answer(debug, "goto 2000");
  const then = await answer(debug, "nodes");
  await answer(debug, "goto 4s");
  const later = branchOf(debug).session.chronicle;
  await answer(debug, "goto 2000");
  assert.match(await answer(debug, "do crash store 1"), "timeline 2: store 1 crashes");
  assert.is(await answer(debug, "where"), await answer(debug, "where"));
  const { chronicle } = branchOf(debug).session;
  assert.equal(chronicle.lows.slice(0, 2000), later.lows.slice(0, 2000));
  await answer(debug, "goto 4s");
  assert.not.equal(chronicle.lows.slice(2000, 2200), later.lows.slice(2000, 2200));
  assert.match(await answer(debug, "nodes"), /store 1 +down/);
  assert.match(
    await answer(debug, "branches"),
    /  1 .*the run as it is\n\* 2 .*#2000 store 1 crashes/,
  );
  await answer(debug, "branch 1");
  assert.is(await answer(debug, "nodes"), then);
});

test("messages say what they carry, and what is on its way at a moment comes after it", async () => {
  const debug = await started();
  assert.match(await answer(debug, "next vote_request"), /message from .* to .*vote_request/);
  const { at } = branchOf(debug).session;
  const before = await answer(debug, "pending message");
  assert.ok(before.length > 0);
  await answer(debug, "goto 3s");
  await answer(debug, `goto ${at}`);
  assert.is(await answer(debug, "pending message"), before, "whatever has happened since");
});

test("orders that make no sense are named, with those that there are", async () => {
  const debug = await started();
  await answer(debug, "step 5");
  for (const [order, problem] of [
    ["do explode store 1", /unknown order "explode"/],
    ["do crash store 9", /no node "store 9": store 1/],
    ["do cut store 1", /cut: links makes no sense/],
    ["do slow store 1 0", /times makes no sense/],
    ["do drift store 1 fast", /machine makes no sense/],
  ] as const) {
    assert.match(await answer(debug, order), problem);
  }
  assert.is(debug.branches.length, 1);
  for (const order of ["cut store 1 <> store 2", "power pd 1", "shift store 1 -500", "heal"]) {
    assert.match(await answer(debug, `do ${order}`), /^timeline/);
  }
});

test("a searched run is gone through as it is searched, and as it ran", async () => {
  const { trace } = await runSeed(calm, "1", drain, {
    ...DEFAULT_OPTIONS,
    schedule: searchedBy({ type: "hold" }),
  });
  const debug = await debuggerOf(() => sessionOf(calm, "1", drain, searchedBy({ type: "hold" })));
  await answer(debug, "violation");
  assert.is(branchOf(debug).session.result?.trace, trace);
  const plain = await started();
  await answer(plain, "violation");
  assert.is.not(branchOf(plain).session.result?.trace, trace);
});

test("what is no command, count or event is named", async () => {
  const session = await started();
  assert.match(await answer(session, "fly"), 'unknown command "fly"');
  assert.match(await answer(session, "step x"), "step: not a count: x");
  assert.match(await answer(session, "diff 1 99999999"), "diff: events from 0 to");
});

test.run();
