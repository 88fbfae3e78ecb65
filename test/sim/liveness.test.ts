/** Who has to recover when the faults end, and what counts as an excuse for who has not. */
import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { idKey } from "../../engine/base/big-endian.ts";
import { EMPTY_KEY } from "../../engine/base/bytes.ts";
import type { LogIndex, PeerId, RegionId, StoreId, Term } from "../../engine/base/ids.ts";
import * as tree from "../../engine/base/tree.ts";
import { inForce } from "../../engine/raft/configuration.ts";
import { withReplica } from "../../engine/region/replica.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { lacks } from "../../sim/checkers/convergence.ts";
import { placedReplicas, replicasOf } from "../../sim/checkers/look.ts";
import { decisionsOf } from "../../sim/decisions/decisions.ts";
import { laidDown } from "../../sim/decisions/laid-down.ts";
import { takesOf } from "../../sim/decisions/takes.ts";
import { excuseOf } from "../../sim/excuses/excuse.ts";
import { lostData } from "../../sim/excuses/lost-data.ts";
import { rearrange } from "../../sim/faults/orders.ts";
import { wipe } from "../../sim/faults/wipes.ts";
import {
  drawLeftOut,
  EVERYBODY,
  keepsQuorums,
  type LeftOut,
  type Plight,
} from "../../sim/liveness/core.ts";
import { freeze } from "../../sim/liveness/freeze.ts";
import { calmPutUs, PROBE_PUTS, slowness } from "../../sim/liveness/pace.ts";
import { drawLatecomer } from "../../sim/liveness/latecomer.ts";
import { heal } from "../../sim/liveness/phase.ts";
import { giveStore } from "../../sim/machines/inbox.ts";
import { crash, startLater } from "../../sim/machines/process.ts";
import type { Machine, StoreMachine, World } from "../../sim/model.ts";
import { cut, isCut } from "../../sim/network/network.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { runUntil } from "../../sim/world.ts";
import { suite } from "../harness.ts";

const test = suite("sim/liveness");

const THREE: Scenario = {
  ...calm,
  cluster: { stores: [3], members: [3], replicas: [3] },
  settings: "usual",
};

/** A calm world that has been running for a while. */
async function running(scenario: Scenario = THREE, clients = true): Promise<World> {
  const { world } = build(scenario, "1", drain, { ...DEFAULT_OPTIONS, byReference: true });
  for (const machine of world.servers) startLater(world, machine, 1000);
  if (clients) for (const client of world.clients) client.start();
  await runUntil(world, 3_000_000);
  assert.is(world.checks.violation, undefined);
  return world;
}

const called = (world: World, name: string): Machine => {
  const machine = world.servers.find((one) => one.name === name);
  if (machine === undefined) throw new Error(`there is no ${name}`);
  return machine;
};

const without = (world: World, plights: Readonly<Record<string, Plight>>): LeftOut =>
  new Map(Object.entries(plights).map(([name, plight]) => [called(world, name), plight]));

const violation = (world: World): string => world.checks.violation?.text ?? "none";

/** Loses the disk of a store, which comes back a tenth of a second later. */
function lose(world: World, name: string): void {
  assert.ok(wipe(world, { type: "wipe", machine: name, regardless: true }, 100_000), name);
}

test("whoever is left out leaves every group a majority", async () => {
  const cluster = { stores: [5], members: [5], replicas: [3] };
  const world = await running({ ...THREE, cluster });
  const kinds = { everybody: 0, store: 0, placement: 0 };
  for (let i = 0; i < 60; i++) {
    const leftOut = drawLeftOut({ ...world, decisions: decisionsOf(`any/${i}`) });
    if (leftOut.size === 0) kinds.everybody += 1;
    for (const { kind } of leftOut.keys()) kinds[kind] += 1;
    const drivers = world.members.filter((member) => !leftOut.has(member));
    assert.ok(drivers.length >= 3, `${drivers.length} members of the placement driver are left`);
    for (const [region, placed] of placedReplicas(world)) {
      const kept = placed.filter(({ machine }) => !leftOut.has(machine));
      assert.ok(2 * kept.length > placed.length, `region ${region} keeps ${kept.length}`);
    }
  }
  assert.ok(kinds.everybody > 15 && kinds.everybody < 45, `${kinds.everybody} of 60 heal all`);
  assert.ok(kinds.store > 10 && kinds.placement > 10, JSON.stringify(kinds));
});

