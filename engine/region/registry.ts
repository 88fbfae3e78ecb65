/**
 * All replicas of one store: by region id, and by key range for those whose range is known. The
 * ranges are disjoint at all times.
 */
import { assert } from "../base/assert.ts";
import { idKey } from "../base/big-endian.ts";
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import type { RegionId } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import type { RecoveredGroup } from "../storage/types.ts";
import { isInitialized, overlaps } from "./descriptor.ts";
import { regionId, type Replica } from "./replica.ts";

/** As a value, between steps. */
export interface Replicas {
  readonly byId: tree.Tree<Replica>;
  /** Start keys of known ranges. */
  readonly byStart: tree.Tree<RegionId>;
  /** Of destroyed replicas: what must be remembered of them. */
  readonly tombstones: tree.Tree<Tombstone>;
  /**
   * Found on disk, but not yet made by the split that they come from: that entry is applied first.
   */
  readonly sleeping: tree.Tree<RecoveredGroup>;
}

/** A replica that was here and may not come back: this peer, or an older one of the region. */
export interface Tombstone {
  readonly region: RegionId;
  readonly peer: number;
  readonly confVer: number;
  readonly version: number;
}

/** While one step changes it. */
export interface Registry {
  get(region: RegionId): Replica | undefined;
  /** Adds or replaces. */
  put(replica: Replica): void;
  remove(replica: Replica, tombstone: Tombstone): void;
  tombstone(region: RegionId): Tombstone | undefined;
  sleeping(region: RegionId): RecoveredGroup | undefined;
  sleep(group: RecoveredGroup): void;
  /** Remembers a replica destroyed before a restart. */
  bury(tombstone: Tombstone): void;
  /** The split has been applied: what slept lives in a replica now. */
  awake(region: RegionId): void;
  /** The replica whose known range holds `key`. */
  at(key: Key): Replica | undefined;
  /** The replica whose known range begins last before `key`. */
  before(key: Key): Replica | undefined;
  /** Replicas whose known range shares a key with this one, in order. */
  overlapping(startKey: Key, endKey: Key): readonly Replica[];
  all(): readonly Replica[];
  done(): Replicas;
}

export const noReplicas = (): Replicas => ({
  byId: tree.empty(),
  byStart: tree.empty(),
  tombstones: tree.empty(),
  sleeping: tree.empty(),
});

/** Opens a registry. Replicas touched in the step are kept aside and written back at its end. */
export function openRegistry(start: Replicas): Registry {
  let { byId, byStart, tombstones, sleeping } = start;
  const touched = new Map<RegionId, Replica>();
  const get = (region: RegionId): Replica | undefined =>
    touched.get(region) ?? tree.get(byId, idKey(region));

  const write = (): void => {
    if (touched.size === 0) return;
    const edit = tree.edit(byId);
    for (const [region, replica] of touched) edit.set(idKey(region), replica);
    byId = edit.done();
    touched.clear();
  };

  /** A start key may already be another's: after a split the new region has its parent's. */
  const unindex = ({ region }: Replica): void => {
    if (isInitialized(region) && tree.get(byStart, region.startKey) === region.id) {
      byStart = tree.remove(byStart, region.startKey);
    }
  };

  const index = (before: Replica | undefined, after: Replica): void => {
    if (before?.region === after.region) return;
    if (before !== undefined) unindex(before);
    if (isInitialized(after.region)) {
      byStart = tree.set(byStart, after.region.startKey, regionId(after));
    }
  };

  const found = (region: RegionId): Replica => {
    const replica = get(region);
    assert(replica !== undefined, "the range index names a replica");
    return replica;
  };

  return {
    get,
    put(replica) {
      index(get(regionId(replica)), replica);
      touched.set(regionId(replica), replica);
    },
    remove(replica, tombstone) {
      const region = regionId(replica);
      touched.delete(region);
      byId = tree.remove(byId, idKey(region));
      unindex(replica);
      tombstones = tree.set(tombstones, idKey(region), tombstone);
    },
    tombstone: (region) => tree.get(tombstones, idKey(region)),
    sleeping: (region) => tree.get(sleeping, idKey(region)),
    sleep(group) {
      sleeping = tree.set(sleeping, idKey(group.region), group);
    },
    bury(tombstone) {
      tombstones = tree.set(tombstones, idKey(tombstone.region), tombstone);
    },
    awake(region) {
      sleeping = tree.remove(sleeping, idKey(region));
    },
    at(key) {
      const cursor = tree.seekBefore(byStart, `${key}\0` as Key);
      if (!cursor.valid) return undefined;
      const replica = found(cursor.value);
      const { endKey } = replica.region;
      return endKey === EMPTY_KEY || key < endKey ? replica : undefined;
    },
    before(key) {
      const cursor = tree.seekBefore(byStart, key);
      return cursor.valid ? found(cursor.value) : undefined;
    },
    overlapping(startKey, endKey) {
      const list: Replica[] = [];
      const before = tree.seekBefore(byStart, `${startKey}\0` as Key);
      const cursor = before.valid ? before : tree.first(byStart);
      for (; cursor.valid; cursor.next()) {
        const replica = found(cursor.value);
        if (overlaps(replica.region, { startKey, endKey })) list.push(replica);
        else if (endKey !== EMPTY_KEY && cursor.key >= endKey) break;
      }
      return list;
    },
    all() {
      write();
      return [...tree.entries(byId)].map(([, replica]) => replica);
    },
    done() {
      write();
      return { byId, byStart, tombstones, sleeping };
    },
  };
}
