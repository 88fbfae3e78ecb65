/**
 * What regions may yet become. An operator may have wished several members of a region to change at
 * once; until that is done, or somebody else's change has made the order void, its group may come
 * to need servers that it does not need now. Nobody who has to be there then may be left out.
 */
import { ConfChangeType } from "../../engine/protocol/gen/eraftpb.ts";
import { type Peer, PeerRole } from "../../engine/protocol/gen/metapb.ts";
import type { ChangePeer } from "../../engine/protocol/gen/pdpb.ts";
import * as tree from "../../engine/base/tree.ts";
import { byId } from "../../engine/placement/catalog/registry.ts";
import type { Arrangement } from "../../engine/placement/operator.ts";
import type { PlacementMachine, World } from "../model.ts";

/** By region, on which stores its members may be, by their ids: one arrangement for each wish. */
export type Wishes = ReadonlyMap<number, readonly Arrangement[]>;

type Add = (region: number, wished: Arrangement) => void;

export function wishesOf(world: World): Wishes {
  const wishes = new Map<number, readonly Arrangement[]>();
  const add: Add = (region, wished) => {
    wishes.set(region, [...(wishes.get(region) ?? []), wished]);
  };
  for (const member of world.members) wishedOf(member, add);
  // Orders on their way to whoever is to carry them out.
  for (const event of world.queue.events) {
    if (event.type !== "answer" || event.outcome.type !== "reply") continue;
    const { reply } = event.outcome;
    if (reply.method !== "RegionHeartbeat" || reply.response.changePeerV2 === undefined) continue;
    const { regionId, changePeerV2 } = reply.response;
    for (const { state } of world.members) {
      const known = state && byId(state.leadership?.registry ?? state.catalog.regions, regionId);
      if (known !== undefined) add(regionId, arrangedBy(known.region.peers, changePeerV2.changes));
    }
  }
  return wishes;
}

/** What a member of the placement driver has been told and what it has ordered. */
function wishedOf({ state, inbox }: PlacementMachine, add: Add): void {
  for (const input of inbox) {
    if (input.type !== "admin" || input.order.type !== "rearrange_region") continue;
    add(input.order.region, input.order);
  }
  const leadership = state?.leadership;
  if (leadership === undefined) return;
  for (const [, { region, order, goal, status }] of tree.entries(leadership.operators)) {
    if (goal !== undefined) add(region, goal);
    const known = byId(leadership.registry, region);
    if (order.type !== "rearrange" || status === "success" || known === undefined) continue;
    add(region, arrangedBy(known.region.peers, order.changes));
  }
}

/** The stores of all who may vote when `changes` are made, and of their learners. */
function arrangedBy(peers: readonly Peer[], changes: readonly ChangePeer[]): Arrangement {
  const isLearner = ({ role }: Peer): boolean => role === PeerRole.Learner;
  const stores = (some: readonly Peer[]): number[] => some.map(({ storeId }) => storeId);
  const voters = new Set(stores(peers.filter((peer) => !isLearner(peer))));
  const learners = new Set(stores(peers.filter(isLearner)));
  for (const { peer, changeType } of changes) {
    if (peer === undefined) continue;
    voters.delete(peer.storeId);
    learners.delete(peer.storeId);
    if (changeType === ConfChangeType.AddNode) voters.add(peer.storeId);
    if (changeType === ConfChangeType.AddLearnerNode) learners.add(peer.storeId);
  }
  return { voters: [...voters], learners: [...learners] };
}
