/**
 * An operator rearranges a region: its voters and learners are to be on other stores, as
 * `transfer-region` of PD's tools has it. Whoever is to become a voter is a learner first, one
 * after another; then everything else happens at once, through a joint configuration. A voter that
 * is to go becomes a learner, as stores order several changes at once in no other way: that
 * learner's removal, as anything else, is the replica checker's again.
 */
import { ConfChangeType } from "../protocol/gen/eraftpb.ts";
import { type Peer, PeerRole } from "../protocol/gen/metapb.ts";
import type { ChangePeer } from "../protocol/gen/pdpb.ts";
import { idKey } from "../base/big-endian.ts";
import * as tree from "../base/tree.ts";
import type { Desk } from "./calls/answer.ts";
import type { Leadership } from "./leadership.ts";
import { newLearner, runningOperator, storeViews, takeIds, withOperator } from "./leadership.ts";
import {
  type Arrangement,
  changeOf,
  type Operator,
  type Order,
  startOperator,
} from "./operator.ts";
import { isJoint, isVoter } from "./catalog/peer.ts";
import { byId, type RegionInfo } from "./catalog/registry.ts";

const ADMIN = "admin-rearrange-region";

/** Orders the region to become as `wanted`. A sentence where that cannot be. */
export function orderRearrangement(
  desk: Desk,
  id: number,
  { voters, learners }: Arrangement,
): string | undefined {
  const info = byId(desk.leadership.registry, id);
  if (info === undefined) return `region ${id} not found`;
  const running = runningOperator(desk.leadership, id);
  // A leadership on its way to somebody else is not worth waiting for.
  if (running !== undefined && running.order.type !== "transfer_leader") {
    return `region ${id} is busy with ${running.description}`;
  }
  const { peers } = info.region;
  if (peers.some(isJoint)) return `region ${id} is between two configurations`;
  if (voters.length === 0) return "a region has a voter";
  const stores = [...voters, ...learners];
  if (new Set(stores).size < stores.length) return "a store has one peer of a region";
  const views = storeViews(desk.leadership, desk.catalog, desk.config, desk.now.monotonicMs);
  const unfit = stores.find(
    (store) => !hasPeer(peers, store) && views.find((view) => view.id === store)?.health !== "up",
  );
  if (unfit !== undefined) return `store ${unfit} takes no new peer`;
  const next = startNext(desk, info, { voters, learners });
  if (next === "later") return "ids for the new peers are being reserved: order it again";
  if (next === "wait") return `learners of region ${id} lag behind`;
  return next === undefined ? `region ${id} is so already` : undefined;
}

/**
 * A step, or why there is none now: an id has to be reserved first (`later`), or somebody who is to
 * vote still waits for its data (`wait`).
 */
export type NextStep = Operator | "later" | "wait" | undefined;

/** The next step to where an operator of this region was to lead, if its last one was taken. */
export function goOn(desk: Desk, info: RegionInfo): NextStep {
  const last = tree.get(desk.leadership.operators, idKey(info.region.id));
  if (last?.goal === undefined || last.status !== "success") return undefined;
  if (desk.now.monotonicMs - last.sinceMs >= desk.config.operatorMs) return undefined;
  return startNext(desk, info, last.goal);
}

/** Whether a wish for this region is still on its way to being done. */
export function isRearranging(leadership: Leadership, region: number): boolean {
  const last = tree.get(leadership.operators, idKey(region));
  if (last?.status === "success") return last.goal !== undefined;
  return last?.status === "running" && last.description === ADMIN;
}

function startNext(desk: Desk, info: RegionInfo, wanted: Arrangement): NextStep {
  const { peers } = info.region;
  const store = [...wanted.voters, ...wanted.learners].find((id) => !hasPeer(peers, id));
  if (store === undefined) {
    const changes = changesTo(info, wanted);
    if (changes.some((change) => isPremature(info, change))) return "wait";
    if (changes.length === 0) return undefined;
    return started(desk, info, { type: "rearrange", changes }, undefined);
  }
  const taken = takeIds(desk.leadership, 1);
  desk.leadership = taken.leadership;
  if (taken.first === undefined) return "later";
  const order: Order = { type: "add_learner", peer: newLearner(taken.first, store) };
  return started(desk, info, order, wanted);
}

function started(
  desk: Desk,
  info: RegionInfo,
  order: Order,
  goal: Arrangement | undefined,
): Operator {
  const operator = startOperator(info, order, ADMIN, desk.now.monotonicMs, goal);
  desk.leadership = withOperator(desk.leadership, operator);
  return operator;
}

const isPremature = ({ pendingPeers }: RegionInfo, { peer, changeType }: ChangePeer): boolean =>
  changeType === ConfChangeType.AddNode && pendingPeers.some(({ id }) => id === peer?.id);

function changesTo({ region: { peers } }: RegionInfo, wanted: Arrangement): readonly ChangePeer[] {
  const changes = peers.flatMap((peer): readonly ChangePeer[] => {
    const isWanted = wanted.learners.includes(peer.storeId);
    if (wanted.voters.includes(peer.storeId)) {
      if (isVoter(peer)) return [];
      return [changeOf({ ...peer, role: PeerRole.Voter }, ConfChangeType.AddNode)];
    }
    if (isVoter(peer)) {
      const learner = { ...peer, role: PeerRole.Learner };
      return [changeOf(learner, ConfChangeType.AddLearnerNode)];
    }
    return isWanted ? [] : [changeOf(peer, ConfChangeType.RemoveNode)];
  });
  // Learners alone go one by one.
  const isJointly = changes.some(({ changeType }) => changeType !== ConfChangeType.RemoveNode);
  return isJointly ? changes : changes.slice(0, 1);
}

const hasPeer = (peers: readonly Peer[], store: number): boolean =>
  peers.some(({ storeId }) => storeId === store);
