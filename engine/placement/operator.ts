/**
 * Operators: what the leader has ordered a region to do and not yet seen done. Soft state: a new
 * leader forgets them and judges each region anew from its heartbeats. An operator is one step, so
 * nothing is half done when it is forgotten; a region leaves a joint configuration by itself.
 */
import { unreachable } from "../base/assert.ts";
import { ConfChangeType } from "../protocol/gen/eraftpb.ts";
import type { Peer } from "../protocol/gen/metapb.ts";
import {
  type ChangePeer,
  ChangePeerV2,
  type RegionHeartbeatResponse,
} from "../protocol/gen/pdpb.ts";
import { isJoint, isLearner, isVoter } from "./catalog/peer.ts";
import { confVerOf, versionOf } from "./catalog/registry.ts";
import type { RegionInfo } from "./catalog/registry.ts";

/** What a region is to do. */
export type Order =
  /** One elementary change, of this very peer. */
  | {
      readonly type: "add_learner" | "promote" | "remove" | "transfer_leader";
      readonly peer: Peer;
    }
  /** Several changes at once, through a joint configuration. */
  | { readonly type: "rearrange"; readonly changes: readonly ChangePeer[] };

/** On which stores a region is to have its voters and learners. */
export interface Arrangement {
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

export interface Operator {
  readonly region: number;
  readonly order: Order;
  /** What it is a step on the way to, where there are more steps to take. */
  readonly goal: Arrangement | undefined;
  /** Who wanted it: a checker, or a request such as `scatter-region`. */
  readonly description: string;
  readonly status: "running" | "success" | "timeout" | "cancel";
  /**
   * The region's epoch when the order was made: a changed one means that something has happened.
   */
  readonly confVer: number;
  readonly version: number;
  /** The monotonic clock at the last change of `status`. */
  readonly sinceMs: number;
}

export function startOperator(
  info: RegionInfo,
  order: Order,
  description: string,
  nowMs: number,
  goal?: Arrangement,
): Operator {
  return {
    region: info.region.id,
    order,
    goal,
    description,
    status: "running",
    confVer: confVerOf(info.region),
    version: versionOf(info.region),
    sinceMs: nowMs,
  };
}

/** `operator` in the light of the region's newest report. */
export function progressed(
  operator: Operator,
  info: RegionInfo,
  nowMs: number,
  timeoutMs: number,
): Operator {
  if (operator.status !== "running") return operator;
  if (isDone(operator.order, info)) return { ...operator, status: "success", sinceMs: nowMs };
  const changed =
    confVerOf(info.region) !== operator.confVer || versionOf(info.region) !== operator.version;
  // Between its two configurations a region is neither done nor overtaken by something else.
  const isHalfDone = operator.order.type === "rearrange" && info.region.peers.some(isJoint);
  if (changed && !isHalfDone) return { ...operator, status: "cancel", sinceMs: nowMs };
  if (nowMs - operator.sinceMs >= timeoutMs) {
    return { ...operator, status: "timeout", sinceMs: nowMs };
  }
  return operator;
}

/** The part of a heartbeat's answer that carries `order`, for a region that has reported `info`. */
export function orderFields(
  order: Order,
  info: RegionInfo,
): Pick<Partial<RegionHeartbeatResponse>, "changePeer" | "changePeerV2" | "transferLeader"> {
  switch (order.type) {
    case "add_learner":
      return { changePeer: changeOf(order.peer, ConfChangeType.AddLearnerNode) };
    case "promote":
      return { changePeer: changeOf(order.peer, ConfChangeType.AddNode) };
    case "remove":
      return { changePeer: changeOf(order.peer, ConfChangeType.RemoveNode) };
    case "rearrange": {
      // Its leader goes on to the second half by itself.
      if (info.region.peers.some(isJoint)) return {};
      return { changePeerV2: ChangePeerV2.make({ changes: order.changes }) };
    }
    case "transfer_leader":
      return { transferLeader: { peer: order.peer, peers: [] } };
    default:
      return unreachable(order);
  }
}

export const changeOf = (peer: Peer, changeType: ConfChangeType): ChangePeer => ({
  peer,
  changeType,
});

function isDone(order: Order, info: RegionInfo): boolean {
  switch (order.type) {
    case "add_learner":
      return isChanged(info, changeOf(order.peer, ConfChangeType.AddLearnerNode));
    case "promote":
      return isChanged(info, changeOf(order.peer, ConfChangeType.AddNode));
    case "remove":
      return isChanged(info, changeOf(order.peer, ConfChangeType.RemoveNode));
    case "rearrange":
      return order.changes.every((change) => isChanged(info, change));
    case "transfer_leader":
      return info.leader?.id === order.peer.id;
    default:
      return unreachable(order);
  }
}

function isChanged({ region }: RegionInfo, { peer, changeType }: ChangePeer): boolean {
  const found = region.peers.find(({ id }) => id === peer?.id);
  switch (changeType) {
    case ConfChangeType.AddLearnerNode:
      return found !== undefined && isLearner(found);
    case ConfChangeType.AddNode:
      return found !== undefined && isVoter(found);
    case ConfChangeType.RemoveNode:
      return found === undefined;
    default:
      return false;
  }
}
