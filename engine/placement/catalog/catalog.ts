/**
 * The replicated state of the placement driver: what the group agrees on and must never lose. Every
 * member holds the same catalog at the same index of the log. `apply` is deterministic; clocks and
 * random numbers come in as fields of commands.
 */
import { assert, unreachable } from "../../base/assert.ts";
import { StoreState } from "../../protocol/gen/metapb.ts";
import type { Region, Store } from "../../protocol/gen/metapb.ts";
import { emptyRegistry, put, unheard } from "./registry.ts";
import type { Registry } from "./registry.ts";
import { applySafePoint, NO_SAFE_POINTS } from "./safe-point.ts";
import type { SafePointCommand, SafePoints } from "./safe-point.ts";
import type { Command, Outcome, Refusal } from "./command.ts";
import { checkNewStore, clusterVersionAfter, mergedStore, storeById, withStore } from "./stores.ts";

export interface Catalog {
  /**
   * Between 1 and 2^53 - 1, so that it is exact as a number too. Undefined until the first leader
   * has drawn it.
   */
  readonly clusterId: bigint | undefined;
  /** All ids below this have been given to some leader, to hand out or to forget. */
  readonly nextId: number;
  /** Every timestamp ever granted has a physical part below this. */
  readonly windowEnd: number;
  readonly bootstrapped: boolean;
  /**
   * `metapb.Cluster.max_peer_count`: how many replicas a region should have. 0: the configured
   * default.
   */
  readonly maxPeerCount: number;
  /** The lowest version of the stores; never goes back. */
  readonly clusterVersion: string;
  /** In ascending order of id, tombstones included. */
  readonly stores: readonly Store[];
  /** What is durably known of the regions; the leader's own registry is at least as new. */
  readonly regions: Registry;
  readonly safePoints: SafePoints;
  readonly externalTimestamp: bigint;
}

export interface Applied {
  readonly catalog: Catalog;
  readonly outcome: Outcome;
}

const DONE: Outcome = { type: "done" };

/** Ids start behind those that a fresh cluster's tools take for granted to be special. */
const FIRST_ID = 1;

export const emptyCatalog = (): Catalog => ({
  clusterId: undefined,
  nextId: FIRST_ID,
  windowEnd: 0,
  bootstrapped: false,
  maxPeerCount: 0,
  clusterVersion: "0.0.0",
  stores: [],
  regions: emptyRegistry(),
  safePoints: NO_SAFE_POINTS,
  externalTimestamp: 0n,
});

export function apply(catalog: Catalog, command: Command): Applied {
  const { catalog: next, outcome } = applied(catalog, command);
  return { catalog: next === catalog ? catalog : shaped(next), outcome };
}

/** The same catalog in the one shape of all (`docs/design/001-base-and-tree.md`). */
const shaped = (catalog: Catalog): Catalog => ({
  clusterId: catalog.clusterId,
  nextId: catalog.nextId,
  windowEnd: catalog.windowEnd,
  bootstrapped: catalog.bootstrapped,
  maxPeerCount: catalog.maxPeerCount,
  clusterVersion: catalog.clusterVersion,
  stores: catalog.stores,
  regions: catalog.regions,
  safePoints: catalog.safePoints,
  externalTimestamp: catalog.externalTimestamp,
});

function applied(catalog: Catalog, command: Command): Applied {
  switch (command.type) {
    case "draw_cluster":
      assert(isClusterId(command.clusterId), "a cluster id is a safe integer above zero");
      return done({ ...catalog, clusterId: catalog.clusterId ?? command.clusterId });
    case "reserve_ids":
      return reserveIds(catalog, command.count);
    case "save_window":
      assert(Number.isSafeInteger(command.end), "a window ends at a whole millisecond");
      return done({ ...catalog, windowEnd: Math.max(catalog.windowEnd, command.end) });
    case "bootstrap":
      return bootstrap(catalog, command.store, command.region);
    case "put_store":
      return putStore(catalog, command.store);
    case "set_store_state":
      return setStoreState(catalog, command.store, command.state);
    case "record_regions":
      if (!catalog.bootstrapped) return done(catalog);
      return done({ ...catalog, regions: recordRegions(catalog.regions, command.regions) });
    case "set_max_peers":
      return done({ ...catalog, maxPeerCount: command.count });
    case "set_external_timestamp":
      return setExternalTimestamp(catalog, command.timestamp);
    case "safe_point":
      return safePoint(catalog, command.command);
    default:
      return unreachable(command);
  }
}

