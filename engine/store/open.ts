/**
 * A store comes up on its directory: marks and tables give the applied state, the log gives each
 * group what it had beyond it, and the entries known committed are applied again.
 */
import { assert } from "../base/assert.ts";
import { idKey } from "../base/big-endian.ts";
import { type LogIndex, type PeerId, type RegionId, Ticket, type Term } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import * as tree from "../base/tree.ts";
import { createWire } from "../base/wire.ts";
import { Peer, type Region } from "../protocol/gen/metapb.ts";
import { restore } from "../raft/start.ts";
import type { Configuration, HardState } from "../raft/types.ts";
import { decodeMemberContext } from "../region/command.ts";
import { decodeConfigurationEntry } from "../raft/codec.ts";
import { configurationOf, isInitialized, peerById, peerIdOf } from "../region/descriptor.ts";
import { quarantinedBefore } from "../region/damage.ts";
import { clearRange } from "../region/destroy.ts";
import { drive } from "../region/drive.ts";
import { decodeMeta } from "../region/meta.ts";
import { raftConfig } from "../region/raft-config.ts";
import { newReplica, regionId, type Replica, withReplica } from "../region/replica.ts";
import { noReplicas, type Replicas } from "../region/registry.ts";
import { markOf } from "../region/snapshot/restore.ts";
import { decodeHead } from "../region/snapshot/head.ts";
import type { GroupMark } from "../storage/lsm/types.ts";
import { open as openStorage } from "../storage/open.ts";
import type { TableCache } from "../storage/table/cache.ts";
import type { OpenResult, Recovered, RecoveredGroup, Restored } from "../storage/types.ts";
import { emptyBucket } from "./throttle.ts";
import { settleDamage } from "./damage.ts";
import { noCollection } from "./collection/state.ts";
import type { StoreState } from "./state.ts";
import { noTransactions } from "./transactions/state.ts";
import type { StoreEffect, StoreConfig } from "./types.ts";
import { closeTurn, openTurn } from "./turn-ends.ts";
import type { StoreTurn } from "./turn.ts";

export type OpenStore =
  | { readonly ok: true; readonly state: StoreState; readonly effects: readonly StoreEffect[] }
  | Extract<OpenResult<never>, { readonly ok: false }>;

/**
 * Opens the store in the directory that `tables` reads. Perform the effects before anything else.
 */
export function open(tables: TableCache, config: StoreConfig, now: Now): OpenStore {
  const wire = createWire();
  const opened = openStorage(tables.disk, config.storage, wire);
  if (!opened.ok) return opened;
  const { recovered } = opened;
  const fresh: StoreState = {
    config,
    wire,
    identity: recovered.identity,
    registration: { type: "find_cluster" },
    storage: opened.state,
    heard: [],
    replicas: noReplicas(),
    transactions: noTransactions(),
    safePoint: undefined,
    collection: noCollection(),
    nextTicket: Ticket(1),
    durability: [],
    fileWrites: [],
    line: [],
    lineBytes: 0,
    bucket: emptyBucket(now.monotonicMs),
    raftBytes: 0,
    freeBytes: tables.disk.free(),
    retryAt: 0,
    complainedAt: Number.NEGATIVE_INFINITY,
    asked: [],
    loggedBytes: 0,
    rest: { loggedBytes: 0, since: now.monotonicMs, told: false },
    opened: opened.effects.some(({ type }) => type === "opened"),
    heartbeatAt: Number.NEGATIVE_INFINITY,
    startedSeconds: Math.floor(now.wallMs / 1000),
    trouble: undefined,
  };
  const repairs = opened.effects.filter((effect) => effect.type === "write");
  const known = readMarks(fresh, recovered.marks);
  const turn = openTurn({ ...fresh, replicas: known.replicas }, now, tables, true);
  recoverGroups(turn, known.regions, recovered.groups);
  recoverQuarantine(turn, known.regions, recovered);
  const { state, effects } = closeTurn(turn);
  return { ok: true, state, effects: [...repairs, ...effects] };
}

/** A replica as the last flush has it. */
interface Known {
  readonly region: Region;
  readonly peer: number;
  readonly applied: LogIndex;
  readonly appliedTerm: Term;
}

function readMarks(
  { wire }: StoreState,
  marks: readonly GroupMark[],
): { readonly replicas: Replicas; readonly regions: ReadonlyMap<number, Known> } {
  const regions = new Map<number, Known>();
  const none = noReplicas();
  let { tombstones } = none;
  for (const { region: id, applied, appliedTerm, meta } of marks) {
    const decoded = decodeMeta(meta, wire);
    if (decoded.type === "tombstone") {
      tombstones = tree.set(tombstones, idKey(id), decoded.tombstone);
    } else {
      regions.set(id, { region: decoded.region, peer: decoded.peer, applied, appliedTerm });
    }
  }
  return { replicas: { ...none, tombstones }, regions };
}

/**
 * Groups as the log left them. Those without a snapshot of their own come first, and apply what
 * they know committed; a snapshot came later than all that it could overlap with.
 */
function recoverGroups(
  turn: StoreTurn,
  known: ReadonlyMap<number, Known>,
  groups: readonly RecoveredGroup[],
): void {
  for (const group of groups) {
    if (group.restored === undefined) recoverKnown(turn, group, known.get(group.region));
  }
  applyCommitted(turn);
  // What the last flush has of a region may reach over others whose snapshots came before its own,
  // so all of it goes before any of them is loaded.
  for (const { region, restored } of groups) {
    if (restored !== undefined) forgetKnown(turn, region, known.get(region));
  }
  for (const group of groups) {
    if (group.restored === undefined) continue;
    recoverSnapshot(turn, group, group.restored);
    applyCommitted(turn);
  }
}

