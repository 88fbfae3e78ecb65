/** Calls about garbage collection. All keyspaces share one collection: the unified manner. */
import type { Now } from "../../base/time.ts";
import {
  GCBarrierInfo,
  GCState,
  GlobalGCBarrierInfo,
  KeyspaceScope,
} from "../../protocol/gen/pdpb.ts";
import type {
  AdvanceGCSafePointRequest,
  AdvanceTxnSafePointRequest,
  DeleteGCBarrierRequest,
  DeleteGlobalGCBarrierRequest,
  GetGCStateRequest,
  SetGCBarrierRequest,
  SetGlobalGCBarrierRequest,
  UpdateGCSafePointRequest,
  UpdateGCSafePointV2Request,
  UpdateServiceGCSafePointRequest,
  UpdateServiceSafePointV2Request,
} from "../../protocol/gen/pdpb.ts";
import { readUtf8, utf8Size, writeUtf8 } from "../../protocol/utf8.ts";
import { header, INVALID_ARGUMENT, propose, refuse, reply } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import { expire, GC_WORKER, lowestService, NEVER } from "../catalog/safe-point.ts";
import type { Barrier } from "../catalog/safe-point.ts";

/** "For ever" on the wire. */
const ENDLESS = 2n ** 63n - 1n;
/** The keyspace of clients that use none. */
const NO_KEYSPACE = 0xffff_ffff;

/** Whole seconds of the leader's wall clock: times to live are dates. */
export const secondsOf = (now: Now): number => Math.max(Math.floor(now.wallMs / 1_000), 0);

export const getGcSafePoint = (desk: Desk): Answer =>
  reply("GetGCSafePoint", { header: header(desk.catalog), safePoint: desk.catalog.safePoints.gc });

/** The oldest manner of keyspaces, which share the safe point. */
export const getGcSafePointV2 = (desk: Desk): Answer =>
  reply("GetGCSafePointV2", {
    header: header(desk.catalog),
    safePoint: desk.catalog.safePoints.gc,
  });

/** Of keyspaces with a safe point of their own, of which there are none. */
export const getAllGcSafePointV2 = (desk: Desk): Answer =>
  reply("GetAllGCSafePointV2", { header: header(desk.catalog), gcSafePoints: [], revision: 0 });

export const updateGcSafePoint = (
  request: UpdateGCSafePointRequest | UpdateGCSafePointV2Request,
): Answer =>
  propose({
    type: "safe_point",
    command: { type: "advance_gc", target: request.safePoint, lenient: true },
  });

/**
 * The collector's own service moves the transaction safe point; any other sets or, with no time to
 * live, removes a barrier.
 */
export function updateServiceGcSafePoint(
  desk: Desk,
  request: UpdateServiceGCSafePointRequest | UpdateServiceSafePointV2Request,
): Answer {
  const id = readUtf8(request.serviceId, 0, request.serviceId.length) ?? "";
  const now = secondsOf(desk.now);
  if (id === "") return refuse(INVALID_ARGUMENT, "a service safe point has a service id in UTF-8");
  if (id === GC_WORKER) {
    if (request.ttl !== ENDLESS) {
      return refuse(INVALID_ARGUMENT, "TTL of gc_worker's service safe point must be infinity");
    }
    const target = request.safePoint;
    const command = { type: "advance_transaction", target, lenient: true, now } as const;
    return propose({ type: "safe_point", command });
  }
  if (request.ttl <= 0n) {
    return propose({ type: "safe_point", command: { type: "delete_barrier", id, global: false } });
  }
  const expiresAt = expiry(request.ttl, now);
  const barrier = { id, timestamp: request.safePoint, expiresAt, global: false };
  return propose({ type: "safe_point", command: { type: "set_barrier", barrier, lenient: true } });
}

/** The service that holds the collection back most, once the call has been applied. */
export function serviceSafePointReply(
  desk: Desk,
  method: "UpdateServiceGCSafePoint" | "UpdateServiceSafePointV2",
): Answer {
  const now = secondsOf(desk.now);
  const lowest = lowestService(desk.catalog.safePoints, now);
  const serviceId = new Uint8Array(utf8Size(lowest.id));
  writeUtf8(lowest.id, serviceId, 0);
  return reply(method, {
    header: header(desk.catalog),
    serviceId,
    ttl: remaining(lowest, now),
    minSafePoint: lowest.timestamp,
  });
}