test("a store that is the only one of some region is never left out", async () => {
  const cluster = { stores: [3], members: [1], replicas: [1] };
  const world = await running({ ...THREE, cluster });
  const hosts = new Set([...placedReplicas(world).values()].flat().map(({ machine }) => machine));
  for (let i = 0; i < 40; i++) {
    const leftOut = drawLeftOut({ ...world, decisions: decisionsOf(`any/${i}`) });
    for (const host of hosts) assert.not(leftOut.has(host), host.name);
    assert.not(leftOut.has(called(world, "pd 1")));
  }
});

test("who may yet be made the second voter of a region is not left out", async () => {
  const world = await running();
  const [region] = [...placedReplicas(world).keys()];
  const isLeftOut = (name: string): boolean => keepsQuorums(world, new Set([called(world, name)]));
  assert.ok(region !== undefined && isLeftOut("store 2") && isLeftOut("store 3"));
  const learners = ["store 2", "store 3"];
  rearrange(world, { type: "rearrange_region", region, voters: ["store 1"], learners });
  const voters = (): number => {
    const placed = placedReplicas(world).get(region) ?? [];
    const sets = placed.map(({ replica }) => inForce(replica.raft.history).configuration.voters);
    return Math.max(...sets.map(({ length }) => length));
  };
  const counts = new Set<number>();
  // Ordered, on its way, and done: until one of them is a voter again.
  for (let count = voters(); count !== 2; count = voters()) {
    counts.add(count);
    for (const name of learners) assert.not(isLeftOut(name), `${name} beside ${count} voters`);
    await runUntil(world, world.timeUs + 1000);
  }
  assert.equal([...counts], [3, 1]);
  await runUntil(world, world.timeUs + 1_000_000);
  assert.ok(isLeftOut("store 2") && isLeftOut("store 3"));
});

test("who is left out is part of what is laid down, and nobody is where it is not", async () => {
  const world = await running();
  const names = (drawn: readonly string[]): string[] => {
    const schedule = { ...laidDown(takesOf()), drawn };
    return Array.from({ length: 12 }, (_, i) => {
      const leftOut = drawLeftOut({ ...world, decisions: decisionsOf(`any/${i}`, schedule) });
      return [...leftOut].map(([{ name }, plight]) => `${name} ${plight}`).join();
    });
  };
  assert.equal(names(laidDown(takesOf()).drawn), names(["*"]));
  assert.ok(names(["*"]).some((text) => text !== ""));
  assert.equal(
    names(["knob", "net", "disk"]),
    Array.from({ length: 12 }, () => ""),
  );
});

for (const plight of ["down", "still", "cut off", "mute", "deaf", "slow disk"] as const) {
  test(`a majority recovers without a leader that is left out: ${plight}`, async () => {
    const world = await running();
    const leader = world.stores.find((store) =>
      replicasOf(store).some(({ raft }) => raft.role === "leader"),
    );
    const driver = world.members.find(({ state }) => state?.raft.role === "leader");
    if (leader === undefined || driver === undefined) throw new Error("somebody leads");
    const { incarnation } = leader;
    const leftOut: LeftOut = new Map<Machine, Plight>([
      [leader, plight],
      [driver, plight],
    ]);
    await heal(world, 20_000, leftOut);
    assert.is(violation(world), "none");
    assert.equal(world.checks.excuses, []);
    const others = world.servers.filter((machine) => !leftOut.has(machine));
    const status = { down: "down", still: "paused" }[plight as string] ?? "up";
    assert.is(leader.status, status, "it stays as it was left");
    if (status === "up") assert.is(leader.incarnation, incarnation);
    for (const machine of [leader, driver]) {
      const [out, into] = [
        others.filter(({ node }) => isCut(world.network, machine.node, node)).length,
        others.filter(({ node }) => isCut(world.network, node, machine.node)).length,
      ];
      // The placement driver would go on choosing a store that it hears.
      const isLure = machine === leader && plight === "deaf";
      const drivers = others.filter(({ kind }) => kind === "placement").length;
      const all = plight === "mute" || plight === "cut off" ? others.length : 0;
      assert.is(out, isLure ? drivers : all);
      assert.is(into, plight === "deaf" || plight === "cut off" ? others.length : 0);
    }
  });
}

