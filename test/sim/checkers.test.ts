import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import type { PeerId } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { VoteResponse } from "../../engine/raft/types.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import { stackOf } from "../../engine/storage/state.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, type Built, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { missing } from "../../sim/checkers/convergence.ts";
import { groupOf } from "../../sim/checkers/group.ts";
import { lookAtMember, lookAtMessage } from "../../sim/checkers/groups.ts";
import { replicasOf } from "../../sim/checkers/look.ts";
import { compareReplicas } from "../../sim/checkers/replicas.ts";
import { timestampsGranted } from "../../sim/checkers/timestamps.ts";
import { crash, startLater } from "../../sim/machines/process.ts";
import type { StoreMachine, World } from "../../sim/model.ts";
import { checkInserts } from "../../sim/workloads/audit.ts";
import { runUntil } from "../../sim/world.ts";
import { suite } from "../harness.ts";

const test = suite("sim/checkers");

/** A calm world that has been running for a while, with its clients. */
async function running(): Promise<Built> {
  const built = build(calm, "1", drain, DEFAULT_OPTIONS);
  for (const machine of built.world.servers) startLater(built.world, machine, 1000);
  for (const client of built.world.clients) client.start();
  await runUntil(built.world, 2_200_000);
  assert.is(built.world.checks.violation, undefined);
  return built;
}

interface Found {
  readonly machine: StoreMachine;
  readonly region: number;
  readonly peer: PeerId;
  readonly raft: RaftState;
}

function find(world: World, role: "leader" | "follower"): Found {
  for (const machine of world.stores) {
    for (const { region, peer, raft } of replicasOf(machine)) {
      if (raft.role !== role || raft.commit < 10) continue;
      return { machine, region: region.id, peer: peer.id as PeerId, raft };
    }
  }
  throw new Error(`no ${role}`);
}

const violation = (world: World): string => {
  const found = world.checks.violation;
  return found === undefined ? "none" : `${found.check}: ${found.text}`;
};

/** Shows the checkers a state that the engine never made. */
function show(
  world: World,
  { machine, region, peer, raft }: Found,
  change: Partial<RaftState>,
): void {
  lookAtMember(world, machine, region, peer, { ...raft, ...change });
}

test("two leaders in one term violate election safety", async () => {
  const { world } = await running();
  const leader = find(world, "leader");
  const follower = find(world, "follower");
  show(world, { ...follower, region: leader.region, raft: leader.raft }, {});
  const other = { ...follower, peer: 999 as PeerId, region: leader.region, raft: leader.raft };
  if (world.checks.violation === undefined) show(world, other, {});
  assert.match(violation(world), /^election safety: /);
});

test("a term, commit or applied index that goes back is told", async () => {
  for (const field of ["term", "commit", "applied"] as const) {
    const { world } = await running();
    const follower = find(world, "follower");
    show(world, follower, { [field]: follower.raft[field] - 1 });
    assert.match(violation(world), new RegExp(`^monotone state: .*${field}`));
  }
});

test("a member that has applied what is not durable is told", async () => {
  const { world } = await running();
  const follower = find(world, "follower");
  show(world, follower, { durable: (follower.raft.applied - 1) as never });
  assert.match(violation(world), /^monotone state: .*applied \d+ > durable \d+/);
});

test("a committed entry that is another one elsewhere violates state machine safety", async () => {
  const { world } = await running();
  const { machine, region, peer, raft } = find(world, "follower");
  const { committed } = groupOf(world.checks.groups, region);
  const at = raft.commit - committed.first;
  committed.terms[at] = (committed.terms[at] as number) - 1;
  lookAtMember(world, machine, region, (peer + 1000) as PeerId, { ...raft });
  assert.match(violation(world), /^state machine safety: /);
});

test("an entry with other contents violates log matching", async () => {
  const { world } = await running();
  const { machine, region, peer, raft } = find(world, "follower");
  const { entries } = groupOf(world.checks.groups, region);
  for (const [key, hash] of entries) entries.set(key, hash ^ 1);
  lookAtMember(world, machine, region, (peer + 1000) as PeerId, { ...raft });
  assert.match(violation(world), /^log matching: /);
});

