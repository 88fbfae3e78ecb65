/**
 * Which regions there are: by key and by id, never two over the same key. Fed by heartbeats on the
 * leader, and by commands in the replicated state, which holds the same collection without leaders.
 * A registry is a value: a new leader starts from the replicated one by keeping a reference.
 *
 * The rule it upholds: what is older never replaces what is newer, whatever order facts come in.
 */
import { idKey } from "../../base/big-endian.ts";
import type { Key } from "../../base/bytes.ts";
import { EMPTY_KEY, inRange } from "../../base/bytes.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import type { Peer, Region } from "../../protocol/gen/metapb.ts";
import type { PeerStats } from "../../protocol/gen/pdpb.ts";

/** A region and what its leader last said of it. */
export interface RegionInfo {
  readonly region: Region;
  /** Undefined until a leader has been heard of. */
  readonly leader: Peer | undefined;
  /** The region's Raft term when the leader spoke; 0 where none has. */
  readonly term: number;
  /** Peers that lag too far behind to count. */
  readonly pendingPeers: readonly Peer[];
  /** Peers that the leader has not heard from, and for how long. */
  readonly downPeers: readonly PeerStats[];
  /** Size in MiB and number of keys, as estimated by the store. */
  readonly approximateSize: number;
  readonly approximateKeys: number;
}

/** What one store carries, as far as the registry knows. */
export interface StoreLoad {
  readonly peers: number;
  readonly leaders: number;
}

export interface Registry {
  /** By start key. Ranges do not overlap; there may be holes. */
  readonly byStart: Tree<RegionInfo>;
  /** The start key of each region, by id. */
  readonly starts: Tree<Key>;
  /** By store id. */
  readonly loads: Tree<StoreLoad>;
}

export const NO_LOAD: StoreLoad = { peers: 0, leaders: 0 };

export const emptyRegistry = (): Registry => ({
  byStart: tree.empty(),
  starts: tree.empty(),
  loads: tree.empty(),
});

/** A region of which only the metadata is known. */
export const unheard = (region: Region): RegionInfo => ({
  region,
  leader: undefined,
  term: 0,
  pendingPeers: [],
  downPeers: [],
  approximateSize: 0,
  approximateKeys: 0,
});

/**
 * Takes `info` in, in place of everything it overlaps; or undefined where the registry knows better
 * or the range is empty.
 */
export function put(registry: Registry, info: RegionInfo): Registry | undefined {
  const { startKey, endKey } = info.region;
  if (endKey !== EMPTY_KEY && startKey >= endKey) return undefined;
  const origin = byId(registry, info.region.id);
  if (origin !== undefined && isOlder(info, origin)) return undefined;
  const overlapping = overlaps(registry, info.region);
  const version = versionOf(info.region);
  for (const other of overlapping) {
    if (other.region.id !== info.region.id && versionOf(other.region) > version) return undefined;
  }
  const byStart = tree.edit(registry.byStart);
  const starts = tree.edit(registry.starts);
  const loads = tree.edit(registry.loads);
  const drop = (old: RegionInfo): void => {
    byStart.remove(old.region.startKey);
    starts.remove(idKey(old.region.id));
    count(loads, old, -1);
  };
  for (const other of overlapping) drop(other);
  if (origin !== undefined && !overlapping.includes(origin)) drop(origin);
  byStart.set(info.region.startKey, info);
  starts.set(idKey(info.region.id), info.region.startKey);
  count(loads, info, 1);
  return { byStart: byStart.done(), starts: starts.done(), loads: loads.done() };
}

/** The region that holds `key`. */
export function byKey(registry: Registry, key: Key): RegionInfo | undefined {
  const cursor = tree.seek(registry.byStart, key);
  if (cursor.valid && cursor.key === key) return cursor.value;
  const before = tree.seekBefore(registry.byStart, key);
  // Nothing starts before the empty key, for which `seekBefore` means the last region.
  if (key === EMPTY_KEY || !before.valid) return undefined;
  const { region } = before.value;
  return inRange(key, region.startKey, region.endKey) ? before.value : undefined;
}

/** The region that ends where the one that holds `key` starts. */
export function beforeKey(registry: Registry, key: Key): RegionInfo | undefined {
  const start = byKey(registry, key)?.region.startKey;
  if (start === undefined || start === EMPTY_KEY) return undefined;
  const before = tree.seekBefore(registry.byStart, start);
  return before.valid && before.value.region.endKey === start ? before.value : undefined;
}

export function byId(registry: Registry, id: number): RegionInfo | undefined {
  const start = tree.get(registry.starts, idKey(id));
  return start === undefined ? undefined : tree.get(registry.byStart, start);
}

/** Regions that touch [start, end) in ascending order, at most `limit`; 0 is no limit. */
export function scan(
  registry: Registry,
  start: Key,
  end: Key,
  limit: number,
): readonly RegionInfo[] {
  const found: RegionInfo[] = [];
  const holding = byKey(registry, start);
  const from = holding === undefined ? start : holding.region.startKey;
  for (const [, info] of tree.entries(registry.byStart, from, end)) {
    if (limit > 0 && found.length === limit) break;
    found.push(info);
  }
  return found;
}

export function* all(registry: Registry): IterableIterator<RegionInfo> {
  for (const [, info] of tree.entries(registry.byStart)) yield info;
}

export const size = (registry: Registry): number => registry.byStart.size;

export const loadOf = (registry: Registry, store: number): StoreLoad =>
  tree.get(registry.loads, idKey(store)) ?? NO_LOAD;

export const versionOf = (region: Region): number => region.regionEpoch?.version ?? 0;
export const confVerOf = (region: Region): number => region.regionEpoch?.confVer ?? 0;

/**
 * Whether the epoch of `region` is in both counts at least that of `other`, and in one above it.
 */
export function isNewerEpoch(region: Region, other: Region): boolean {
  const versions = versionOf(region) - versionOf(other);
  const changes = confVerOf(region) - confVerOf(other);
  return versions >= 0 && changes >= 0 && versions + changes > 0;
}

function isOlder(info: RegionInfo, origin: RegionInfo): boolean {
  if (versionOf(info.region) < versionOf(origin.region)) return true;
  if (confVerOf(info.region) < confVerOf(origin.region)) return true;
  return info.term < origin.term && !isNewerEpoch(info.region, origin.region);
}

/** Regions that share a key with `region`, itself among them. */
function overlaps(registry: Registry, region: Region): readonly RegionInfo[] {
  return scan(registry, region.startKey, region.endKey, 0);
}

function count(loads: tree.Edit<StoreLoad>, info: RegionInfo, by: number): void {
  for (const peer of info.region.peers) {
    const load = loads.get(idKey(peer.storeId)) ?? NO_LOAD;
    const leads = info.leader !== undefined && info.leader.id === peer.id;
    loads.set(idKey(peer.storeId), {
      peers: load.peers + by,
      leaders: load.leaders + (leads ? by : 0),
    });
  }
}
