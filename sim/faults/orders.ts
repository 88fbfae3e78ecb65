/**
 * Orders of an operator to the placement driver, given at bad moments: leadership is moved, stores
 * are drained. They are given to whichever member leads; what becomes of them nobody waits for.
 */
import type { Ticket } from "../../engine/base/ids.ts";
import type { AdminOrder } from "../../engine/placement/types.ts";
import type { PlacementMachine, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./nemesis.ts";
import { replicasOf } from "../checkers/look.ts";
import { givePlacement } from "../machines/inbox.ts";
import { chance, pick } from "../random.ts";
import { seconds } from "../trace/trace.ts";

export function transferLeader(world: World, random: Random): Struck | undefined {
  const leader = leaderOf(world);
  if (leader === undefined) return undefined;
  if (world.members.length > 1 && chance(random, 300_000)) {
    const to = pick(random, world.members);
    order(world, leader, { type: "transfer_leadership", to: to.id });
    return { text: `the operator wants ${to.name} to lead the placement driver`, end: undefined };
  }
  const store = pick(random, world.stores);
  const replicas = replicasOf(store);
  if (replicas.length === 0) return undefined;
  const region = pick(random, replicas).region.id;
  order(world, leader, { type: "transfer_region_leader", region, store: store.id });
  return { text: `the operator wants ${store.name} to lead region ${region}`, end: undefined };
}

export function drainStore(world: World, lastsUs: number, random: Random): Struck | undefined {
  const leader = leaderOf(world);
  const store = pick(random, world.stores);
  if (leader === undefined || store.id === 0) return undefined;
  order(world, leader, { type: "set_store_state", store: store.id, state: "offline" });
  const end = (): void => refill(world, store.id);
  return { text: `the operator drains ${store.name} for ${seconds(lastsUs)}`, end };
}

/** Takes a drain back. Also what ends all drains when the faults are over. */
export function refill(world: World, store: number): void {
  const leader = leaderOf(world);
  if (leader === undefined || store === 0) return;
  order(world, leader, { type: "set_store_state", store, state: "up" });
}

function leaderOf(world: World): PlacementMachine | undefined {
  return world.members.find(
    ({ state, status }) => status === "up" && state?.raft.role === "leader",
  );
}

function order(world: World, member: PlacementMachine, what: AdminOrder): void {
  const ticket = member.nextTicket as Ticket;
  member.nextTicket += 1;
  givePlacement(world, member, { type: "admin", ticket, order: what });
}
