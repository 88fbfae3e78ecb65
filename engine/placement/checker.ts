/**
 * The replica checker: the one next step that brings a region closer to having `maxReplicas` voters
 * on stores that will stay. A pure function of what the region's leader just reported.
 *
 * A voter is always a learner first, is never removed while it leads, and is removed only where the
 * voters that remain have a live majority. A missing voter is added before a bad one is removed.
 */
import type { Peer } from "../protocol/gen/metapb.ts";
import { isJoint, isLearner, isVoter } from "./catalog/peer.ts";
import type { RegionInfo } from "./catalog/registry.ts";

/**
 * How a store looks to the checker. `up`: takes new peers. `disconnected`: silent for a moment,
 * keeps what it has. `down`: silent for longer than the configured time. `offline`: being drained.
 * `gone`: a tombstone.
 */
export type StoreHealth = "up" | "disconnected" | "down" | "offline" | "gone";

export interface StoreView {
  readonly id: number;
  readonly health: StoreHealth;
  /** How many peers of any region it has. */
  readonly peers: number;
}

export type CheckerStep =
  | { readonly type: "add_learner"; readonly store: number }
  | { readonly type: "promote"; readonly peer: Peer }
  | { readonly type: "remove"; readonly peer: Peer }
  | { readonly type: "transfer_leader"; readonly peer: Peer };

/** What `info`'s leader should do next, or undefined where the region is well or must wait. */
export function nextStep(
  info: RegionInfo,
  stores: readonly StoreView[],
  maxReplicas: number,
): CheckerStep | undefined {
  const { peers } = info.region;
  if (info.leader === undefined || peers.some(isJoint)) return undefined;
  const healths = new Map(stores.map((store) => [store.id, store.health]));
  const staying = (peer: Peer): boolean => stays(healths.get(peer.storeId));
  const voters = peers.filter(isVoter);
  const lasting = voters.filter(staying).length;
  const learner = peers.find(isLearner);
  if (learner !== undefined) {
    const up = healths.get(learner.storeId) === "up";
    if (!up || isDown(info, learner) || lasting >= maxReplicas) {
      return { type: "remove", peer: learner };
    }
    return isPending(info, learner) ? undefined : { type: "promote", peer: learner };
  }
  if (lasting < maxReplicas && voters.length <= maxReplicas) {
    const store = leastLoaded(stores, peers);
    return store === undefined ? undefined : { type: "add_learner", store };
  }
  return voters.length > maxReplicas ? shrink(info, voters, stores, staying) : undefined;
}

/** The voter that another leader's work would best go to, or undefined where none is fit for it. */
export function transferTarget(
  info: RegionInfo,
  stores: readonly StoreView[],
  leadersOf: (store: number) => number,
): Peer | undefined {
  const up = new Set(stores.filter(({ health }) => health === "up").map(({ id }) => id));
  let best: Peer | undefined;
  for (const peer of info.region.peers) {
    if (!isVoter(peer) || peer.id === info.leader?.id || !up.has(peer.storeId)) continue;
    if (isPending(info, peer) || isDown(info, peer)) continue;
    if (best === undefined || leadersOf(peer.storeId) < leadersOf(best.storeId)) best = peer;
  }
  return best;
}

function shrink(
  info: RegionInfo,
  voters: readonly Peer[],
  stores: readonly StoreView[],
  staying: (peer: Peer) => boolean,
): CheckerStep | undefined {
  const load = new Map(stores.map((store) => [store.id, store.peers]));
  const badness = (peer: Peer): number => {
    if (!staying(peer)) return 3;
    if (isDown(info, peer)) return 2;
    return isPending(info, peer) ? 1 : 0;
  };
  const worst = voters.toSorted(
    (a, b) =>
      badness(b) - badness(a) ||
      (load.get(b.storeId) ?? 0) - (load.get(a.storeId) ?? 0) ||
      a.id - b.id,
  );
  const leads = (peer: Peer): boolean => peer.id === info.leader?.id;
  const candidate = worst.find((peer) => !leads(peer));
  const leader = voters.find(leads);
  if (leader !== undefined && !staying(leader) && (candidate === undefined || staying(candidate))) {
    const target = transferTarget(info, stores, (store) => load.get(store) ?? 0);
    return target === undefined ? undefined : { type: "transfer_leader", peer: target };
  }
  if (candidate === undefined) return undefined;
  const remaining = voters.filter((peer) => peer !== candidate);
  const live = remaining.filter((peer) => !isDown(info, peer) && !isPending(info, peer)).length;
  return live * 2 > remaining.length ? { type: "remove", peer: candidate } : undefined;
}

function leastLoaded(stores: readonly StoreView[], peers: readonly Peer[]): number | undefined {
  let best: StoreView | undefined;
  for (const store of stores) {
    if (store.health !== "up" || peers.some((peer) => peer.storeId === store.id)) continue;
    if (best === undefined || store.peers < best.peers) best = store;
  }
  return best?.id;
}

/** Whether a peer on a store of this health counts as a lasting replica. */
function stays(health: StoreHealth | undefined): boolean {
  return health === "up" || health === "disconnected";
}

const isPending = (info: RegionInfo, peer: Peer): boolean =>
  info.pendingPeers.some((other) => other.id === peer.id);

const isDown = (info: RegionInfo, peer: Peer): boolean =>
  info.downPeers.some((stats) => stats.peer?.id === peer.id);
