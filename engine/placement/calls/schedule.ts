/**
 * Calls by which regions report and are told what to do: heartbeats, splits, scattering, operators.
 */
import { idKey } from "../../base/big-endian.ts";
import * as tree from "../../base/tree.ts";
import { OperatorStatus, RegionHeartbeatResponse } from "../../protocol/gen/pdpb.ts";
import type {
  AskBatchSplitRequest,
  AskSplitRequest,
  GetOperatorRequest,
  RegionHeartbeatRequest,
  ReportBatchSplitRequest,
  ReportSplitRequest,
  ScatterRegionRequest,
  SplitID,
} from "../../protocol/gen/pdpb.ts";
import { PeerRole } from "../../protocol/gen/metapb.ts";
import type { Region } from "../../protocol/gen/metapb.ts";
import { unreachable } from "../../base/assert.ts";
import { failure, header, INVALID_ARGUMENT, LATER, refuse, reply } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import { maxReplicas } from "./cluster.ts";
import { nextStep, transferTarget } from "../checker.ts";
import type { CheckerStep } from "../checker.ts";
import { isUnrecorded, newLearner, runningOperator } from "../leadership.ts";
import { storeViews, takeIds, withOperator } from "../leadership.ts";
import { orderFields, progressed, startOperator } from "../operator.ts";
import type { Operator, Order } from "../operator.ts";
import { goOn } from "../rearrange.ts";
import { byId, byKey, isNewerEpoch, loadOf, put, versionOf } from "../catalog/registry.ts";
import type { RegionInfo } from "../catalog/registry.ts";

/** Clients that wait for a scattering look for this name. */
const SCATTER = "scatter-region";
const REPLICAS = "replica-checker";
const ADMIN = "admin-transfer-leader";
/** A split into more regions than this is a mistake of the caller. */
const MOST_SPLITS = 1_000;
/** A region of more peers than this is none. */
const MOST_PEERS = 100;

/** A region's leader reports, and is answered with the next order, if there is one. */
export function regionHeartbeat(desk: Desk, request: RegionHeartbeatRequest): Answer {
  const { region, leader } = request;
  if (region === undefined || region.id === 0 || leader === undefined) {
    return refuse(INVALID_ARGUMENT, "a region heartbeat names a region and its leader");
  }
  const info: RegionInfo = {
    region,
    leader,
    term: request.term,
    pendingPeers: request.pendingPeers,
    downPeers: request.downPeers,
    approximateSize: request.approximateSize,
    approximateKeys: request.approximateKeys,
  };
  if (!learn(desk, info)) {
    const message = `region is stale: region ${region.id} at version ${versionOf(region)}`;
    return failure(desk.catalog, "RegionHeartbeat", "unknown", message);
  }
  const ordered = order(desk, info);
  if (ordered === "later") return LATER;
  const fields = ordered === undefined ? {} : orderFields(ordered.order, info);
  return reply(
    "RegionHeartbeat",
    RegionHeartbeatResponse.make({
      header: header(desk.catalog),
      regionId: region.id,
      regionEpoch: region.regionEpoch,
      targetPeer: leader,
      ...fields,
    }),
  );
}

/** Takes a report in, and notes what the catalog lacks of it. False where it is stale. */
function learn(desk: Desk, info: RegionInfo): boolean {
  const { leadership } = desk;
  const registry = put(leadership.registry, info);
  if (registry === undefined) return false;
  const { id } = info.region;
  let { unrecorded } = leadership;
  if (!unrecorded.has(id) && isUnrecorded(byId(desk.catalog.regions, id), info)) {
    unrecorded = new Set(unrecorded).add(id);
  }
  desk.leadership = { ...leadership, registry, unrecorded };
  return true;
}

