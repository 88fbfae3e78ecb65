import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Deed } from "../../sim/live/deed.ts";
import { replicasOf } from "../../sim/checkers/look.ts";
import { readClock } from "../../sim/clock/clock.ts";
import { cutOut } from "../../sim/film/cut.ts";
import { develop } from "../../sim/film/develop.ts";
import { FIRST_PLAN, type Play, playUntil } from "../../sim/live/play.ts";
import {
  act,
  follow,
  goOn,
  type Playground,
  playgroundOf,
  playOf,
} from "../../sim/live/playground.ts";
import { isCut } from "../../sim/network/network.ts";
import { traceText } from "../../sim/trace/trace.ts";
import { suite } from "../harness.ts";

const test = suite("the playground");

const start = (plan = FIRST_PLAN): Playground => playgroundOf(plan, () => drain());

const run = (playground: Playground, untilUs: number): Promise<void> =>
  goOn(playground, untilUs, Infinity);

/** Plays it to the end in pieces of `most` events. */
async function played(play: Play, untilUs: number, most: number): Promise<Playground> {
  const made = start(play.cluster);
  for (let done = false; !done;) done = await follow(made, play, untilUs, most);
  return made;
}

const traceOf = ({ world }: Playground): string =>
  `${traceText(world.trace)} ${world.events} ${world.timeUs}`;

/** The store that leads the first region. */
const leaderOf = ({ world }: Playground): string | undefined =>
  world.stores.find(
    (store) =>
      store.status === "up" && replicasOf(store).some(({ raft }) => raft.role === "leader"),
  )?.name;

const lastTold = ({ console }: Playground): string | undefined => console.told.at(-1)?.text;

/** A course with everything in it that could be told apart: steps, several deeds of one moment. */
async function course(): Promise<Playground> {
  const one = start();
  await run(one, 2_000_000);
  await act(one, { type: "put", mode: "raw", key: "a", value: "1" });
  await act(one, { type: "put", mode: "transactional", key: "a", value: "2" });
  await act(one, { type: "get", mode: "raw", key: "a" });
  await run(one, 2_300_000);
  for (let i = 0; i < 9; i++) await goOn(one, 3_000_000, one.world.events + 3);
  await act(one, { type: "cut", links: [["store 1", "store 2"]] });
  await goOn(one, 3_000_000, one.world.events + 1);
  await act(one, { type: "crash", machine: leaderOf(one) ?? "", power: true });
  await act(one, { type: "clock_drift", machine: "store 2", millionths: 40_000 });
  await run(one, 5_000_000);
  await act(one, { type: "heal" });
  await act(one, { type: "scan", mode: "transactional", key: "" });
  await run(one, 7_000_000);
  return one;
}

test("the same play is the same course, in whatever pieces it is played", async () => {
  const first = await course();
  assert.is(lastTold(first), "a = 2");
  for (const most of [7, 500, Infinity]) {
    const again = await played(playOf(first), 7_000_000, most);
    assert.is(traceOf(again), traceOf(first), `${most} events at a time`);
    assert.equal(again.console.told, first.console.told);
  }
});

test("a course begun anew is the old one up to that moment, and may go on otherwise", async () => {
  const first = start();
  await run(first, 1_500_000);
  await act(first, { type: "pause", machine: "store 2" });
  await run(first, 2_500_000);
  const there = traceOf(first);
  const leader = leaderOf(first) ?? "";
  await act(first, { type: "crash", machine: leader, power: false });
  await run(first, 4_000_000);

  const branch = playUntil(playOf(first), 2_400_000);
  assert.is(branch.actions.length, 1);
  const other = await played(branch, 2_500_000, 100);
  assert.is(traceOf(other), there);
  await act(other, { type: "resume", machine: "store 2" });
  await run(other, 4_000_000);
  assert.is.not(traceOf(other), traceOf(first));
  assert.is(leaderOf(other), leader);
});

test("when the leader crashes another leads, and what was written is there", async () => {
  const one = start();
  await run(one, 2_000_000);
  const leader = leaderOf(one);
  assert.ok(leader);
  await act(one, { type: "put", mode: "raw", key: "k", value: "before" });
  await run(one, 2_500_000);
  await act(one, { type: "crash", machine: leader ?? "", power: true });
  await run(one, 6_000_000);
  assert.is(one.world.stores.find(({ name }) => name === leader)?.status, "down");
  const next = leaderOf(one);
  assert.ok(next !== undefined && next !== leader, next);
  await act(one, { type: "get", mode: "raw", key: "k" });
  await run(one, 7_000_000);
  assert.is(lastTold(one), "before");
  await act(one, { type: "start", machine: leader ?? "" });
  await run(one, 7_500_000);
  assert.is(one.world.stores.find(({ name }) => name === leader)?.status, "up");
});

test("a client that is cut off is told of no success, and a mended link carries again", async () => {
  const one = start();
  await run(one, 2_000_000);
  const servers = one.world.servers.map(({ name }) => name);
  const links = servers.map((name) => ["console", name] as const);
  await act(one, { type: "cut", links });
  assert.ok(isCut(one.world.network, one.world.clients.at(-1)?.node ?? 0, 0));
  await act(one, { type: "put", mode: "raw", key: "k", value: "v" });
  await run(one, 4_000_000);
  assert.is(one.console.told.at(-1)?.end, "open");
  await act(one, { type: "mend", links });
  await run(one, 8_000_000);
  assert.is(lastTold(one), "written");
});

