/**
 * Replaces a replica's log and data by a snapshot that has been received whole. The record that
 * says so names the tables and holds Raft's own state: whether a crash finds it decides everything.
 */
import { assert } from "../../base/assert.ts";
import type { LogIndex, PeerId } from "../../base/ids.ts";
import type { RaftEffect, RaftInput, SnapshotMetadata } from "../../raft/types.ts";
import type { GroupMark } from "../../storage/lsm/types.ts";
import { isInitialized, peerById } from "../descriptor.ts";
import { canLeave, clearRange } from "../destroy.ts";
import { undetermined } from "../errors.ts";
import { encodeReplica } from "../meta.ts";
import { fail } from "../propose.ts";
import { logCommit } from "../records.ts";
import { type Replica, regionId, withReplica } from "../replica.ts";
import { encodeHead } from "./head.ts";
import { learnSafePoint } from "../safe-point.ts";
import { noteNews, type Turn } from "../turn.ts";

/** Whether the data of this snapshot is here and its range is still free. */
export function canRestore(turn: Turn, replica: Replica, metadata: SnapshotMetadata): boolean {
  const { incoming } = replica;
  if (incoming === undefined || !incoming.complete || !canLeave(turn, replica)) return false;
  if (incoming.index !== metadata.index || incoming.term !== metadata.term) return false;
  const { region } = incoming.head;
  return turn.replicas
    .overlapping(region.startKey, region.endKey)
    .every((other) => other.region.id === replica.region.id);
}

/** Performs Raft's order to restore. The data was checked when it came in. */
export function install(
  turn: Turn,
  replica: Replica,
  effect: Extract<RaftEffect, { type: "restore" }>,
  inputs: RaftInput[],
): Replica {
  const { incoming } = replica;
  const { hardState, metadata, entries } = effect;
  assert(incoming?.complete === true, "a snapshot is restored when all of it is here");
  assert(incoming.index === metadata.index, "the snapshot here is the one ordered");
  const region = regionId(replica);
  const { region: descriptor, tables } = incoming.head;
  // What was applied until now may be what others on this store rest on, a split above all.
  if (isInitialized(replica.region)) logCommit(turn, replica);
  turn.records.push({
    type: "restore",
    region,
    hardState,
    metadata,
    chunks: [encodeHead({ ...incoming.head, metadata, tables: [] }, turn.wire)],
    tables,
  });
  if (entries.length > 0) {
    turn.records.push({ type: "append", region, hardState: undefined, entries });
  }
  turn.persisting.push({ region, peer: replica.peer.id as PeerId, ticket: effect.ticket });
  if (isInitialized(replica.region)) {
    clearRange(turn, replica.region.startKey, replica.region.endKey);
  }
  const peer = peerById(descriptor, replica.peer.id as PeerId);
  assert(peer !== undefined, "a snapshot's region has the replica that restores it");
  const restored = withReplica(replica, {
    region: descriptor,
    peer,
    applied: metadata.index,
    appliedTerm: metadata.term,
    configuration: metadata.configuration,
    pending: dropPending(turn, replica, metadata),
    incoming: undefined,
    damaged: undefined,
    flushed: 0 as LogIndex,
  });
  turn.tree.ingest(tables, markOf(turn, restored));
  learnSafePoint(turn, incoming.head.safePoint);
  inputs.push({ type: "applied", index: metadata.index });
  noteNews(turn, region);
  return restored;
}

/** How far the replica's data goes, and what it is, as a flush remembers it. */
export const markOf = (turn: Pick<Turn, "wire">, replica: Replica): GroupMark => ({
  region: regionId(replica),
  applied: replica.applied,
  appliedTerm: replica.appliedTerm,
  meta: encodeReplica(replica.region, replica.peer.id, turn.wire),
});

/** Whether the entries these waited for are in the snapshot can't be known. */
function dropPending(turn: Turn, replica: Replica, metadata: SnapshotMetadata): Replica["pending"] {
  for (const { index, parts } of replica.pending) {
    if (index > metadata.index) continue;
    for (const part of parts) {
      fail(turn, part, undetermined("a snapshot has replaced the log this write was in"));
    }
  }
  return replica.pending.filter(({ index }) => index > metadata.index);
}
