/**
 * Convergence: once faults have stopped, every group has a leader that all its members follow to
 * the last entry, the regions cover the key space, every member has its replica and there is no
 * replica without a member. What is still missing is told in words.
 */
import type { Replica } from "../../engine/region/replica.ts";
import type { StoreMachine, World } from "../model.ts";
import { EMPTY_KEY, hex } from "../../engine/base/bytes.ts";
import { isInitialized } from "../../engine/region/descriptor.ts";
import { view as viewOf } from "../../engine/store/query.ts";
import { isJoined } from "../../engine/store/state.ts";
import { replicasOf } from "./look.ts";
import { compareReplicas } from "./replicas.ts";

/** The first thing that has not converged, or undefined. */
export function missing(world: World): string | undefined {
  for (const server of world.servers) {
    if (server.status !== "up") return `${server.name} is ${server.status}`;
  }
  if (world.errands > 0) return `${world.errands} operations have no answer`;
  return missingPlacement(world) ?? missingStores(world) ?? missingRegions(world);
}

function missingPlacement(world: World): string | undefined {
  const states = world.members.flatMap(({ state }) => state ?? []);
  const leader = states.find(({ raft }) => raft.role === "leader")?.raft;
  if (leader === undefined) return "the placement driver has no leader";
  // A driver is never at rest (it keeps storing windows of timestamps): its members must only have
  // what was committed when somebody last looked.
  const expected = world.checks.placementCommit;
  world.checks.placementCommit = leader.commit;
  for (const { state, name } of world.members) {
    if (state === undefined) return `${name} has no state`;
    const { raft } = state;
    if (raft.term !== leader.term) return `${name} is in term ${raft.term}, not ${leader.term}`;
    if (raft.applied < expected)
      return `${name} has applied ${raft.applied} of ${expected} entries`;
  }
  return undefined;
}

function missingStores(world: World): string | undefined {
  const waiting = world.stores.find(({ state }) => state === undefined || !isJoined(state));
  return waiting === undefined ? undefined : `${waiting.name} has not joined the cluster`;
}

interface Placed {
  readonly machine: StoreMachine;
  readonly replica: Replica;
}

function missingRegions(world: World): string | undefined {
  const regions = new Map<number, Placed[]>();
  for (const machine of world.stores) {
    for (const replica of replicasOf(machine)) {
      const placed = regions.get(replica.region.id);
      if (placed === undefined) regions.set(replica.region.id, [{ machine, replica }]);
      else placed.push({ machine, replica });
    }
  }
  const leaders: Replica[] = [];
  for (const [region, placed] of regions) {
    const leader = leaderOf(placed);
    if (leader === undefined) return `region ${region} has no leader`;
    const problem = missingReplicas(world, leader, placed);
    if (problem !== undefined) return `region ${region}: ${problem}`;
    leaders.push(leader);
  }
  return missingRange(leaders);
}

/** The leader of the latest term. */
function leaderOf(placed: readonly Placed[]): Replica | undefined {
  let leader: Replica | undefined;
  for (const { replica } of placed) {
    if (replica.raft.role !== "leader") continue;
    if (leader === undefined || replica.raft.term > leader.raft.term) leader = replica;
  }
  return leader;
}

function missingReplicas(
  world: World,
  leader: Replica,
  placed: readonly Placed[],
): string | undefined {
  const { region, raft } = leader;
  if (region.peers.length > world.knobs.stores) return "it has more peers than there are stores";
  for (const peer of region.peers) {
    const member = placed.find(({ replica }) => replica.peer.id === peer.id)?.replica;
    if (member === undefined) return `peer ${peer.id} is not on store ${peer.storeId}`;
    if (!isInitialized(member.region)) return `peer ${peer.id} has no data yet`;
    if (member.damaged !== undefined) {
      return `the data of peer ${peer.id} is damaged (${member.damaged.file}) and not replaced`;
    }
    if (member.raft.term !== raft.term) {
      return `peer ${peer.id} is in term ${member.raft.term}, its leader in ${raft.term}`;
    }
    if (member.applied !== raft.log.last) {
      return `peer ${peer.id} has applied ${member.applied} of ${raft.log.last} entries`;
    }
  }
  const orphan = placed.find(
    ({ replica }) => !region.peers.some(({ id }) => id === replica.peer.id),
  );
  if (orphan !== undefined) {
    return `peer ${orphan.replica.peer.id} on ${orphan.machine.name} is no member, and still there`;
  }
  return undefined;
}

/** Whether the regions cover the key space, each key once. */
function missingRange(leaders: readonly Replica[]): string | undefined {
  const regions = leaders
    .map(({ region }) => region)
    .sort((a, b) => (a.startKey < b.startKey ? -1 : a.startKey > b.startKey ? 1 : 0));
  let end: string | undefined = EMPTY_KEY;
  for (const region of regions) {
    if (end === undefined || region.startKey !== end) {
      return `the regions do not meet at key "${hex(region.startKey)}"`;
    }
    end = region.endKey === EMPTY_KEY ? undefined : region.endKey;
  }
  return end === undefined ? undefined : `no region holds the keys from "${end}" on`;
}

/** When all has converged: each region's replicas hold the same data. */
export function compareAll(world: World): void {
  const first = new Map<number, Placed>();
  for (const machine of world.stores) {
    for (const replica of replicasOf(machine)) {
      const other = first.get(replica.region.id);
      if (other === undefined) first.set(replica.region.id, { machine, replica });
      else if (other.replica.applied === replica.applied) {
        const [a, b] = [other, { machine, replica }].map(appliedOf);
        if (a !== undefined && b !== undefined) compareReplicas(world, a, b);
      }
    }
  }
}

function appliedOf({
  machine,
  replica,
}: Placed): Parameters<typeof compareReplicas>[1] | undefined {
  if (machine.state === undefined || replica.damaged !== undefined) return undefined;
  const { startKey, endKey } = replica.region;
  const view = viewOf(machine.state, machine.watched);
  const region = replica.region.id;
  const tables = machine.watched;
  return { region, index: replica.applied, startKey, endKey, view, tables, store: machine.name };
}
