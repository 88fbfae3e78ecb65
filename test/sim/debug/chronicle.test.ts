import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { DEFAULT_OPTIONS } from "../../../sim/build.ts";
import { chronicleOf, eventsUntil, momentAt } from "../../../sim/debug/chronicle.ts";
import type { Machine, World } from "../../../sim/model.ts";
import { runSeed } from "../../../sim/run.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { suite } from "../../harness.ts";

const test = suite("sim/debug/chronicle");

const scenario = SCENARIOS.find(({ name }) => name === "calm") as Scenario;
const options = { ...DEFAULT_OPTIONS, untilUs: 2_000_000 };

test("a run that is held at every 500th event goes the same way, and each hold's states are kept", async () => {
  const held: { event: number; states: Machine["state"][]; statuses: string[] }[] = [];
  const chronicle = chronicleOf((world: World) => {
    const states = world.servers.map(({ state }) => state);
    held.push({ event: world.events, states, statuses: world.servers.map(({ status }) => status) });
    chronicle.holdAt = world.events + 500;
    return Promise.resolve();
  });
  const free = await runSeed(scenario, "1", drain, options);
  const run = await runSeed(scenario, "1", drain, { ...options, chronicle });
  assert.is(run.trace, free.trace);
  assert.is(chronicle.events.length, free.events);
  assert.ok(held.length > 3);
  for (const { event, states, statuses } of held.slice(1)) {
    for (const [node, state] of states.entries()) {
      const moment = momentAt(chronicle, node, event);
      assert.ok(moment?.state === state, `node ${node} after event ${event}`);
      assert.is(moment?.status, statuses[node]);
    }
  }
});

test("the events of an instant are all over at that time", async () => {
  const chronicle = chronicleOf(() => Promise.resolve());
  chronicle.holdAt = Infinity;
  await runSeed(scenario, "1", drain, { ...options, chronicle });
  const { timesUs } = chronicle;
  assert.is(eventsUntil(chronicle, -1), 0);
  for (const at of [0, 10, timesUs.length - 1]) {
    const timeUs = timesUs[at] as number;
    const count = eventsUntil(chronicle, timeUs);
    assert.is(timesUs[count - 1], timeUs);
    assert.ok((timesUs[count] ?? Infinity) > timeUs);
  }
});

test.run();