/** The operator that `info`'s leader should be told of: the running one, or a new one. */
function order(desk: Desk, info: RegionInfo): Operator | "later" | undefined {
  const { config, now } = desk;
  const known = tree.get(desk.leadership.operators, idKey(info.region.id));
  if (known?.status === "running") {
    const operator = progressed(known, info, now.monotonicMs, config.operatorMs);
    if (operator !== known) desk.leadership = withOperator(desk.leadership, operator);
    if (operator.status === "running") return operator;
  }
  const further = goOn(desk, info);
  if (further !== undefined) return further === "wait" ? undefined : further;
  const stores = storeViews(desk.leadership, desk.catalog, config, now.monotonicMs);
  const step = nextStep(info, stores, maxReplicas(desk));
  if (step === undefined) return undefined;
  const next = orderOf(desk, step);
  if (next === undefined) return "later";
  const operator = startOperator(info, next, REPLICAS, now.monotonicMs);
  desk.leadership = withOperator(desk.leadership, operator);
  return operator;
}

/** Undefined where an id has to be reserved first. */
function orderOf(desk: Desk, step: CheckerStep): Order | undefined {
  switch (step.type) {
    case "add_learner": {
      const taken = takeIds(desk.leadership, 1);
      desk.leadership = taken.leadership;
      if (taken.first === undefined) return undefined;
      return { type: "add_learner", peer: newLearner(taken.first, step.store) };
    }
    case "promote":
      return { type: "promote", peer: { ...step.peer, role: PeerRole.Voter } };
    case "remove":
    case "transfer_leader":
      return { type: step.type, peer: step.peer };
    default:
      return unreachable(step);
  }
}

export function askSplit(desk: Desk, request: AskSplitRequest): Answer {
  const { region } = request;
  if (region === undefined) return refuse(INVALID_ARGUMENT, "a split is of a region");
  const problem = splitProblem(desk, region);
  if (problem !== undefined) return failure(desk.catalog, "AskSplit", "unknown", problem);
  const ids = splitIds(desk, region, 1);
  if (ids === undefined) return LATER;
  return reply("AskSplit", { header: header(desk.catalog), ...ids[0]! });
}

export function askBatchSplit(desk: Desk, request: AskBatchSplitRequest): Answer {
  const { region, splitCount } = request;
  if (region === undefined || splitCount === 0 || splitCount > MOST_SPLITS) {
    return refuse(INVALID_ARGUMENT, `a split is of a region into 1 to ${MOST_SPLITS} more`);
  }
  const problem = splitProblem(desk, region);
  if (problem !== undefined) return failure(desk.catalog, "AskBatchSplit", "unknown", problem);
  const ids = splitIds(desk, region, splitCount);
  return ids === undefined ? LATER : reply("AskBatchSplit", { header: header(desk.catalog), ids });
}

/** Why `region` may not be split: it is no region, or has already become another one. */
function splitProblem(desk: Desk, region: Region): string | undefined {
  if (region.peers.length > MOST_PEERS) return `invalid region: ${region.peers.length} peers`;
  const known = byId(desk.leadership.registry, region.id);
  if (known === undefined || !isNewerEpoch(known.region, region)) return undefined;
  return `invalid region, current epoch is newer: region ${region.id}`;
}

function splitIds(desk: Desk, region: Region, count: number): readonly SplitID[] | undefined {
  const perRegion = 1 + region.peers.length;
  const taken = takeIds(desk.leadership, count * perRegion);
  desk.leadership = taken.leadership;
  const { first } = taken;
  if (first === undefined) return undefined;
  return Array.from({ length: count }, (_, i) => {
    const newRegionId = first + i * perRegion;
    return { newRegionId, newPeerIds: region.peers.map((_peer, j) => newRegionId + 1 + j) };
  });
}

export function reportSplit(desk: Desk, request: ReportSplitRequest): Answer {
  const { left, right } = request;
  if (left === undefined || right === undefined) {
    return refuse(INVALID_ARGUMENT, "a split has a left and a right side");
  }
  learnSplit(desk, [left, right]);
  return reply("ReportSplit", { header: header(desk.catalog) });
}

export function reportBatchSplit(desk: Desk, request: ReportBatchSplitRequest): Answer {
  learnSplit(desk, request.regions);
  return reply("ReportBatchSplit", { header: header(desk.catalog) });
}

/**
 * Takes all sides in at once, so that no lookup falls into a hole until each has a heartbeat of its
 * own.
 */
