/** The store's status port: what it is doing, for people and for Prometheus. */
import * as engine from "../../engine/store/index.ts";
import type { StoreInput, StoreState } from "../../engine/store/index.ts";
import { isLeader } from "../../engine/raft/query.ts";
import type { TableCache } from "../../engine/storage/table/cache.ts";
import type { Driver } from "../node/driver.ts";
import { engineFamilies, engineStatus } from "./engine-status.ts";
import type { ObservedEngine } from "./engine-status.ts";
import type { GrpcServer } from "../grpc/server.ts";
import { json, text } from "./http.ts";
import type { JobRunner } from "../jobs/jobs.ts";
import type { Answer, Routes } from "./http.ts";
import type { LatencyTable } from "../metrics/latency.ts";
import { createMetrics } from "../metrics/registry.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Transport } from "../network/network.ts";
import { RUTILE_VERSION } from "../version.ts";

/** What there is to be asked. Nothing here changes any of it. */
export interface Observed {
  readonly driver: Driver<StoreState, StoreInput>;
  readonly grpc: GrpcServer;
  readonly transport: Transport;
  readonly calls: LatencyTable;
  readonly tables: TableCache;
  readonly jobs: JobRunner;
}

export function statusRoutes(observed: Observed): Routes {
  const state = (): StoreState => observed.driver.state;
  const storage: ObservedEngine = { state, tables: observed.tables, jobs: observed.jobs };
  const metrics = storeMetrics(observed);
  for (const family of engineFamilies(storage)) metrics.add(family);
  return new Map<string, Answer>([
    ["/status", () => json({ ...statusOf(state()), ...engineStatus(storage) })],
    ["/config", () => json(state().config)],
    ["/ready", () => (isReady(state()) ? text("ready\n") : text("not ready\n", 503))],
    ["/metrics", () => metrics.page()],
  ]);
}

const isReady = (state: StoreState): boolean =>
  engine.isJoined(state) && engine.trouble(state) === undefined;

function statusOf(state: StoreState): object {
  const replicas = engine.replicas(state);
  const identity = engine.identity(state);
  const trouble = engine.trouble(state);
  return {
    name: "Rutile",
    version: RUTILE_VERSION,
    store_id: identity?.store ?? 0,
    cluster_id: String(identity?.cluster ?? 0n),
    address: state.config.address,
    joined: engine.isJoined(state),
    regions: replicas.length,
    leaders: replicas.filter(({ raft }) => isLeader(raft)).length,
    /** Why the store takes no writes, and since which file; null where it does. */
    trouble: trouble ?? null,
    /** Replicas that serve nobody until a healthy one replaces them: which, and what is damaged. */
    damage: engine.damage(state),
    collection: collectionOf(state),
    labels: Object.fromEntries(state.config.labels.map(({ key, value }) => [key, value])),
  };
}

/** Timestamps in text: they are greater than numbers of JSON are exact. */
const collectionOf = ({ safePoint, collection }: StoreState): object => ({
  txn_safe_point: safePoint === undefined ? null : String(safePoint),
  gc_safe_point: String(collection.garbageBelow),
  sweeping: collection.sweep !== undefined,
  removed: collection.removed,
});

function storeMetrics({ driver, grpc, transport, calls }: Observed): Metrics {
  const metrics = createMetrics();
  metrics.addLatency("tikv_grpc_msg_duration_seconds", "Duration of gRPC messages", calls);
  metrics.add({
    name: "tikv_storage_command_total",
    help: "Commands that were answered",
    type: "counter",
    read: () =>
      [...calls.entries()].map(([type, { count }]) => ({ labels: { type }, value: count })),
  });
  metrics.add({
    name: "tikv_raftstore_region_count",
    help: "Replicas on this store, and those that lead",
    type: "gauge",
    read() {
      const replicas = engine.replicas(driver.state);
      const leaders = replicas.filter(({ raft }) => isLeader(raft)).length;
      return [
        { labels: { type: "region" }, value: replicas.length },
        { labels: { type: "leader" }, value: leaders },
      ];
    },
  });
  for (const [name, help, read] of [
    [
      "tikv_store_swept_records_total",
      "Versions and values of old that the sweep has removed",
      () => driver.state.collection.removed,
    ],
    ["tikv_raftstore_step_total", "Steps of the store's machine", () => driver.counts.steps],
    ["tikv_raftstore_input_total", "Inputs of those steps", () => driver.counts.inputs],
    ["tikv_raftstore_effect_total", "Effects of those steps", () => driver.counts.effects],
    [
      "tikv_raftstore_busy_seconds_total",
      "Time spent in steps and their effects",
      () => driver.counts.busyMs / 1000,
    ],
    [
      "tikv_server_raft_client_dropped_total",
      "Messages to other stores that were dropped",
      () => transport.load().dropped,
    ],
  ] as const) {
    metrics.add({ name, help, type: "counter", read: () => [{ value: read() }] });
  }
  for (const [name, help, read] of [
    [
      "tikv_gcworker_autogc_safe_point",
      "What nobody at or above this timestamp sees is collected",
      () => Number(driver.state.collection.garbageBelow),
    ],
    ["tikv_grpc_connections", "Open client connections", () => grpc.load().sessions],
    ["tikv_grpc_calls_in_flight", "Calls that were not answered yet", () => grpc.load().calls],
    [
      "tikv_server_raft_client_queued_bytes",
      "Bytes that wait to be sent to other stores",
      () => transport.load().queuedBytes,
    ],
    [
      "tikv_store_damaged_regions",
      "Replicas that are out of service because their data is damaged",
      () => engine.damage(driver.state).length,
    ],
    [
      "tikv_store_disk_free_bytes",
      "Bytes of the file system that the store may still fill",
      () => driver.state.freeBytes,
    ],
    [
      "tikv_store_writes_waiting",
      "Writes that wait to be let in because compaction is behind",
      () => driver.state.line.length,
    ],
    [
      "tikv_store_disk_trouble",
      "1 where the disk has refused and the store takes no writes",
      () => (engine.trouble(driver.state) === undefined ? 0 : 1),
    ],
  ] as const) {
    metrics.add({ name, help, type: "gauge", read: () => [{ value: read() }] });
  }
  return metrics;
}
