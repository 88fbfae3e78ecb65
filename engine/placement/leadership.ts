/**
 * What a member holds in memory only while it leads: timestamps, reserved ids, what stores and
 * regions have reported, who waits for an answer. It is one value that is made when leadership is
 * won and dropped whole when it is lost, so that nothing of an old leadership can outlive it.
 */
import { idKey } from "../base/big-endian.ts";
import { assert } from "../base/assert.ts";
import type { LogIndex, Term, Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import { Peer, PeerRole, StoreState } from "../protocol/gen/metapb.ts";
import type { Store } from "../protocol/gen/metapb.ts";
import type { StoreStats } from "../protocol/gen/pdpb.ts";
import type { PlacementCall } from "./types.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { StoreHealth, StoreView } from "./checker.ts";
import type { PlacementConfig } from "./config.ts";
import type { Operator } from "./operator.ts";
import { begin } from "./oracle.ts";
import type { Oracle } from "./oracle.ts";
import { loadOf } from "./catalog/registry.ts";
import type { Registry, RegionInfo } from "./catalog/registry.ts";

/** Ids [next, end) are this leadership's to hand out. */
export interface ReservedIds {
  readonly next: number;
  readonly end: number;
  /** How many a call is waiting for; 0 for none. */
  readonly wanted: number;
  /** Whether a reservation is on its way through the log. */
  readonly asked: boolean;
}

/** The last heartbeat of a store. */
export interface Heard {
  /** The monotonic clock at that time. */
  readonly atMs: number;
  readonly stats: StoreStats;
}

/** What is to be done when the entry at `index` is applied. */
export interface Waiter {
  readonly index: LogIndex;
  readonly purpose: Purpose;
}

export type Purpose =
  | { readonly type: "call"; readonly ticket: Ticket; readonly call: PlacementCall }
  | { readonly type: "admin"; readonly ticket: Ticket }
  | { readonly type: "cluster" }
  | { readonly type: "window"; readonly end: number }
  | { readonly type: "ids" }
  | { readonly type: "regions"; readonly ids: readonly number[] };

/** A call that the leader cannot answer yet. */
export interface Held {
  readonly ticket: Ticket;
  readonly call: PlacementCall;
  readonly sinceMs: number;
}

export interface Leadership {
  readonly term: Term;
  /**
   * The monotonic clock when it was won: stores that have not been heard of since count from here.
   */
  readonly sinceMs: number;
  /**
   * Whether an entry of this term is applied, so that the catalog holds all that was ever
   * committed.
   */
  readonly ready: boolean;
  readonly oracle: Oracle;
  readonly ids: ReservedIds;
  readonly registry: Registry;
  /** By region. */
  readonly operators: Tree<Operator>;
  /** By store. */
  readonly heard: Tree<Heard>;
  /** By store: the timestamp up to which it has told that its data are settled. */
  readonly resolved: Tree<bigint>;
  /** Whether a cluster id is on its way through the log. */
  readonly drawing: boolean;
  /** Regions of which the registry knows more than the catalog. */
  readonly unrecorded: ReadonlySet<number>;
  /** Whether some of them are on their way through the log. */
  readonly recording: boolean;
  /** In ascending order of index. */
  readonly waiters: readonly Waiter[];
  /** In the order in which they came. */
  readonly held: readonly Held[];
}

/** A leadership just won: it answers nothing until `ready`. */
export function win(term: Term, catalog: Catalog, now: Now): Leadership {
  return {
    term,
    sinceMs: now.monotonicMs,
    ready: false,
    oracle: begin(catalog.windowEnd, now),
    ids: { next: 0, end: 0, wanted: 0, asked: false },
    registry: catalog.regions,
    operators: tree.empty(),
    heard: tree.empty(),
    resolved: tree.empty(),
    drawing: false,
    unrecorded: new Set(),
    recording: false,
    waiters: [],
    held: [],
  };
}

/** The leadership once an entry of its own term is applied: only now the catalog is complete. */
export function makeReady(leadership: Leadership, catalog: Catalog, now: Now): Leadership {
  assert(!leadership.ready, "a leadership becomes ready once");
  return {
    ...leadership,
    ready: true,
    oracle: begin(catalog.windowEnd, now),
    registry: catalog.regions,
  };
}

/**
 * With what every request for timestamps changes. Written out in full, as the next one: a spread
 * costs ten times more.
 */
export function withHeld(leadership: Leadership, held: readonly Held[]): Leadership {
  return {
    term: leadership.term,
    sinceMs: leadership.sinceMs,
    ready: leadership.ready,
    oracle: leadership.oracle,
    ids: leadership.ids,
    registry: leadership.registry,
    operators: leadership.operators,
    heard: leadership.heard,
    resolved: leadership.resolved,
    drawing: leadership.drawing,
    unrecorded: leadership.unrecorded,
    recording: leadership.recording,
    waiters: leadership.waiters,
    held,
  };
}

/** With the oracle gone on. */
export function withOracle(leadership: Leadership, oracle: Oracle): Leadership {
  if (oracle === leadership.oracle) return leadership;
  return {
    term: leadership.term,
    sinceMs: leadership.sinceMs,
    ready: leadership.ready,
    oracle,
    ids: leadership.ids,
    registry: leadership.registry,
    operators: leadership.operators,
    heard: leadership.heard,
    resolved: leadership.resolved,
    drawing: leadership.drawing,
    unrecorded: leadership.unrecorded,
    recording: leadership.recording,
    waiters: leadership.waiters,
    held: leadership.held,
  };
}

/** How the stores look to the checker. */
export function storeViews(
  leadership: Leadership,
  catalog: Catalog,
  config: PlacementConfig,
  nowMs: number,
): readonly StoreView[] {
  return catalog.stores.map((store) => ({
    id: store.id,
    health: healthOf(leadership, store, config, nowMs),
    peers: loadOf(leadership.registry, store.id).peers,
  }));
}

export function healthOf(
  leadership: Leadership,
  store: Store,
  config: PlacementConfig,
  nowMs: number,
): StoreHealth {
  if (store.state === StoreState.Tombstone) return "gone";
  if (store.state === StoreState.Offline) return "offline";
  const heard = tree.get(leadership.heard, idKey(store.id))?.atMs ?? leadership.sinceMs;
  const silentMs = nowMs - heard;
  if (silentMs >= config.storeDownMs) return "down";
  return silentMs >= config.storeDisconnectedMs ? "disconnected" : "up";
}

/** The operator of `region` that is still to be carried out. */
export function runningOperator(leadership: Leadership, region: number): Operator | undefined {
  const operator = tree.get(leadership.operators, idKey(region));
  return operator?.status === "running" ? operator : undefined;
}

export const withOperator = (leadership: Leadership, operator: Operator): Leadership => ({
  ...leadership,
  operators: tree.set(leadership.operators, idKey(operator.region), operator),
});

/** The first of `count` fresh ids, or undefined where more have to be reserved first. */
export function takeIds(
  leadership: Leadership,
  count: number,
): { readonly leadership: Leadership; readonly first: number | undefined } {
  assert(count > 0, "ids are taken one or more at a time");
  const { ids } = leadership;
  if (ids.end - ids.next < count) {
    const wanted = Math.max(ids.wanted, count);
    return { leadership: { ...leadership, ids: { ...ids, wanted } }, first: undefined };
  }
  const taken = { ...ids, next: ids.next + count };
  return { leadership: { ...leadership, ids: taken }, first: ids.next };
}

/**
 * The ids [first, first + count) are reserved, and border on what is left of the last reservation.
 */
export function withIds(leadership: Leadership, first: number, count: number): Leadership {
  const { next, end } = leadership.ids;
  // Nobody else reserves while this leadership lasts.
  assert(end === 0 || end === first, "the reservations of one leadership follow each other");
  const ids = { next: end === 0 ? first : next, end: first + count, wanted: 0, asked: false };
  return { ...leadership, ids };
}

/** A new peer for `store`, as a learner. */
export const newLearner = (id: number, store: number): Peer =>
  Peer.make({ id, storeId: store, role: PeerRole.Learner });

/** Whether the catalog lacks what `info` says of its region's range or peers. */
export function isUnrecorded(recorded: RegionInfo | undefined, info: RegionInfo): boolean {
  const known = recorded?.region.regionEpoch;
  const { regionEpoch } = info.region;
  return (
    known === undefined ||
    known.version !== regionEpoch?.version ||
    known.confVer !== regionEpoch.confVer
  );
}
