/** Calls about the cluster as a whole: who its members and stores are, ids, configuration. */
import { idKey } from "../../base/big-endian.ts";
import * as tree from "../../base/tree.ts";
import { Cluster, StoreState } from "../../protocol/gen/metapb.ts";
import type { Region, Store } from "../../protocol/gen/metapb.ts";
import {
  GetMembersResponse,
  Member as MemberInfo,
  ServiceMode,
  StoreHeartbeatResponse,
} from "../../protocol/gen/pdpb.ts";
import type {
  AllocIDRequest,
  BootstrapRequest,
  GetAllStoresRequest,
  GetStoreRequest,
  PutClusterConfigRequest,
  PutStoreRequest,
  StoreHeartbeatRequest,
} from "../../protocol/gen/pdpb.ts";
import { failure, header, INVALID_ARGUMENT, LATER, propose, refuse, reply } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { PlacementConfig } from "../config.ts";
import { takeIds } from "../leadership.ts";
import { checkStore, storeById } from "../catalog/stores.ts";
import type { Member } from "../types.ts";

/** More ids than this in one call are a mistake of the caller. */
const MOST_IDS = 100_000;
const NANOS_PER_MS = 1_000_000n;

/**
 * Any member answers: clients find the leader by this. `leader` is undefined during an election.
 */
export function getMembers(
  catalog: Catalog,
  config: PlacementConfig,
  leader: Member | undefined,
): Answer {
  const info = (member: Member): MemberInfo =>
    MemberInfo.make({
      name: member.name,
      memberId: member.id,
      peerUrls: member.peerUrls,
      clientUrls: member.clientUrls,
      binaryVersion: config.version,
    });
  const leading = leader === undefined ? undefined : info(leader);
  return reply(
    "GetMembers",
    GetMembersResponse.make({
      header: header(catalog),
      members: config.members.map(info),
      leader: leading,
      etcdLeader: leading,
    }),
  );
}

export function getClusterInfo(catalog: Catalog): Answer {
  const serviceModes = [ServiceMode.PD_SVC_MODE];
  return reply("GetClusterInfo", { header: header(catalog), serviceModes, tsoUrls: [] });
}

export function allocId(desk: Desk, request: AllocIDRequest): Answer {
  const count = Math.max(request.count, 1);
  if (count > MOST_IDS) return refuse(INVALID_ARGUMENT, `${count} ids are too many for one call`);
  const taken = takeIds(desk.leadership, count);
  desk.leadership = taken.leadership;
  if (taken.first === undefined) return LATER;
  return reply("AllocID", { header: header(desk.catalog), id: taken.first + count - 1, count });
}

export function bootstrap(desk: Desk, request: BootstrapRequest): Answer {
  const { store, region } = request;
  if (desk.catalog.bootstrapped) {
    const message = "cluster is already bootstrapped";
    return failure(desk.catalog, "Bootstrap", "already_bootstrapped", message);
  }
  if (store === undefined || region === undefined) {
    return refuse(INVALID_ARGUMENT, "a cluster is bootstrapped with a store and a region");
  }
  const problem = checkStore(store) ?? checkFirstRegion(store, region);
  if (problem !== undefined) return refuse(INVALID_ARGUMENT, problem);
  return propose({ type: "bootstrap", store: { ...store, state: StoreState.Up }, region });
}

function checkFirstRegion(store: Store, region: Region): string | undefined {
  const [peer, ...others] = region.peers;
  if (region.id === 0) return "invalid first region: the id is zero";
  if (region.startKey.length > 0 || region.endKey.length > 0) {
    return "invalid first region key range: it must cover all keys";
  }
  if (peer === undefined || others.length > 0) {
    return `invalid first region peer count: ${region.peers.length}, must be 1`;
  }
  if (peer.storeId !== store.id) {
    return `invalid peer store id ${peer.storeId}, must be ${store.id}`;
  }
  return peer.id === 0 ? "invalid first region: the id of its peer is zero" : undefined;
}

export function isBootstrapped(desk: Desk): Answer {
  const { bootstrapped } = desk.catalog;
  return reply("IsBootstrapped", { header: header(desk.catalog), bootstrapped });
}

export function putStore(request: PutStoreRequest): Answer {
  const { store } = request;
  if (store === undefined) return refuse(INVALID_ARGUMENT, "a store is to be put");
  return propose({ type: "put_store", store });
}

export function getStore(desk: Desk, request: GetStoreRequest): Answer {
  const store = storeById(desk.catalog.stores, request.storeId);
  if (store === undefined) {
    const message = `invalid store ID ${request.storeId}, not found`;
    return failure(desk.catalog, "GetStore", "unknown", message);
  }
  const stats = tree.get(desk.leadership.heard, idKey(store.id))?.stats;
  return reply("GetStore", {
    header: header(desk.catalog),
    store: withHeartbeat(desk, store),
    stats,
  });
}

export function getAllStores(desk: Desk, request: GetAllStoresRequest): Answer {
  const stores = desk.catalog.stores
    .filter(({ state }) => !request.excludeTombstoneStores || state !== StoreState.Tombstone)
    .map((store) => withHeartbeat(desk, store));
  return reply("GetAllStores", { header: header(desk.catalog), stores });
}

/**
 * `store` with the wall-clock time of its last heartbeat, reckoned back from how long ago it was.
 */
function withHeartbeat(desk: Desk, store: Store): Store {
  const heard = tree.get(desk.leadership.heard, idKey(store.id));
  if (heard === undefined) return store;
  const agoMs = Math.max(desk.now.monotonicMs - heard.atMs, 0);
  const atMs = BigInt(Math.max(Math.floor(desk.now.wallMs - agoMs), 0));
  return { ...store, lastHeartbeat: atMs * NANOS_PER_MS };
}

export function storeHeartbeat(desk: Desk, request: StoreHeartbeatRequest): Answer {
  const { catalog, leadership } = desk;
  const { stats } = request;
  if (stats === undefined) return refuse(INVALID_ARGUMENT, "a heartbeat carries statistics");
  const store = storeById(catalog.stores, stats.storeId);
  if (store === undefined) {
    const message = `invalid store ID ${stats.storeId}, not found`;
    return failure(catalog, "StoreHeartbeat", "unknown", message);
  }
  if (store.state === StoreState.Tombstone) {
    return failure(catalog, "StoreHeartbeat", "store_tombstone", `store ${store.id} is tombstone`);
  }
  const heard = { atMs: desk.now.monotonicMs, stats };
  desk.leadership = { ...leadership, heard: tree.set(leadership.heard, idKey(store.id), heard) };
  return reply(
    "StoreHeartbeat",
    StoreHeartbeatResponse.make({
      header: header(catalog),
      clusterVersion: catalog.clusterVersion,
      state: store.nodeState,
    }),
  );
}

export function getClusterConfig(desk: Desk): Answer {
  const { catalog } = desk;
  const id = Number(catalog.clusterId ?? 0n);
  const cluster = Cluster.make({ id, maxPeerCount: maxReplicas(desk) });
  return reply("GetClusterConfig", { header: header(catalog), cluster });
}

export function putClusterConfig(request: PutClusterConfigRequest): Answer {
  const count = request.cluster?.maxPeerCount ?? 0;
  return propose({ type: "set_max_peers", count });
}

/** How many voters a region is to have. */
export const maxReplicas = (desk: Desk): number =>
  desk.catalog.maxPeerCount > 0 ? desk.catalog.maxPeerCount : desk.config.maxReplicas;
