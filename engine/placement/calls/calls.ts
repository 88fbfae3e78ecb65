/**
 * Which handler answers which call, and how a call that changed the catalog is answered afterwards.
 */
import { assert } from "../../base/assert.ts";
import { BootstrapResponse, PutStoreResponse } from "../../protocol/gen/pdpb.ts";
import type { PdMethods } from "../../protocol/gen/pdpb.ts";
import { failure, FAILED_PRECONDITION, header, refuse, reply, UNIMPLEMENTED } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import * as cluster from "./cluster.ts";
import * as etcd from "./etcd.ts";
import * as keyspace from "./keyspace.ts";
import * as region from "./region.ts";
import * as safePoint from "./safe-point.ts";
import * as schedule from "./schedule.ts";
import * as time from "./time.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Outcome } from "../catalog/command.ts";
import { reportMinResolvedTs } from "../resolved.ts";
import type { PlacementCall } from "../types.ts";

type Method = PlacementCall["method"];
type RequestOf<M extends Method> = Extract<PlacementCall, { readonly method: M }>["request"];
type Handlers = { readonly [M in Method]?: (desk: Desk, request: RequestOf<M>) => Answer };
type Moved = Extract<Outcome, { readonly type: "moved" }>;
type MovedReplies = {
  readonly [M in Method]?: (desk: Desk, outcome: Moved, request: RequestOf<M>) => Answer;
};

/**
 * What the leader answers. Calls that any member answers are not among them; the rest is not
 * served.
 */
const HANDLERS: Handlers = {
  Tso: time.tso,
  GetMinTS: time.getMinTs,
  SetExternalTimestamp: (_, request) => time.setExternalTimestamp(request),
  GetExternalTimestamp: time.getExternalTimestamp,

  Bootstrap: cluster.bootstrap,
  IsBootstrapped: cluster.isBootstrapped,
  AllocID: cluster.allocId,
  IsSnapshotRecovering: ({ catalog }) =>
    reply("IsSnapshotRecovering", { header: header(catalog), marked: false }),
  GetStore: cluster.getStore,
  PutStore: (_, request) => cluster.putStore(request),
  GetAllStores: cluster.getAllStores,
  StoreHeartbeat: cluster.storeHeartbeat,
  GetClusterConfig: cluster.getClusterConfig,
  PutClusterConfig: (_, request) => cluster.putClusterConfig(request),

  GetRegion: region.getRegion,
  GetPrevRegion: region.getPrevRegion,
  GetRegionByID: region.getRegionById,
  QueryRegion: region.queryRegion,
  ScanRegions: region.scanRegions,
  BatchScanRegions: region.batchScanRegions,

  RegionHeartbeat: schedule.regionHeartbeat,
  AskSplit: schedule.askSplit,
  ReportSplit: schedule.reportSplit,
  AskBatchSplit: schedule.askBatchSplit,
  ReportBatchSplit: schedule.reportBatchSplit,
  ScatterRegion: schedule.scatterRegion,
  GetOperator: schedule.getOperator,
  ReportBuckets: ({ catalog }) => reply("ReportBuckets", { header: header(catalog) }),
  ReportMinResolvedTS: reportMinResolvedTs,

  GetGCSafePoint: safePoint.getGcSafePoint,
  UpdateGCSafePoint: (_, request) => safePoint.updateGcSafePoint(request),
  UpdateServiceGCSafePoint: safePoint.updateServiceGcSafePoint,
  AdvanceGCSafePoint: (_, request) => safePoint.advanceGcSafePoint(request),
  AdvanceTxnSafePoint: safePoint.advanceTxnSafePoint,
  SetGCBarrier: (desk, request) => safePoint.setGcBarrier(desk, request, false),
  DeleteGCBarrier: (_, request) => safePoint.deleteGcBarrier(request, false),
  SetGlobalGCBarrier: (desk, request) => safePoint.setGcBarrier(desk, request, true),
  DeleteGlobalGCBarrier: (_, request) => safePoint.deleteGcBarrier(request, true),
  GetGCState: safePoint.getGcState,
  GetAllKeyspacesGCStates: safePoint.getAllGcStates,
  GetGCSafePointV2: safePoint.getGcSafePointV2,
  UpdateGCSafePointV2: (_, request) => safePoint.updateGcSafePoint(request),
  UpdateServiceSafePointV2: safePoint.updateServiceGcSafePoint,
  GetAllGCSafePointV2: safePoint.getAllGcSafePointV2,

  LoadKeyspace: ({ catalog }, { name }) => keyspace.loadKeyspace(catalog, name),
  LoadKeyspaceByID: ({ catalog }, request) => keyspace.loadKeyspaceById(catalog, request),
  GetAllKeyspaces: ({ catalog }, request) => keyspace.getAllKeyspaces(catalog, request),
  Get: ({ catalog }) => keyspace.metaStorageGet(catalog),

  Range: etcd.range,
};

