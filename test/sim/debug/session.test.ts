import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { answer } from "../../../sim/debug/commands.ts";
import { differences } from "../../../sim/debug/look.ts";
import { type Session, sessionOf } from "../../../sim/debug/session.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { suite } from "../../harness.ts";

const test = suite("sim/debug/session");

const calm = SCENARIOS.find(({ name }) => name === "calm") as Scenario;
const started = (): Promise<Session> => sessionOf(calm, "1", drain);

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
  assert.is(session.world.events, 10);
  await answer(session, "back 4");
  assert.is(session.world.events, 10);
  assert.is(session.at, 6);
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

test("what is no command, count or event is named", async () => {
  const session = await started();
  assert.match(await answer(session, "fly"), 'unknown command "fly"');
  assert.match(await answer(session, "step x"), "step: not a count: x");
  assert.match(await answer(session, "diff 1 99999999"), "diff: events from 0 to");
});

test.run();
