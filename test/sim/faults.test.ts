/** That strikes do what their words say, and end. */
import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { calm } from "../../scenarios/calm.ts";
import { SCENARIOS } from "../../scenarios/index.ts";
import { build, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { decodeSchedule, encodeSchedule } from "../../sim/decisions/file.ts";
import { drawsOf } from "../../sim/decisions/decisions.ts";
import { laidDown } from "../../sim/decisions/laid-down.ts";
import { takesOf } from "../../sim/decisions/takes.ts";
import { drawFlapping, drawSwizzle } from "../../sim/faults/flapping.ts";
import { deal, drawStrike, type Strike } from "../../sim/faults/strike.ts";
import { wordsOf } from "../../sim/faults/words.ts";
import { startLater } from "../../sim/machines/process.ts";
import type { StoreMachine, World } from "../../sim/model.ts";
import { isCut } from "../../sim/network/network.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { suite } from "../harness.ts";
import { runUntil } from "../../sim/world.ts";

const test = suite("sim/faults");

const THREE: Scenario = {
  ...calm,
  cluster: { stores: [3], members: [3], replicas: [3] },
  settings: "usual",
};

async function running(): Promise<World> {
  const { world } = build(THREE, "1", drain, { ...DEFAULT_OPTIONS, byReference: true });
  for (const machine of world.servers) startLater(world, machine, 1000);
  for (const client of world.clients) client.start();
  await runUntil(world, 2_500_000);
  assert.is(world.checks.violation, undefined);
  return world;
}

const storesOf = (world: World): [StoreMachine, StoreMachine, StoreMachine] =>
  world.stores as [StoreMachine, StoreMachine, StoreMachine];

for (const after of ["send", "write", "reply"] as const) {
  test(`a trap behind a ${after} springs in the middle of a step, once`, async () => {
    const world = await running();
    const [store] = storesOf(world);
    const strike: Strike = {
      type: "trap",
      machine: store.name,
      after,
      skip: 2,
      power: false,
      downUs: 50_000,
    };
    assert.ok(deal(world, "trap", strike, 60_000_000));
    const { starts } = store;
    await runUntil(world, world.timeUs + 20_000_000);
    assert.is(world.checks.violation, undefined);
    assert.is(store.starts, starts + 1);
    assert.is(store.trap, undefined);
    const told = world.trace.lines.filter(({ text }) => text.includes(`behind a ${after}`));
    assert.is(told.length, 1, "the fall is told");
  });
}

test("a trap that nobody falls into is taken away", async () => {
  const world = await running();
  const [store] = storesOf(world);
  const strike: Strike = {
    type: "trap",
    machine: store.name,
    after: "send",
    skip: 1_000_000,
    power: true,
    downUs: 1,
  };
  assert.ok(deal(world, "trap", strike, 100_000));
  assert.ok(store.trap);
  await runUntil(world, world.timeUs + 200_000);
  assert.is(store.trap, undefined);
});

test("links that flap are cut and whole in turn, and whole in the end", async () => {
  const world = await running();
  const strike = drawFlapping(world, "servers", drawsOf(world.decisions, "fault/flap 1/1"));
  assert.ok(strike);
  const even: Strike = { ...strike, cutUs: 100_000, wholeUs: 50_000 };
  assert.ok(deal(world, "flap", even, 400_000));
  const [one, other] = [strike.links[0]?.[0], strike.links[0]?.[1]].map(
    (name) => world.servers.find((server) => server.name === name)?.node ?? 0,
  ) as [number, number];
  const seen: string[] = [];
  for (let i = 0; i < 14; i++) {
    seen.push(isCut(world.network, one, other) ? "-" : "+");
    await runUntil(world, world.timeUs + 50_000);
  }
  assert.match(seen.join(""), /^--\+--\+--\+\+\+\+\+\+$|^--\+--\+--\++$/);
});

test("a swizzle stalls one node after the other and frees them in another order", async () => {
  const world = await running();
  for (let i = 0; i < 20; i++) {
    const random = drawsOf(world.decisions, `fault/swizzle 1/${i}`);
    const strike = drawSwizzle(world, "servers", 2_000_000, random);
    assert.ok(strike);
    const starts = strike.nodes.map(({ fromUs }) => fromUs);
    assert.is(new Set(starts).size, starts.length, "no two at once");
    for (const { fromUs, untilUs } of strike.nodes) assert.ok(fromUs < untilUs);
  }
});

test("a rack goes down together, and alone", async () => {
  for (const loses of ["power", "network"] as const) {
    const world = await running();
    const servers = ["store 2", "pd 2"].map((machine) => ({ machine, afterUs: 1000 }));
    assert.ok(deal(world, "rack", { type: "rack", rack: "rack 2", loses, servers }, 500_000));
    const inside = world.servers.filter(({ name }) => name.endsWith(" 2"));
    const outside = world.servers.filter(({ name }) => !name.endsWith(" 2"));
    for (const { status } of inside) assert.is(status, loses === "power" ? "down" : "up");
    for (const { status } of outside) assert.is(status, "up");
    for (const { node } of inside) {
      const cuts = world.servers.filter((other) => isCut(world.network, node, other.node));
      assert.equal(cuts, loses === "network" ? outside : []);
    }
    await runUntil(world, world.timeUs + 1_000_000);
    for (const { node, status } of world.servers) {
      assert.is(status, "up");
      assert.not(world.servers.some((other) => isCut(world.network, node, other.node)));
    }
  }
});

test("a server that is restarted with other settings is still the same, and its lease too", async () => {
  const world = await running();
  const [store] = storesOf(world);
  const before = store.config;
  const { id } = store;
  const settings = { electionMs: 2000, memtableBytes: 2000, compression: "lz4" } as const;
  const strike: Strike = { type: "reconfigure", machine: store.name, settings };
  assert.ok(deal(world, "reconfigure", strike, 100_000));
  await runUntil(world, world.timeUs + 10_000_000);
  assert.is(world.checks.violation, undefined);
  const { config } = store;
  assert.is(store.status, "up");
  assert.is(store.id, id);
  assert.is(config.address, before.address);
  assert.equal(config.labels, before.labels);
  assert.is(config.region.raft.leaseMs, before.region.raft.leaseMs);
  assert.is(config.region.raft.electionMs, 2000);
  assert.is(config.memtableBytes, 2000);
  assert.is(config.storage.lsm.table.compression, "lz4");
});

test("whatever strikes can be told, written down and read again", async () => {
  const world = await running();
  const found = SCENARIOS.filter(({ name }) => /^(swarm-transactions|rearrangements)$/.test(name));
  const types = new Set<string>();
  const strikes = found
    .flatMap(({ faults }) => faults)
    .flatMap((fault, i) => {
      if (fault.type === "ambush" || fault.type === "detain") return [];
      const random = drawsOf(world.decisions, `fault/${fault.type} ${i}/1`);
      const strike = drawStrike(world, fault, 1_000_000, random);
      if (strike === undefined) return [];
      types.add(strike.type);
      assert.ok(wordsOf(strike, 1_000_000).length > 10, strike.type);
      return { name: `fault/${fault.type}`, atUs: 1, lastsUs: 1_000_000, strike };
    });
  for (const type of ["flap", "swizzle", "rack", "trap", "rearrange_region", "wipe", "log_rot"]) {
    assert.ok(types.has(type), type);
  }
  const schedule = { ...laidDown(takesOf()), strikes };
  const file = { scenario: "swarm", seed: "1", check: "", text: "", schedule };
  const decoded = decodeSchedule(encodeSchedule(file));
  assert.ok(decoded.ok, decoded.ok ? "" : decoded.reason);
  if (decoded.ok) assert.equal(decoded.file, file);
});

test.run();