/** Calls that make sense before there is a first store. */
const BEFORE_BOOTSTRAP: ReadonlySet<Method> = new Set<Method>([
  "Tso",
  "GetMinTS",
  "AllocID",
  "Bootstrap",
  "IsBootstrapped",
  "IsSnapshotRecovering",
  "LoadKeyspace",
  "LoadKeyspaceByID",
  "GetAllKeyspaces",
  "Get",
  "Range",
]);

/** Calls that are also made before a client knows the cluster's id. */
const BEFORE_ID: ReadonlySet<Method> = new Set<Method>(["Get", "LoadKeyspace"]);

/** A refusal where the call is meant for another cluster. The catalog must have its id. */
export function checkCluster(catalog: Catalog, call: PlacementCall): Answer | undefined {
  assert(catalog.clusterId !== undefined, "a call is checked once there is a cluster id");
  if (!("header" in call.request)) return undefined;
  const given = call.request.header?.clusterId ?? 0n;
  if (given === catalog.clusterId || (given === 0n && BEFORE_ID.has(call.method))) return undefined;
  const message = `mismatch cluster id, need ${catalog.clusterId} but got ${given}`;
  return refuse(FAILED_PRECONDITION, message);
}

/** The leader's answer to `call`, which is meant for this cluster. */
export function answer(desk: Desk, call: PlacementCall): Answer {
  const { method } = call;
  const handler = HANDLERS[method] as ((desk: Desk, request: unknown) => Answer) | undefined;
  if (handler === undefined) return refuse(UNIMPLEMENTED, `${method} is not served`);
  if (!desk.catalog.bootstrapped && !BEFORE_BOOTSTRAP.has(method)) {
    const message = "cluster is not bootstrapped";
    return failure(desk.catalog, method as keyof PdMethods, "not_bootstrapped", message);
  }
  return handler(desk, call.request);
}

/** The answers to calls that have moved a safe point or a barrier. */
const MOVED_REPLIES: MovedReplies = {
  UpdateGCSafePoint: ({ catalog }, { after }) =>
    reply("UpdateGCSafePoint", { header: header(catalog), newSafePoint: after }),
  UpdateGCSafePointV2: ({ catalog }, { after }) =>
    reply("UpdateGCSafePointV2", { header: header(catalog), newSafePoint: after }),
  UpdateServiceGCSafePoint: (desk) =>
    safePoint.serviceSafePointReply(desk, "UpdateServiceGCSafePoint"),
  UpdateServiceSafePointV2: (desk) =>
    safePoint.serviceSafePointReply(desk, "UpdateServiceSafePointV2"),
  AdvanceGCSafePoint: ({ catalog }, { before, after }) =>
    reply("AdvanceGCSafePoint", {
      header: header(catalog),
      oldGcSafePoint: before,
      newGcSafePoint: after,
    }),
  AdvanceTxnSafePoint: ({ catalog }, { before, after, blocker }) =>
    reply("AdvanceTxnSafePoint", {
      header: header(catalog),
      oldTxnSafePoint: before,
      newTxnSafePoint: after,
      blockerDescription: blocker,
    }),
  SetGCBarrier: ({ catalog }, _, { barrierId, barrierTs, ttlSeconds }) =>
    reply("SetGCBarrier", {
      header: header(catalog),
      newBarrierInfo: { barrierId, barrierTs, ttlSeconds },
    }),
  SetGlobalGCBarrier: ({ catalog }, _, { barrierId, barrierTs, ttlSeconds }) =>
    reply("SetGlobalGCBarrier", {
      header: header(catalog),
      newBarrierInfo: { barrierId, barrierTs, ttlSeconds },
    }),
  DeleteGCBarrier: (desk, { removed }) =>
    reply("DeleteGCBarrier", {
      header: header(desk.catalog),
      deletedBarrierInfo: safePoint.infoOf(desk, removed),
    }),
  DeleteGlobalGCBarrier: (desk, { removed }) =>
    reply("DeleteGlobalGCBarrier", {
      header: header(desk.catalog),
      deletedBarrierInfo: safePoint.infoOf(desk, removed),
    }),
};

/** The answer to a call whose command has been applied with `outcome`. */
export function answerApplied(desk: Desk, call: PlacementCall, outcome: Outcome): Answer {
  const { catalog } = desk;
  const { method } = call;
  if (outcome.type === "refused") {
    return failure(catalog, method as keyof PdMethods, outcome.reason, outcome.message);
  }
  if (outcome.type === "moved") {
    type Reply = (desk: Desk, outcome: Moved, request: unknown) => Answer;
    const movedReply = MOVED_REPLIES[method] as Reply | undefined;
    assert(movedReply !== undefined, () => `${method} moves no safe point`);
    return movedReply(desk, outcome, call.request);
  }
  if (method === "Bootstrap") {
    return reply(method, BootstrapResponse.make({ header: header(catalog) }));
  }
  if (method === "PutStore") {
    return reply(method, PutStoreResponse.make({ header: header(catalog) }));
  }
  assert(
    method === "PutClusterConfig" || method === "SetExternalTimestamp",
    () => `${method} changes nothing`,
  );
  return reply(method, { header: header(catalog) });
}
