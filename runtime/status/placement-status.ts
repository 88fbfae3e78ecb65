/** The read-only part of PD's HTTP interface, on the port on which clients also speak gRPC. */
import * as engine from "../../engine/placement/index.ts";
import type {
  Member,
  PlacementInput,
  PlacementState,
  RegionInfo,
} from "../../engine/placement/index.ts";
import { hex } from "../../engine/base/bytes.ts";
import { StoreState } from "../../engine/protocol/gen/metapb.ts";
import type { Peer, Store } from "../../engine/protocol/gen/metapb.ts";
import * as raft from "../../engine/raft/query.ts";
import type { Driver } from "../node/driver.ts";
import type { GrpcServer } from "../grpc/server.ts";
import { json, text } from "./http.ts";
import type { Answer, Page, Routes } from "./http.ts";
import type { LatencyTable } from "../metrics/latency.ts";
import type { MemberDirectory } from "../network/member-directory.ts";
import { createMetrics } from "../metrics/registry.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Transport } from "../network/network.ts";
import { RUTILE_VERSION } from "../version.ts";

/** What there is to be asked. Nothing here changes any of it. */
export interface Observed {
  readonly driver: Driver<PlacementState, PlacementInput>;
  readonly grpc: GrpcServer;
  readonly transport: Transport;
  readonly members: MemberDirectory;
  readonly calls: LatencyTable;
}

export function placementRoutes(observed: Observed): Routes {
  const state = (): PlacementState => observed.driver.state;
  const metrics = placementMetrics(observed);
  const startedAt = Math.floor(Date.now() / 1000);
  return new Map<string, Answer>([
    ["/health", () => healthPage(state())],
    ["/metrics", () => metrics.page()],
    ["/pd/api/v1/ping", () => text("")],
    ["/pd/api/v1/version", () => json({ version: `v${RUTILE_VERSION}` })],
    [
      "/pd/api/v1/status",
      () => json({ version: `v${RUTILE_VERSION}`, start_timestamp: startedAt, name: "Rutile" }),
    ],
    ["/pd/api/v1/config", () => json(configOf(state()))],
    ["/pd/api/v1/cluster", () => json(clusterOf(state()))],
    ["/pd/api/v1/members", () => json(membersOf(observed))],
    ["/pd/api/v1/health", () => json(healthOf(observed))],
    ["/pd/api/v1/stores", () => json(storesOf(state()))],
    ["/pd/api/v1/store/*", (id) => findPage(storesOf(state()).stores, (s) => s.store.id, id)],
    ["/pd/api/v1/regions", () => json(regionsOf(state()))],
    ["/pd/api/v1/min-resolved-ts", (_, query) => resolvedPage(state(), query.get("scope"))],
    ["/pd/api/v1/min-resolved-ts/*", (id) => resolvedPage(state(), "", id)],
    ["/pd/api/v1/region/id/*", (id) => findPage(regionsOf(state()).regions, (r) => r.id, id)],
  ]);
}

/** A member is healthy that knows a leader: it can send clients there. */
const leaderId = (state: PlacementState): number | undefined =>
  raft.leader(engine.raftState(state));

function healthPage(state: PlacementState): Page {
  const health = leaderId(state) !== undefined && !state.stopped;
  return json({ health: String(health) }, health ? 200 : 503);
}

function findPage<T>(items: readonly T[], idOf: (item: T) => number, id: string): Page {
  const found = items.find((item) => String(idOf(item)) === id);
  return found === undefined ? json(`${id} not found`, 404) : json(found);
}

function configOf({ config }: PlacementState): object {
  return {
    "data-version": config.version,
    "tso-save-interval": `${config.windowMs}ms`,
    "election-interval": `${config.raft.electionMs}ms`,
    "tick-interval": `${config.raft.heartbeatMs}ms`,
    replication: { "max-replicas": config.maxReplicas },
    schedule: { "max-store-down-time": `${config.storeDownMs}ms` },
  };
}

function clusterOf(state: PlacementState): object {
  const { clusterId, maxPeerCount } = engine.catalogOf(state);
  return { id: clusterId ?? 0n, max_peer_count: maxPeerCount || state.config.maxReplicas };
}

function memberOf(member: Member, { driver, members }: Observed): object {
  return {
    name: member.name,
    member_id: member.id,
    peer_urls: member.peerUrls,
    client_urls: members.clientUrls(member.name),
    binary_version: driver.state.config.version,
  };
}

function membersOf(observed: Observed): object {
  const { state } = observed.driver;
  const { members } = state.config;
  const leading = members.find(({ id }) => id === leaderId(state));
  const leader = leading === undefined ? null : memberOf(leading, observed);
  return {
    header: { cluster_id: engine.catalogOf(state).clusterId ?? 0n },
    members: members.map((member) => memberOf(member, observed)),
    leader,
    etcd_leader: leader,
  };
}

function healthOf({ driver, members }: Observed): readonly object[] {
  return driver.state.config.members.map(({ id, name }) => ({
    name,
    member_id: id,
    client_urls: members.clientUrls(name),
    health: members.answers(name),
  }));
}

