/**
 * After every step of a server: shows the checkers what has changed. Steps change few replicas, and
 * a replica that did not change is the same value as before.
 */
import type { PeerId } from "../../engine/base/ids.ts";
import type { PlacementEffect } from "../../engine/placement/types.ts";
import type { StoreEffect } from "../../engine/store/types.ts";
import type { Replica } from "../../engine/region/replica.ts";
import type { PlacementMachine, StoreMachine, World } from "../model.ts";
import * as tree from "../../engine/base/tree.ts";
import { isInitialized } from "../../engine/region/descriptor.ts";
import { view as viewOf } from "../../engine/store/query.ts";
import { markReplica } from "../search/store-marks.ts";
import { groupOf } from "./group.ts";
import { lookAtMember, lookAtMessage } from "./groups.ts";
import { checkMembers } from "./members.ts";
import { noteSafePoint } from "./safe-points.ts";
import { collectedAt, replicaApplied } from "./replicas.ts";

/** The replicas of a store that is up, in order of region. */
export function replicasOf(machine: StoreMachine): Replica[] {
  if (machine.state === undefined) return [];
  const replicas: Replica[] = [];
  for (const [, replica] of tree.entries(machine.state.replicas.byId)) replicas.push(replica);
  return replicas;
}

export interface Placed {
  readonly machine: StoreMachine;
  readonly replica: Replica;
}

/**
 * All replicas, by region. Of a store that is down those that it was last seen with, which it will
 * have again.
 */
export function placedReplicas(world: World): ReadonlyMap<number, readonly Placed[]> {
  const regions = new Map<number, Placed[]>();
  for (const machine of world.stores) {
    const replicas = machine.state === undefined ? machine.seen.values() : replicasOf(machine);
    for (const replica of replicas) {
      const placed = regions.get(replica.region.id);
      if (placed === undefined) regions.set(replica.region.id, [{ machine, replica }]);
      else placed.push({ machine, replica });
    }
  }
  return regions;
}

export function afterStoreStep(
  world: World,
  machine: StoreMachine,
  effects: readonly StoreEffect[],
): void {
  for (const effect of effects) {
    if (effect.type !== "send" || effect.message.type !== "raft") continue;
    const { region, from, to, message } = effect.message;
    lookAtMessage(world, machine, region, from, to, message);
  }
  lookAtStore(world, machine);
}

/** Also after a start, when all replicas are as the disk has them. */
export function lookAtStore(world: World, machine: StoreMachine): void {
  const { state, seen } = machine;
  if (state === undefined) return;
  collectedAt(world, state.collection.garbageBelow);
  if (state.replicas.byId === machine.seenReplicas) return;
  machine.seenReplicas = state.replicas.byId;
  const cursor = tree.first(state.replicas.byId);
  for (; cursor.valid; cursor.next()) {
    const replica = cursor.value;
    const region = replica.region.id;
    const before = seen.get(region);
    if (before === replica) continue;
    seen.set(region, replica);
    if (before !== undefined) markReplica(world, before, replica);
    if (replica.raft !== before?.raft) {
      lookAtMember(world, machine, region, replica.peer.id as PeerId, replica.raft);
    }
    checkMembers(world, machine, before, replica);
    if (replica.region !== before?.region) noteRange(world, replica);
    // What is damaged is out of service, and no state that anybody could have applied.
    const counts = replica.damaged === undefined && isInitialized(replica.region);
    if (counts && (replica.applied !== before?.applied || before.damaged !== undefined)) {
      const { startKey, endKey } = replica.region;
      const view = viewOf(state, machine.watched);
      const store = machine.name;
      const tables = machine.watched;
      const index = replica.applied;
      replicaApplied(world, { region, index, startKey, endKey, view, tables, store });
    }
  }
  if (seen.size > state.replicas.byId.size) forgetDestroyed(world, machine);
}

/** Remembers what a group holds, for when nobody is left to ask. */
function noteRange(world: World, { region }: Replica): void {
  if (!isInitialized(region)) return;
  const group = groupOf(world.checks.groups, region.id);
  const version = region.regionEpoch?.version ?? 0;
  if (version < (group.range?.version ?? 0)) return;
  group.range = { start: region.startKey, end: region.endKey, version };
}

/** A replica that is gone holds no lease and makes no promise any more. */
function forgetDestroyed(world: World, machine: StoreMachine): void {
  const present = new Set(replicasOf(machine).map(({ region }) => region.id));
  for (const [region, replica] of machine.seen) {
    if (present.has(region)) continue;
    machine.seen.delete(region);
    const members = world.checks.groups.groups.get(region)?.members;
    const member = members?.get(replica.peer.id as PeerId);
    if (member !== undefined) member.raft = undefined;
  }
}

export function afterPlacementStep(
  world: World,
  machine: PlacementMachine,
  effects: readonly PlacementEffect[],
): void {
  for (const effect of effects) {
    if (effect.type !== "send" || effect.message.type !== "raft") continue;
    lookAtMessage(world, machine, 0, machine.id, effect.to, effect.message.message);
  }
  lookAtPlacement(world, machine);
}

export function lookAtPlacement(world: World, machine: PlacementMachine): void {
  if (machine.state !== undefined) {
    noteSafePoint(world, machine.state.catalog.safePoints.gc);
    lookAtMember(world, machine, 0, machine.id, machine.state.raft);
  }
}