function learnSplit(desk: Desk, regions: readonly Region[]): void {
  const parent = regions
    .map(
      (region) =>
        byId(desk.leadership.registry, region.id) ??
        byKey(desk.leadership.registry, region.startKey),
    )
    .find((info) => info !== undefined);
  for (const region of regions) {
    // The sides begin with the leader on the store where the parent had it.
    const leader = region.peers.find(({ storeId }) => storeId === parent?.leader?.storeId);
    learn(desk, {
      region,
      leader,
      term: 0,
      pendingPeers: [],
      downPeers: [],
      approximateSize: 0,
      approximateKeys: 0,
    });
  }
}

/** Spreads the leaders of the regions named: each may be told to hand its leadership over. */
export function scatterRegion(desk: Desk, request: ScatterRegionRequest): Answer {
  const ids = request.regionsId.length > 0 ? request.regionsId : [request.regionId];
  const failedRegionsId = ids.filter((id) => !scatter(desk, id));
  if (request.regionsId.length === 0 && failedRegionsId.length > 0) {
    const message = `region ${request.regionId} not found`;
    return failure(desk.catalog, "ScatterRegion", "region_not_found", message);
  }
  const scattered = ids.length - failedRegionsId.length;
  const finishedPercentage = Math.floor((100 * scattered) / ids.length);
  return reply("ScatterRegion", {
    header: header(desk.catalog),
    finishedPercentage,
    failedRegionsId,
  });
}

function scatter(desk: Desk, id: number): boolean {
  const { leadership } = desk;
  const info = byId(leadership.registry, id);
  if (info === undefined) return false;
  if (runningOperator(leadership, id) !== undefined || info.leader === undefined) return true;
  const leaders = (store: number): number => loadOf(leadership.registry, store).leaders;
  const stores = storeViews(leadership, desk.catalog, desk.config, desk.now.monotonicMs);
  const target = transferTarget(info, stores, leaders);
  const worthwhile = target !== undefined && leaders(target.storeId) < leaders(info.leader.storeId);
  const order: Order = { type: "transfer_leader", peer: worthwhile ? target : info.leader };
  const operator = startOperator(info, order, SCATTER, desk.now.monotonicMs);
  desk.leadership = withOperator(
    leadership,
    worthwhile ? operator : { ...operator, status: "success" },
  );
  return true;
}

/** Orders a region to be led from `store`. A sentence where that cannot be. */
export function orderTransfer(desk: Desk, id: number, store: number): string | undefined {
  const info = byId(desk.leadership.registry, id);
  if (info === undefined) return `region ${id} not found`;
  const running = runningOperator(desk.leadership, id);
  if (running !== undefined) return `region ${id} is busy with ${running.description}`;
  const views = storeViews(desk.leadership, desk.catalog, desk.config, desk.now.monotonicMs);
  const target = transferTarget(
    info,
    views.filter((view) => view.id === store),
    () => 0,
  );
  if (target === undefined) return `region ${id} has no voter fit to lead on store ${store}`;
  const order: Order = { type: "transfer_leader", peer: target };
  const operator = startOperator(info, order, ADMIN, desk.now.monotonicMs);
  desk.leadership = withOperator(desk.leadership, operator);
  return undefined;
}

export function getOperator(desk: Desk, request: GetOperatorRequest): Answer {
  const operator = tree.get(desk.leadership.operators, idKey(request.regionId));
  if (operator === undefined) {
    const message = `no operator of region ${request.regionId}`;
    return failure(desk.catalog, "GetOperator", "region_not_found", message);
  }
  return reply("GetOperator", {
    header: header(desk.catalog),
    regionId: request.regionId,
    desc: ascii(operator.description),
    status: statusOf(operator),
    kind: ascii(operator.order.type === "transfer_leader" ? "leader" : "region"),
  });
}

function statusOf({ status }: Operator): OperatorStatus {
  switch (status) {
    case "running":
      return OperatorStatus.RUNNING;
    case "success":
      return OperatorStatus.SUCCESS;
    case "timeout":
      return OperatorStatus.TIMEOUT;
    case "cancel":
      return OperatorStatus.CANCEL;
    default:
      return unreachable(status);
  }
}

/** The bytes of a plain word. */
const ascii = (word: string): Uint8Array => Uint8Array.from(word, (letter) => letter.charCodeAt(0));
