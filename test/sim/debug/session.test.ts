import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { answer } from "../../../sim/debug/commands.ts";
import { differences } from "../../../sim/debug/look.ts";
import { branchOf, type Debugger, debuggerOf } from "../../../sim/debug/branches.ts";
import { sessionOf } from "../../../sim/debug/session.ts";
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

test("a difference names the paths that changed, and no others", () => {
  const before = new Map([
    ["a", "1"],
    ["b", "2"],
  ]);
  const after = new Map([
    ["b", "3"],
    ["c", "4"],
    ["a", "1"],
  ]);
  assert.equal(differences(before, after), ["b: 2 → 3", "c: nothing → 4"]);
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
    ["do", /unknown order ""/],
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

test("what is no command, count or event is named", async () => {
  const session = await started();
  assert.match(await answer(session, "fly"), 'unknown command "fly"');
  assert.match(await answer(session, "step x"), "step: not a count: x");
  assert.match(await answer(session, "diff 1 99999999"), "diff: events from 0 to");
});

test.run();