/**
 * Takes out of service again what was damaged, with all that has been split off from it since, and
 * what has been found damaged just now.
 */
function recoverQuarantine(
  turn: StoreTurn,
  known: ReadonlyMap<number, Known>,
  { quarantined, damage, groups }: Recovered,
): void {
  for (const id of quarantined) {
    const before = known.get(id)?.region;
    const replaced = groups.some(({ region, restored }) => region === id && restored !== undefined);
    if (before === undefined || replaced) continue;
    for (const replica of turn.replicas.overlapping(before.startKey, before.endKey)) {
      if (regionId(replica) !== id) turn.tree.quarantine(regionId(replica));
      const damaged = quarantinedBefore(replica, turn.now.wallMs);
      drive(turn, damaged, { type: "request_snapshot" });
    }
  }
  turn.damage.push(...damage);
  settleDamage(turn);
}

/**
 * Lets every replica apply what it knows committed; also those that a split among it makes, before
 * anything that came later is loaded. Nothing is due, so nothing else happens.
 */
function applyCommitted(turn: StoreTurn): void {
  const done = new Set<RegionId>();
  for (;;) {
    const left = turn.replicas.all().filter((replica) => !done.has(regionId(replica)));
    if (left.length === 0) return;
    for (const replica of left) {
      done.add(regionId(replica));
      drive(turn, replica, { type: "tick" });
    }
  }
}

function recoverKnown(turn: StoreTurn, group: RecoveredGroup, known: Known | undefined): void {
  if (group.tombstone !== undefined) {
    const decoded = decodeMeta(group.tombstone, turn.wire);
    if (decoded.type === "tombstone") turn.replicas.bury(decoded.tombstone);
    if (known !== undefined) clearRange(turn, known.region.startKey, known.region.endKey);
    // Votes that a later peer of the region has given before it had any data.
    if (group.hardState.term > 0) turn.replicas.sleep(group);
    return;
  }
  if (known === undefined) {
    turn.replicas.sleep(group);
    return;
  }
  const peer = peerById(known.region, known.peer as ReturnType<typeof peerIdOf>);
  turn.replicas.put(
    revive(turn, group, {
      region: known.region,
      peer: peer ?? Peer.make({ id: known.peer, storeId: turn.store }),
      applied: known.applied,
      appliedTerm: known.appliedTerm,
      configuration: configurationOf(known.region),
    }),
  );
}

/** Drops the data that the last flush has of a region which a snapshot has replaced. */
function forgetKnown(turn: StoreTurn, region: RegionId, known: Known | undefined): void {
  if (known === undefined || turn.replicas.get(region) !== undefined) return;
  if (isInitialized(known.region)) clearRange(turn, known.region.startKey, known.region.endKey);
}

/** Its tables go on top of everything applied until now, as they did before. */
function recoverSnapshot(
  turn: StoreTurn,
  group: RecoveredGroup,
  { metadata, chunks, tables }: Restored,
): void {
  const head = decodeHead(chunks[0] as Uint8Array, turn.wire);
  assert(head !== undefined, "a snapshot begins with its head");
  const { region } = head;
  const peer = region.peers.find(({ storeId }) => storeId === turn.store);
  const replica = revive(turn, group, {
    region,
    peer: peer ?? Peer.make({ storeId: turn.store }),
    applied: metadata.index,
    appliedTerm: metadata.term,
    configuration: metadata.configuration,
  });
  // The first region of a cluster begins without tables.
  if (tables.length > 0) turn.tree.ingest(tables, markOf(turn, replica));
  turn.replicas.put(replica);
}

function revive(
  turn: StoreTurn,
  group: RecoveredGroup,
  at: {
    readonly region: Region;
    readonly peer: Peer;
    readonly applied: LogIndex;
    readonly appliedTerm: Term;
    readonly configuration: Configuration;
  },
): Replica {
  const config = raftConfig(turn, group.region, peerIdOf(at.peer));
  const { truncated, entries } = group;
  const hardState = sinceBegin(group);
  const { region, peer, applied, appliedTerm, configuration } = at;
  const raft = restore(
    config,
    { hardState, truncated, entries, applied, configuration },
    turn.now.monotonicMs,
  );
  const replica = newReplica({ region, peer, raft, applied, appliedTerm, configuration });
  return withReplica(replica, { acquaintances: peersInLog(turn, group, applied) });
}

/**
 * A region that a split has made is in the term its log begins behind, before anything is written
 * of it.
 */
function sinceBegin({ hardState, truncated }: RecoveredGroup): HardState {
  if (hardState.term >= truncated.term) return hardState;
  return { term: truncated.term, vote: 0 as PeerId, commit: truncated.index };
}

/** Peers that entries beyond `applied` add: the group counts on them already. */
function peersInLog(
  turn: StoreTurn,
  { entries }: RecoveredGroup,
  applied: LogIndex,
): readonly Peer[] {
  const peers: Peer[] = [];
  for (const entry of entries) {
    if (entry.type !== "configuration" || entry.index <= applied) continue;
    const context = decodeConfigurationEntry(entry.data, turn.wire)?.change.context;
    if (context === undefined || context.length === 0) continue;
    peers.push(...decodeMemberContext(context, turn.wire).peers);
  }
  return peers;
}