interface StorePage {
  readonly store: { readonly id: number } & Readonly<Record<string, unknown>>;
  readonly status: object;
}

function storesOf(state: PlacementState): { count: number; stores: readonly StorePage[] } {
  const regions = engine.regions(state);
  const stores = engine
    .catalogOf(state)
    .stores.filter((store) => store.state !== StoreState.Tombstone);
  return { count: stores.length, stores: stores.map((store) => storeOf(store, regions)) };
}

function storeOf(store: Store, regions: readonly RegionInfo[]): StorePage {
  const here = (peers: readonly Peer[]): boolean =>
    peers.some(({ storeId }) => storeId === store.id);
  return {
    store: {
      id: store.id,
      address: store.address,
      status_address: store.statusAddress,
      version: store.version,
      labels: store.labels.map(({ key, value }) => ({ key, value })),
      state_name: Object.entries(StoreState).find(([, value]) => value === store.state)?.[0],
    },
    status: {
      region_count: regions.filter(({ region }) => here(region.peers)).length,
      leader_count: regions.filter(({ leader }) => leader?.storeId === store.id).length,
      start_ts: store.startTimestamp,
    },
  };
}

/**
 * Up to which timestamp data are settled: everywhere, or at the store `id`. `scope` asks for single
 * stores too: `cluster` for all, or a list of ids. In digits: a number of JavaScript is too short.
 */
function resolvedPage(state: PlacementState, scope: string | null, id?: string): Page {
  const resolved = engine.resolved(state);
  if (resolved === undefined) return text("not leader\n", 503);
  const { least, stores } = resolved;
  const one = id === undefined ? least : stores.get(Number(id));
  if (one === undefined) return json(`store ${id} not found`, 404);
  const asked = (scope ?? "").split(",").filter((item) => item !== "");
  const listed = [...stores].filter(([store]) => scope === "cluster" || asked.includes(`${store}`));
  const each = listed.map(([store, ts]) => `"${store}":${ts}`).join(",");
  const more = listed.length === 0 ? "" : `,"stores_min_resolved_ts":{${each}}`;
  const body = `{"is_real_time":true,"min_resolved_ts":${one},"persist_interval":"0s"${more}}\n`;
  return { status: 200, type: "application/json; charset=utf-8", body };
}

type RegionPage = { readonly id: number } & Readonly<Record<string, unknown>>;

function regionsOf(state: PlacementState): { count: number; regions: readonly RegionPage[] } {
  const regions = engine.regions(state).map((info) => regionOf(info));
  return { count: regions.length, regions };
}

function regionOf(info: RegionInfo): RegionPage {
  const { region, leader } = info;
  const peerOf = ({ id, storeId, role }: Peer): object => ({ id, store_id: storeId, role });
  return {
    id: region.id,
    start_key: hex(region.startKey).toUpperCase(),
    end_key: hex(region.endKey).toUpperCase(),
    epoch: {
      conf_ver: region.regionEpoch?.confVer ?? 0,
      version: region.regionEpoch?.version ?? 0,
    },
    peers: region.peers.map(peerOf),
    leader: leader === undefined ? null : peerOf(leader),
    pending_peers: info.pendingPeers.map(peerOf),
    approximate_size: info.approximateSize,
    approximate_keys: info.approximateKeys,
  };
}

function placementMetrics({ driver, grpc, transport, calls }: Observed): Metrics {
  const metrics = createMetrics();
  const state = (): PlacementState => driver.state;
  metrics.addLatency("pd_grpc_msg_duration_seconds", "Duration of gRPC calls", calls);
  metrics.add({
    name: "pd_cluster_status",
    help: "The cluster as this member knows it",
    type: "gauge",
    read() {
      const regions = engine.regions(state());
      const up = storesOf(state()).count;
      return [
        { labels: { type: "store_up_count" }, value: up },
        { labels: { type: "region_count" }, value: regions.length },
        {
          labels: { type: "leader_count" },
          value: regions.filter(({ leader }) => leader !== undefined).length,
        },
      ];
    },
  });
  metrics.add({
    name: "pd_tso_saved_seconds",
    help: "No timestamp at or beyond this has been granted",
    type: "gauge",
    read: () => [{ value: engine.catalogOf(state()).windowEnd / 1000 }],
  });
  metrics.add({
    name: "pd_server_is_leader",
    help: "1 where this member leads",
    type: "gauge",
    read: () => [{ value: engine.isLeader(state()) ? 1 : 0 }],
  });
  for (const [name, help, read] of [
    ["pd_server_step_total", "Steps of the member's machine", () => driver.counts.steps],
    ["pd_server_input_total", "Inputs of those steps", () => driver.counts.inputs],
    ["pd_server_dropped_total", "Messages to members dropped", () => transport.load().dropped],
  ] as const) {
    metrics.add({ name, help, type: "counter", read: () => [{ value: read() }] });
  }
  metrics.add({
    name: "pd_grpc_connections",
    help: "Open client connections",
    type: "gauge",
    read: () => [{ value: grpc.load().sessions }],
  });
  return metrics;
}