test("whoever comes back late finds the others, and they find it", async () => {
  const world = await running();
  const leading = world.stores.find((store) =>
    replicasOf(store).some(({ raft }) => raft.role === "leader"),
  );
  if (leading === undefined) throw new Error("somebody leads");
  const from = world.timeUs;
  await heal(world, 10_000, EVERYBODY, { machine: leading, lateUs: 5_000_000 });
  assert.is(violation(world), "none");
  assert.ok(world.timeUs >= from + 5_000_000);
  for (const { node } of world.servers) {
    assert.not(
      isCut(world.network, leading.node, node) || isCut(world.network, node, leading.node),
    );
  }
  const told = world.trace.lines.filter(({ text }) => text.includes("stays cut off"));
  assert.is(told.length, 1);
});

test("who comes back late is one of those who are to recover, and nobody where it is not laid down", async () => {
  const world = await running();
  const schedule = { ...laidDown(takesOf()), drawn: ["knob"] };
  let late = 0;
  for (let i = 0; i < 60; i++) {
    const any = { ...world, decisions: decisionsOf(`any/${i}`) };
    const leftOut = drawLeftOut(any);
    const latecomer = drawLatecomer(any, leftOut);
    if (latecomer !== undefined) late += 1;
    assert.not(latecomer !== undefined && leftOut.has(latecomer.machine));
    const none = { ...world, decisions: decisionsOf(`any/${i}`, schedule) };
    assert.is(drawLatecomer(none, EVERYBODY), undefined);
  }
  assert.ok(late > 5 && late < 35, `${late} of 60`);
});

test("a store that was about to be started stays down where it is left out", async () => {
  const world = await running();
  const store = called(world, "store 2");
  crash(world, store, "process");
  startLater(world, store, 500_000);
  freeze(world, without(world, { "store 2": "as it is" }));
  await runUntil(world, world.timeUs + 5_000_000);
  assert.is(store.status, "down");
});

test("a leader that never sends to one follower is no excuse, in a core either", async () => {
  for (const leftOut of [{}, { "pd 3": "down" }] as const) {
    const world = await running();
    freeze(world, without(world, leftOut));
    const [{ node: one }, { node: other }] = world.stores as [StoreMachine, StoreMachine];
    cut(world.network, [
      [one, other],
      [other, one],
    ]);
    await runUntil(world, world.timeUs + 8_000_000);
    const left = [...lacks(world)];
    assert.ok(left.length > 0, "something lacks");
    assert.ok(left.every((lack) => excuseOf(world, lack) === undefined));
  }
});

test("followers whose election timers never fire are no excuse", async () => {
  const world = await running();
  const [leading] = world.stores.filter((store) =>
    replicasOf(store).some(({ raft }) => raft.role === "leader"),
  );
  if (leading === undefined) throw new Error("somebody leads");
  const leftOut: LeftOut = new Map<Machine, Plight>([[leading, "down"]]);
  for (const store of world.stores) {
    const { state } = store;
    if (store === leading || state === undefined) continue;
    let { byId } = state.replicas;
    for (const [, replica] of tree.entries(byId)) {
      const raft = { ...replica.raft, electionAtMs: Number.MAX_SAFE_INTEGER };
      byId = tree.set(byId, idKey(replica.region.id), withReplica(replica, { raft }));
    }
    store.state = { ...state, replicas: { ...state.replicas, byId } };
  }
  await heal(world, 10_000, leftOut);
  assert.match(violation(world), /^10 s after the faults ended region \d+ has no leader$/);
});

test("a quorum that is lost with its disks is an excuse that names both", async () => {
  const world = await running();
  lose(world, "store 1");
  lose(world, "store 3");
  await heal(world, 30_000, EVERYBODY);
  assert.is(violation(world), "none");
  const [excuse = ""] = world.checks.excuses;
  assert.match(excuse, /^region \d+ has lost its quorum: 2 of its 3 voters are gone, /);
  assert.match(excuse, /peer \d+ on store 1 \(its disk was lost at 3\.000s\)/);
  assert.match(excuse, /peer \d+ on store 3 \(its disk was lost at 3\.000s\)/);
  assert.not.match(excuse, /store 2/);
});

test("keys that the placement driver knows no region of are excused by the region that had them", async () => {
  const world = await running();
  for (const member of world.members) crash(world, member, "process");
  const lack = { text: "", of: { type: "range", start: EMPTY_KEY } } as const;
  assert.is(excuseOf(world, lack), undefined);
  lose(world, "store 1");
  lose(world, "store 3");
  assert.match(excuseOf(world, lack) ?? "none", /^region \d+ has lost its quorum: 2 of its 3 /);
});

