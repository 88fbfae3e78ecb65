/**
 * Orders of an operator to the placement driver, given at bad moments: leadership is moved, regions
 * are rearranged, stores are drained. They are given to whichever member leads; what becomes of
 * them nobody waits for.
 */
import type { Ticket } from "../../engine/base/ids.ts";
import type { AdminOrder } from "../../engine/placement/types.ts";
import { PeerRole, StoreState } from "../../engine/protocol/gen/metapb.ts";
import type { PlacementMachine, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./strike.ts";
import { replicasOf } from "../checkers/look.ts";
import { givePlacement } from "../machines/inbox.ts";
import { chance, pick } from "../random.ts";
import { storeCalled } from "./targets.ts";

export type Order =
  | { readonly type: "transfer_placement"; readonly member: string }
  | { readonly type: "transfer_region"; readonly region: number; readonly store: string }
  /** Voters and learners are to be on these stores, all at once. */
  | {
      readonly type: "rearrange_region";
      readonly region: number;
      readonly voters: readonly string[];
      readonly learners: readonly string[];
    }
  | { readonly type: "drain_store"; readonly store: string };

export function drawTransfer(world: World, random: Random): Order | undefined {
  if (world.members.length > 1 && chance(random, 300_000)) {
    return { type: "transfer_placement", member: pick(random, world.members).name };
  }
  const store = pick(random, world.stores);
  const replicas = replicasOf(store);
  if (replicas.length === 0) return undefined;
  const region = pick(random, replicas).region.id;
  return { type: "transfer_region", region, store: store.name };
}

export function transfer(
  world: World,
  strike: Extract<Order, { type: "transfer_placement" | "transfer_region" }>,
): Struck | undefined {
  const leader = leaderOf(world);
  if (leader === undefined) return undefined;
  if (strike.type === "transfer_placement") {
    const to = world.members.find(({ name }) => name === strike.member);
    if (to === undefined) return undefined;
    order(world, leader, { type: "transfer_leadership", to: to.id });
    return { end: undefined };
  }
  const { region } = strike;
  const store = storeCalled(world, strike.store);
  if (store === undefined) return undefined;
  order(world, leader, { type: "transfer_region_leader", region, store: store.id });
  return { end: undefined };
}

/** In millionths: to stay what it is, and else to go rather than to become something else. */
const STAYS = 600_000;
const GOES = 400_000;
/** Of a store without a peer to get one, and of that to be a voter at once. */
const COMES = 400_000;
const VOTES = 700_000;

/**
 * Any arrangement that has a voter; most have something in common with the one before it, and
 * differ in more than one voter.
 */
export function drawRearrangement(world: World, random: Random): Order | undefined {
  const replicas = replicasOf(pick(random, world.stores));
  if (replicas.length === 0) return undefined;
  const { region } = pick(random, replicas);
  const voters: string[] = [];
  const learners: string[] = [];
  for (const store of world.stores) {
    const peer = region.peers.find(({ storeId }) => storeId === store.id);
    if (peer === undefined) {
      if (chance(random, COMES)) (chance(random, VOTES) ? voters : learners).push(store.name);
      continue;
    }
    const isLearner = peer.role === PeerRole.Learner;
    if (chance(random, STAYS)) (isLearner ? learners : voters).push(store.name);
    else if (!chance(random, GOES)) (isLearner ? voters : learners).push(store.name);
  }
  if (voters.length === 0) return undefined;
  return { type: "rearrange_region", region: region.id, voters, learners };
}

export function rearrange(
  world: World,
  { region, voters, learners }: Extract<Order, { type: "rearrange_region" }>,
): Struck | undefined {
  const leader = leaderOf(world);
  const ids = (names: readonly string[]): number[] =>
    names.flatMap((name) => storeCalled(world, name)?.id ?? []).filter((id) => id !== 0);
  const wanted = { voters: ids(voters), learners: ids(learners) };
  if (leader === undefined || wanted.voters.length === 0) return undefined;
  order(world, leader, { type: "rearrange_region", region, ...wanted });
  return { end: undefined };
}

export const drawDrain = (world: World, random: Random): Order => ({
  type: "drain_store",
  store: pick(random, world.stores).name,
});

export function drain(
  world: World,
  strike: Extract<Order, { type: "drain_store" }>,
): Struck | undefined {
  const leader = leaderOf(world);
  const store = storeCalled(world, strike.store);
  if (leader === undefined || store === undefined || store.id === 0) return undefined;
  order(world, leader, { type: "set_store_state", store: store.id, state: "offline" });
  const end = (): void => refill(world, store.id);
  return { end };
}

/**
 * Takes back all drains of which the placement driver knows: to be asked again until it has heard
 * of it, for it may be without a leader when the faults end.
 */
export function refillAll(world: World): void {
  const known = leaderOf(world)?.state?.catalog.stores ?? [];
  for (const { id, state } of known) {
    const isThere = world.stores.some((store) => store.id === id);
    if (isThere && state === StoreState.Offline) refill(world, id);
  }
}

/** Takes a drain back. */
function refill(world: World, store: number): void {
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