test("two votes in one term are told, before and after a restart", async () => {
  const vote = { type: "vote_response", term: 900, pre: false, granted: true } as VoteResponse;
  const twice = (await running()).world;
  const { machine, region, peer } = find(twice, "follower");
  lookAtMessage(twice, machine, region, peer, 1 as PeerId, vote);
  lookAtMessage(twice, machine, region, peer, 2 as PeerId, vote);
  assert.match(violation(twice), /^kept promises: .*votes for peer 2 in term 900/);

  const back = (await running()).world;
  const follower = find(back, "follower");
  lookAtMessage(back, follower.machine, follower.region, follower.peer, 1 as PeerId, vote);
  crash(back, follower.machine, "process");
  startLater(back, follower.machine, 1000);
  await runUntil(back, back.timeUs + 100_000);
  assert.match(violation(back), /^kept promises: .*is back in term \d+, but had sent promises/);
});

test("an acknowledged entry that a restart has lost is told", async () => {
  const { world } = await running();
  const { machine, region, peer, raft } = find(world, "follower");
  const member = groupOf(world.checks.groups, region).members.get(peer);
  if (member === undefined) throw new Error("the member is known");
  member.ackIndex = raft.log.last + 50;
  crash(world, machine, "power");
  startLater(world, machine, 1000);
  await runUntil(world, world.timeUs + 100_000);
  assert.match(violation(world), /^kept promises: .*had acknowledged entry/);
});

test("replicas that differ in one value are told with the key", async () => {
  const { world } = await running();
  const { machine, region } = find(world, "leader");
  if (machine.state === undefined) throw new Error("the store is up");
  const { watched: tables } = machine;
  const workspace = new Workspace(stackOf(machine.state.storage), tables);
  const view = workspace.snapshot();
  const cursor = view.cursor("default", { lower: EMPTY_KEY, upper: EMPTY_KEY });
  cursor.seek(EMPTY_KEY);
  const { key } = cursor;
  workspace.perform({ type: "put", cf: "default", key, value: Uint8Array.of(1) });
  const other = workspace.snapshot();
  const base = { region, index: 1, startKey: EMPTY_KEY, endKey: EMPTY_KEY, tables };
  compareReplicas(world, { ...base, view, store: "a" }, { ...base, view, store: "b" });
  assert.is(violation(world), "none");
  compareReplicas(world, { ...base, view, store: "a" }, { ...base, view: other, store: "b" });
  assert.match(violation(world), /^equal replicas: region \d+ at index 1 differs on a and b/);
});

test("timestamps that go back, or are granted twice, are told", () => {
  const old = { physical: 100, logical: 10, count: 5 };
  const cases = [
    { floor: old, grant: { physical: 100, logical: 10, count: 1 }, text: /had been answered/ },
    { floor: old, grant: { physical: 99, logical: 900, count: 1 }, text: /had been answered/ },
    { floor: undefined, grant: { physical: 100, logical: 12, count: 4 }, text: /overlaps/ },
    { floor: undefined, grant: { physical: 100, logical: 2, count: 9 }, text: /not so many/ },
  ];
  for (const { floor, grant, text } of cases) {
    const { world } = build(calm, "1", drain, DEFAULT_OPTIONS);
    timestampsGranted(world, "a", undefined, old);
    timestampsGranted(world, "a", old, { physical: 100, logical: 11, count: 1 });
    assert.is(violation(world), "none");
    timestampsGranted(world, "b", floor, grant);
    assert.match(violation(world), text);
  }
});

test("an acknowledged insert that is gone, and a value nobody wrote, violate durability", async () => {
  const { world, audit, inserts } = await running();
  inserts.acknowledged.clear();
  checkInserts(world, audit, inserts);
  assert.is(violation(world), "none");
  inserts.acknowledged.set("s/x" as Key, 7);
  checkInserts(world, audit, inserts);
  assert.match(violation(world), /^durability: key s\/x was put with value 7 and acknowledged/);
});

test("what has not converged is told by name", async () => {
  const { world } = await running();
  world.clientsActive = false;
  await runUntil(world, world.timeUs + 3_000_000);
  missing(world);
  assert.is(missing(world), undefined);
  const { machine } = find(world, "follower");
  crash(world, machine, "process");
  assert.is(missing(world), `${machine.name} is down`);
});

test.run();