test("a disk that is lost where a majority is left is made up for, and no excuse", async () => {
  const world = await running();
  lose(world, "store 2");
  await heal(world, 40_000, EVERYBODY);
  assert.is(violation(world), "none");
  assert.equal(world.checks.excuses, []);
});

test("stores that are only down, cut off or left out are no excuse", async () => {
  for (const plight of ["down", "cut off", "still"] as const) {
    const world = await running(THREE, false);
    await heal(world, 8000, without(world, { "store 1": plight, "store 3": plight }));
    assert.match(violation(world), /region \d+ has no leader/, `${plight}: ${violation(world)}`);
  }
});

test("one lost quorum excuses nothing else that has not converged", async () => {
  const cluster = { stores: [3], members: [3], replicas: [1] };
  const world = await running({ ...THREE, cluster });
  const placed = [...placedReplicas(world).values()][0]?.[0];
  if (placed === undefined) throw new Error("there is a region");
  const { name } = placed.machine;
  const other = world.stores.find((store) => store.name !== name);
  if (other === undefined) throw new Error("there is another store");
  lose(world, name);
  const before = [...world.checks.excuses];
  crash(world, other, "process");
  freeze(world, EVERYBODY);
  other.incarnation += 1;
  await runUntil(world, world.timeUs + 5_000_000);
  const excused = [...lacks(world)].map((lack) => [lack.text, excuseOf(world, lack)] as const);
  assert.equal(before, []);
  assert.ok(
    excused.some(([text, excuse]) => text === `${other.name} is down` && excuse === undefined),
  );
  assert.ok(excused.some(([, excuse]) => excuse?.includes("has lost its quorum") === true));
});

test("data that nobody has whole is an excuse only where the run itself has damaged it", async () => {
  const world = await running();
  const [region] = placedReplicas(world).keys();
  const group = world.checks.groups.groups.get(region ?? 0);
  if (region === undefined || group === undefined) throw new Error("there is a region");
  assert.is(lostData(world, group), undefined);
  const damage = (machine: StoreMachine): string => {
    const [file = ""] = machine.disk.list();
    for (const replica of replicasOf(machine)) {
      const damaged = { file, offset: 0, detail: "does not match", sinceMs: 0 };
      machine.seen.set(replica.region.id, withReplica(replica, { damaged }));
    }
    machine.state = undefined;
    return file;
  };
  const [one, two, three] = world.stores as [StoreMachine, StoreMachine, StoreMachine];
  const files = [one, two].map(damage);
  for (const [i, file] of files.entries()) (world.stores[i] as StoreMachine).disk.flip(file, 0, 1);
  assert.is(lostData(world, group), undefined, "the third is whole");
  const last = damage(three);
  assert.is(lostData(world, group), undefined, "nobody has damaged the third: it is a bug");
  three.disk.flip(last, 0, 1);
  assert.match(
    lostData(world, group) ?? "",
    new RegExp(`^nobody has the data of region ${region} whole: damaged are \\S+ of peer \\d+ on`),
  );
});

test("a cluster that stays slow when all is over is told, but not behind a disk left slow", async () => {
  const world = await running(THREE, false);
  assert.is(slowness(world, PROBE_PUTS * calmPutUs(world)), undefined);
  const slowUs = 5 * PROBE_PUTS * calmPutUs(world);
  freeze(world, without(world, { "store 1": "slow disk" }));
  assert.is(slowness(world, slowUs), undefined, "who leads may have the slow disk");
  freeze(world, EVERYBODY);
  assert.match(slowness(world, slowUs) ?? "", /^finds that a put takes [0-9.]+ ms on average/);
});

test("a store that does not know yet which it is takes no part in any region", async () => {
  const { world } = build(THREE, "1", drain, { ...DEFAULT_OPTIONS, byReference: true });
  const [store] = world.stores as [StoreMachine];
  startLater(world, store, 0);
  await runUntil(world, 500_000);
  giveStore(world, store, {
    type: "received",
    from: 2 as StoreId,
    message: {
      type: "raft",
      region: 3 as RegionId,
      from: 4 as PeerId,
      to: 12 as PeerId,
      confVer: 3,
      version: 2,
      startKey: EMPTY_KEY,
      endKey: EMPTY_KEY,
      message: {
        type: "heartbeat_request",
        term: 6 as Term,
        commit: 0 as LogIndex,
        sentAt: 1,
        round: 1,
      },
    },
  });
  await runUntil(world, 700_000);
  assert.is(violation(world), "none");
  assert.is(store.status, "up");
  assert.equal(replicasOf(store), []);
});

test.run();