export const advanceGcSafePoint = (request: AdvanceGCSafePointRequest): Answer =>
  propose({
    type: "safe_point",
    command: { type: "advance_gc", target: request.target, lenient: false },
  });

export const advanceTxnSafePoint = (desk: Desk, request: AdvanceTxnSafePointRequest): Answer =>
  propose({
    type: "safe_point",
    command: {
      type: "advance_transaction",
      target: request.target,
      lenient: false,
      now: secondsOf(desk.now),
    },
  });

export function setGcBarrier(
  desk: Desk,
  request: SetGCBarrierRequest | SetGlobalGCBarrierRequest,
  global: boolean,
): Answer {
  const { barrierId, barrierTs, ttlSeconds } = request;
  if (barrierId === "" || barrierId === GC_WORKER || ttlSeconds <= 0n) {
    return refuse(INVALID_ARGUMENT, "a barrier has a name of its own and a time to live");
  }
  const expiresAt = expiry(ttlSeconds, secondsOf(desk.now));
  const barrier = { id: barrierId, timestamp: barrierTs, expiresAt, global };
  return propose({ type: "safe_point", command: { type: "set_barrier", barrier, lenient: false } });
}

export const deleteGcBarrier = (
  request: DeleteGCBarrierRequest | DeleteGlobalGCBarrierRequest,
  global: boolean,
): Answer =>
  propose({
    type: "safe_point",
    command: { type: "delete_barrier", id: request.barrierId, global },
  });

export const getGcState = (desk: Desk, request: GetGCStateRequest): Answer =>
  reply("GetGCState", {
    header: header(desk.catalog),
    gcState: stateOf(desk, request.excludeGcBarriers),
    globalGcBarriers: request.includeGlobalGcBarriers
      ? { barriers: globalBarriers(desk) }
      : undefined,
  });

export const getAllGcStates = (
  desk: Desk,
  request: { readonly excludeGcBarriers: boolean; readonly excludeGlobalGcBarriers: boolean },
): Answer =>
  reply("GetAllKeyspacesGCStates", {
    header: header(desk.catalog),
    gcStates: [stateOf(desk, request.excludeGcBarriers)],
    globalGcBarriers: request.excludeGlobalGcBarriers ? [] : globalBarriers(desk),
  });

function globalBarriers(desk: Desk): GlobalGCBarrierInfo[] {
  const now = secondsOf(desk.now);
  const { barriers } = expire(desk.catalog.safePoints, now);
  return barriers.filter(({ global }) => global).map((barrier) => barrierInfo(barrier, now));
}

function stateOf(desk: Desk, excludeBarriers: boolean): GCState {
  const now = secondsOf(desk.now);
  const { gc, transaction, barriers } = expire(desk.catalog.safePoints, now);
  return GCState.make({
    keyspaceScope: KeyspaceScope.make({ keyspace: { case: "keyspaceId", value: NO_KEYSPACE } }),
    isKeyspaceLevelGc: false,
    txnSafePoint: transaction,
    gcSafePoint: gc,
    gcBarriers: excludeBarriers
      ? []
      : barriers.filter(({ global }) => !global).map((barrier) => barrierInfo(barrier, now)),
  });
}

/** Those of all keyspaces look the same. */
export const barrierInfo = (barrier: Barrier, now: number): GCBarrierInfo & GlobalGCBarrierInfo =>
  GCBarrierInfo.make({
    barrierId: barrier.id,
    barrierTs: barrier.timestamp,
    ttlSeconds: remaining(barrier, now),
  });

/** The same of a barrier that there may not be. */
export const infoOf = (
  desk: Desk,
  barrier: Barrier | undefined,
): (GCBarrierInfo & GlobalGCBarrierInfo) | undefined =>
  barrier === undefined ? undefined : barrierInfo(barrier, secondsOf(desk.now));

const expiry = (ttl: bigint, now: number): number =>
  ttl > BigInt(NEVER - now) ? NEVER : now + Number(ttl);

const remaining = (barrier: Barrier, now: number): bigint =>
  barrier.expiresAt === NEVER ? ENDLESS : BigInt(Math.max(barrier.expiresAt - now, 0));
