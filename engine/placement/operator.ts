/**
 * Operators: what the leader has ordered a region to do and not yet seen done. Soft state: a new
 * leader forgets them and judges each region anew from its heartbeats. An operator is one step, so
 * nothing is half done when it is forgotten.
 */
import { unreachable } from "../base/assert.ts";
import { ConfChangeType } from "../protocol/gen/eraftpb.ts";
import type { Peer } from "../protocol/gen/metapb.ts";
import type { RegionHeartbeatResponse } from "../protocol/gen/pdpb.ts";
import { isLearner, isVoter } from "./catalog/peer.ts";
import { confVerOf, versionOf } from "./catalog/registry.ts";
import type { RegionInfo } from "./catalog/registry.ts";

/** One elementary change, of this very peer. */
export interface Order {
  readonly type: "add_learner" | "promote" | "remove" | "transfer_leader";
  readonly peer: Peer;
}

export interface Operator {
  readonly region: number;
  readonly order: Order;
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
): Operator {
  return {
    region: info.region.id,
    order,
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
  if (changed) return { ...operator, status: "cancel", sinceMs: nowMs };
  if (nowMs - operator.sinceMs >= timeoutMs) {
    return { ...operator, status: "timeout", sinceMs: nowMs };
  }
  return operator;
}

/** The part of a heartbeat's answer that carries `order`. */
export function orderFields(
  order: Order,
): Pick<Partial<RegionHeartbeatResponse>, "changePeer" | "transferLeader"> {
  const { peer } = order;
  switch (order.type) {
    case "add_learner":
      return { changePeer: { peer, changeType: ConfChangeType.AddLearnerNode } };
    case "promote":
      return { changePeer: { peer, changeType: ConfChangeType.AddNode } };
    case "remove":
      return { changePeer: { peer, changeType: ConfChangeType.RemoveNode } };
    case "transfer_leader":
      return { transferLeader: { peer, peers: [] } };
    default:
      return unreachable(order.type);
  }
}

function isDone({ type, peer }: Order, info: RegionInfo): boolean {
  const found = info.region.peers.find(({ id }) => id === peer.id);
  switch (type) {
    case "add_learner":
      return found !== undefined && isLearner(found);
    case "promote":
      return found !== undefined && isVoter(found);
    case "remove":
      return found === undefined;
    case "transfer_leader":
      return info.leader?.id === peer.id;
    default:
      return unreachable(type);
  }
}