test("deeds of one moment come one after another, whether anything was run between them or not", async () => {
  const deeds: readonly Deed[] = [
    { type: "put", mode: "transactional", key: "b", value: "1" },
    { type: "get", mode: "raw", key: "b" },
    { type: "scan", mode: "transactional", key: "" },
  ];
  const one = start();
  await run(one, 1_000_000);
  for (const deed of deeds) {
    await act(one, deed);
    await goOn(one, one.world.timeUs, Infinity);
  }
  await run(one, 2_000_000);
  const again = await played(playOf(one), 2_000_000, Infinity);
  assert.is(traceOf(again), traceOf(one));
});

test("each deed does what it says, and healing takes all of it back", async () => {
  const one = start();
  const { world } = one;
  await run(one, 1_000_000);
  const [store] = world.stores;
  assert.ok(store);
  if (store === undefined) return;
  const { clock, disk, name: machine } = store;
  const offset = (): number => readClock(clock, world.timeUs).wallMs - world.timeUs / 1000;
  const before = offset();
  await act(one, { type: "clock_step", machine, us: 7_000_000 });
  assert.ok(Math.abs(offset() - before - 7000) < 2);
  await act(one, { type: "clock_drift", machine, millionths: 50_000 });
  assert.is(clock.driftMillionths, 50_000);
  await act(one, { type: "clock_freeze", machine });
  const wall = readClock(clock, world.timeUs).wallMs;
  await act(one, { type: "slow_disk", machine, times: 100 });
  assert.is(disk.model.slowdown, 100);
  await act(one, { type: "full_disk", machine });
  assert.is(disk.model.capacityBytes, disk.usedBytes);
  await act(one, { type: "pause", machine });
  assert.is(store.status, "paused");
  await run(one, 1_200_000);
  assert.is(readClock(clock, world.timeUs).wallMs, wall);
  await act(one, { type: "resume", machine });
  assert.is(store.status, "up");
  await act(one, { type: "clock_thaw", machine });
  await act(one, { type: "mend_disk", machine });
  assert.is(disk.model.slowdown, 1);
  assert.ok(disk.model.capacityBytes > disk.usedBytes);

  await act(one, { type: "failing_sync", machine });
  await run(one, 2_000_000);
  assert.ok(world.trace.lines.some(({ text }) => text.startsWith(`${machine} is in trouble`)));
  await act(one, { type: "cut", links: [[machine, "store 2"]] });
  await act(one, { type: "crash", machine: "store 3", power: true });
  await act(one, { type: "clock_freeze", machine });
  await act(one, { type: "heal" });
  await run(one, 6_000_000);
  assert.is(clock.frozenWallUs, undefined);
  assert.ok(world.servers.every(({ status }) => status === "up"));
  assert.is(clock.driftMillionths, 0);
  assert.is.not(isCut(world.network, 0, 1), true);
  assert.is(world.checks.violation, undefined);
});

test("a deed that makes no sense at its moment does nothing", async () => {
  const one = start();
  await run(one, 1_000_000);
  await act(one, { type: "crash", machine: "store 9", power: false });
  await act(one, { type: "start", machine: "store 1" });
  await act(one, { type: "mend", links: [["store 1", "store 2"]] });
  await act(one, { type: "resume", machine: "store 1" });
  await run(one, 2_000_000);
  assert.is(one.world.checks.violation, undefined);
  assert.ok(one.world.servers.every(({ status }) => status === "up"));
});

test("a cut of everything is the whole film, and a cut of a stretch what reaches into it", async () => {
  const one = await course();
  const { world, film } = one;
  const whole = develop(world, film, "x");
  const all = cutOut(world, film, "x", { beginUs: 0, endUs: world.timeUs }, undefined);
  assert.equal(all.messages, whole.messages);
  assert.equal(all.calls, whole.calls);
  assert.equal(all.states, whole.states);
  assert.equal(all.operations.beginUs, whole.operations.beginUs);
  assert.equal(all.lines, whole.lines);

  const window = { beginUs: 2_400_000, endUs: 3_100_000 };
  const part = cutOut(world, film, "x", window, undefined);
  const { sentUs, delayUs } = whole.messages;
  const touching = sentUs.filter(
    (time, i) => time <= window.endUs && time + Math.max(0, delayUs[i] ?? 0) >= window.beginUs,
  );
  const lostBefore = sentUs.filter(
    (time, i) => (delayUs[i] ?? 0) < 0 && time < window.beginUs,
  ).length;
  assert.equal(
    part.messages.sentUs.filter((time) => time >= window.beginUs),
    touching.filter((time) => time >= window.beginUs),
  );
  assert.is(part.messages.sentUs.length, touching.length, `${lostBefore} were lost before`);

  // Whatever held at the beginning of the stretch is still known.
  const at = (states: typeof whole.states, node: number, group: number): number =>
    states.timeUs.findLastIndex(
      (time, i) => time <= window.beginUs && states.node[i] === node && states.group[i] === group,
    );
  for (const node of [0, 1, 2, 3]) {
    const group = node === 3 ? 0 : (whole.states.group.find((one) => one > 0) ?? 0);
    const [a, b] = [at(whole.states, node, group), at(part.states, node, group)];
    assert.is(part.states.applied[b], whole.states.applied[a]);
    assert.is(part.states.timeUs[b], whole.states.timeUs[a]);
  }
});

test.run();