function reserveIds(catalog: Catalog, count: number): Applied {
  assert(count > 0, "a reservation is of at least one id");
  const nextId = catalog.nextId + count;
  assert(Number.isSafeInteger(nextId), "ids do not run out");
  return {
    catalog: { ...catalog, nextId },
    outcome: { type: "ids", first: catalog.nextId, count },
  };
}

function bootstrap(catalog: Catalog, store: Store, region: Region): Applied {
  if (catalog.bootstrapped) {
    return refused(catalog, "already_bootstrapped", "cluster is already bootstrapped");
  }
  const regions = put(catalog.regions, unheard(region));
  assert(regions !== undefined, "the first region meets no other");
  const stores = [store];
  return done({
    ...catalog,
    bootstrapped: true,
    stores,
    clusterVersion: clusterVersionAfter(catalog.clusterVersion, stores),
    regions,
  });
}

function putStore(catalog: Catalog, store: Store): Applied {
  if (!catalog.bootstrapped) {
    return refused(catalog, "not_bootstrapped", "cluster is not bootstrapped");
  }
  const problem = checkNewStore(catalog.stores, catalog.clusterVersion, store);
  if (problem !== undefined) return { catalog, outcome: { type: "refused", ...problem } };
  const stores = withStore(catalog.stores, mergedStore(storeById(catalog.stores, store.id), store));
  return done({
    ...catalog,
    stores,
    clusterVersion: clusterVersionAfter(catalog.clusterVersion, stores),
  });
}

function setStoreState(catalog: Catalog, id: number, state: StoreState): Applied {
  const store = storeById(catalog.stores, id);
  if (store === undefined) {
    return refused(catalog, "unknown", `invalid store ID ${id}, not found`);
  }
  if (store.state === StoreState.Tombstone && state !== StoreState.Tombstone) {
    return refused(catalog, "store_tombstone", `store ${id} is tombstone`);
  }
  const stores = withStore(catalog.stores, mergedStore({ ...store, state }, store));
  return done({
    ...catalog,
    stores,
    clusterVersion: clusterVersionAfter(catalog.clusterVersion, stores),
  });
}

function recordRegions(registry: Registry, regions: readonly Region[]): Registry {
  let next = registry;
  for (const region of regions) next = put(next, unheard(region)) ?? next;
  return next;
}

function setExternalTimestamp(catalog: Catalog, timestamp: bigint): Applied {
  if (timestamp <= catalog.externalTimestamp) {
    return refused(catalog, "invalid_value", "the external timestamp should be larger than now");
  }
  return done({ ...catalog, externalTimestamp: timestamp });
}

function safePoint(catalog: Catalog, command: SafePointCommand): Applied {
  const result = applySafePoint(catalog.safePoints, command);
  if (!result.ok) return refused(catalog, "unknown", result.message);
  const { before, after, blocker, removed } = result;
  return {
    catalog: { ...catalog, safePoints: result.points },
    outcome: { type: "moved", before, after, blocker, removed },
  };
}

/** A cluster id drawn from `seed`. */
export function clusterIdFrom(seed: bigint): bigint {
  // The finalizer of splitmix64: seeds that differ in one bit give ids that differ in half of them.
  let z = BigInt.asUintN(64, seed + 0x9e3779b97f4a7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return ((z ^ (z >> 31n)) >> 12n) + 1n;
}

const isClusterId = (id: bigint): boolean => id > 0n && id <= BigInt(Number.MAX_SAFE_INTEGER);

const done = (catalog: Catalog): Applied => ({ catalog, outcome: DONE });

const refused = (catalog: Catalog, reason: Refusal, message: string): Applied => ({
  catalog,
  outcome: { type: "refused", reason, message },
});
