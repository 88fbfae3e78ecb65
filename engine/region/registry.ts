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

export const noReplicas = (): Replicas => ({
  byId: tree.empty(),
  byStart: tree.empty(),
  tombstones: tree.empty(),
  sleeping: tree.empty(),
});

/**
 * The replicas while one step changes them. Those touched in the step are kept aside and written
 * back at its end; most steps touch one.
 */
export class Registry {
  private byId: Replicas["byId"];
  private byStart: Replicas["byStart"];
  private tombstones: Replicas["tombstones"];
  private asleep: Replicas["sleeping"];
  /** The replica touched last, and the others before it, some of them outdated by `latest`. */
  private latest: Replica | undefined;
  private touched: Map<RegionId, Replica> | undefined;

  constructor(start: Replicas) {
    this.byId = start.byId;
    this.byStart = start.byStart;
    this.tombstones = start.tombstones;
    this.asleep = start.sleeping;
  }

  get(region: RegionId): Replica | undefined {
    const { latest } = this;
    if (latest !== undefined && regionId(latest) === region) return latest;
    return this.touched?.get(region) ?? tree.get(this.byId, idKey(region));
  }

  /** Adds or replaces. */
  put(replica: Replica): void {
    const region = regionId(replica);
    const before = this.get(region);
    if (before === replica) return;
    this.index(before, replica);
    const { latest } = this;
    if (latest !== undefined && regionId(latest) !== region) {
      this.touched ??= new Map();
      this.touched.set(regionId(latest), latest);
    }
    this.latest = replica;
  }

  remove(replica: Replica, tombstone: Tombstone): void {
    this.drop(replica);
    this.bury(tombstone);
  }

  /** Puts a replica to sleep that nobody talks to and that has no data: only its vote is kept. */
  doze(replica: Replica): void {
    const { term, vote, log } = replica.raft;
    assert(log.last === 0, "a replica that dozes has nothing to lose");
    this.drop(replica);
    this.sleep({
      region: regionId(replica),
      hardState: { term, vote, commit: log.last },
      truncated: { index: log.base, term: log.baseTerm },
      entries: [],
      restored: undefined,
      tombstone: undefined,
    });
  }

  private drop(replica: Replica): void {
    this.write();
    this.byId = tree.remove(this.byId, idKey(regionId(replica)));
    this.unindex(replica);
  }

  tombstone(region: RegionId): Tombstone | undefined {
    return tree.get(this.tombstones, idKey(region));
  }

  /** Remembers a replica that was destroyed. */
  bury(tombstone: Tombstone): void {
    this.tombstones = tree.set(this.tombstones, idKey(tombstone.region), tombstone);
  }

  sleeping(region: RegionId): RecoveredGroup | undefined {
    return tree.get(this.asleep, idKey(region));
  }

  sleep(group: RecoveredGroup): void {
    this.asleep = tree.set(this.asleep, idKey(group.region), group);
  }

  /** The split has been applied: what slept lives in a replica now. */
  awake(region: RegionId): void {
    this.asleep = tree.remove(this.asleep, idKey(region));
  }

  /** The replica whose known range holds `key`. */
  at(key: Key): Replica | undefined {
    const cursor = tree.seekBefore(this.byStart, `${key}\0` as Key);
    if (!cursor.valid) return undefined;
    const replica = this.found(cursor.value);
    const { endKey } = replica.region;
    return endKey === EMPTY_KEY || key < endKey ? replica : undefined;
  }

  /** The replica whose known range begins last before `key`. */
  before(key: Key): Replica | undefined {
    const cursor = tree.seekBefore(this.byStart, key);
    return cursor.valid ? this.found(cursor.value) : undefined;
  }

  /** Replicas whose known range shares a key with this one, in order. */
  overlapping(startKey: Key, endKey: Key): readonly Replica[] {
    const list: Replica[] = [];
    const before = tree.seekBefore(this.byStart, `${startKey}\0` as Key);
    const cursor = before.valid ? before : tree.first(this.byStart);
    for (; cursor.valid; cursor.next()) {
      const replica = this.found(cursor.value);
      if (overlaps(replica.region, { startKey, endKey })) list.push(replica);
      else if (endKey !== EMPTY_KEY && cursor.key >= endKey) break;
    }
    return list;
  }

  /** All of them as they are now, in order of region. */
  all(): readonly Replica[] {
    this.write();
    const list: Replica[] = [];
    for (const cursor = tree.first(this.byId); cursor.valid; cursor.next()) {
      list.push(cursor.value);
    }
    return list;
  }

  /** The replicas as a value, between steps. */
  done(): Replicas {
    this.write();
    const { byId, byStart, tombstones, asleep: sleeping } = this;
    return { byId, byStart, tombstones, sleeping };
  }

  private write(): void {
    const { latest, touched } = this;
    if (latest === undefined) return;
    if (touched === undefined) {
      this.byId = tree.set(this.byId, idKey(regionId(latest)), latest);
    } else {
      touched.set(regionId(latest), latest);
      const edit = tree.edit(this.byId);
      for (const [region, replica] of touched) edit.set(idKey(region), replica);
      this.byId = edit.done();
      this.touched = undefined;
    }
    this.latest = undefined;
  }

  private index(before: Replica | undefined, after: Replica): void {
    if (before?.region === after.region) return;
    if (before !== undefined) this.unindex(before);
    if (isInitialized(after.region)) {
      this.byStart = tree.set(this.byStart, after.region.startKey, regionId(after));
    }
  }

  /** A start key may already be another's: after a split the new region has its parent's. */
  private unindex({ region }: Replica): void {
    if (isInitialized(region) && tree.get(this.byStart, region.startKey) === region.id) {
      this.byStart = tree.remove(this.byStart, region.startKey);
    }
  }

  private found(region: RegionId): Replica {
    const replica = this.get(region);
    assert(replica !== undefined, "the range index names a replica");
    return replica;
  }
}
