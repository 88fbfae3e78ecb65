/** Replaces a replica's log and data by a snapshot that has been received whole. */
import { assert } from "../base/assert.ts";
import type { PeerId } from "../base/ids.ts";
import type { RaftEffect, RaftInput, SnapshotMetadata } from "../raft/types.ts";
import { isInitialized, peerById } from "./descriptor.ts";
import { canLeave, clearRange } from "./destroy.ts";
import { undetermined } from "./errors.ts";
import { decodeHead, pairsOf, type SnapshotHead } from "./pieces.ts";
import { fail } from "./propose.ts";
import { logCommit } from "./records.ts";
import { type Replica, regionId, withReplica } from "./replica.ts";
import { noteNews, type Turn } from "./turn.ts";

/** Whether the data of this snapshot is here and its range is still free. */
export function canRestore(turn: Turn, replica: Replica, metadata: SnapshotMetadata): boolean {
  const { incoming } = replica;
  if (incoming === undefined || !incoming.complete || !canLeave(turn, replica)) return false;
  if (incoming.index !== metadata.index || incoming.term !== metadata.term) return false;
  const head = decodeHead(incoming.pieces[0] as Uint8Array, turn.wire);
  return (
    head !== undefined &&
    turn.replicas
      .overlapping(head.region.startKey, head.region.endKey)
      .every((other) => other.region.id === replica.region.id)
  );
}

/** Performs Raft's order to restore. The data was checked when it came in. */
export function install(
  turn: Turn,
  replica: Replica,
  effect: Extract<RaftEffect, { type: "restore" }>,
  inputs: RaftInput[],
): Replica {
  const { incoming } = replica;
  assert(incoming?.complete === true, "a snapshot is restored when all of it is here");
  assert(incoming.index === effect.metadata.index, "the snapshot here is the one ordered");
  const region = regionId(replica);
  // What was applied until now may be what others on this store rest on, a split above all.
  if (isInitialized(replica.region)) logCommit(turn, replica);
  turn.records.push({
    type: "restore",
    region,
    hardState: effect.hardState,
    metadata: effect.metadata,
    chunks: incoming.pieces,
    tables: [],
  });
  if (effect.entries.length > 0) {
    turn.records.push({ type: "append", region, hardState: undefined, entries: effect.entries });
  }
  turn.persisting.push({ region, peer: replica.peer.id as PeerId, ticket: effect.ticket });
  if (isInitialized(replica.region)) {
    clearRange(turn, replica.region.startKey, replica.region.endKey);
  }
  const head = load(turn, incoming.pieces);
  const peer = peerById(head.region, replica.peer.id as PeerId);
  assert(peer !== undefined, "a snapshot's region has the replica that restores it");
  inputs.push({ type: "applied", index: effect.metadata.index });
  noteNews(turn, region);
  return withReplica(replica, {
    region: head.region,
    peer,
    applied: effect.metadata.index,
    appliedTerm: effect.metadata.term,
    configuration: effect.metadata.configuration,
    pending: dropPending(turn, replica, effect.metadata),
    incoming: undefined,
  });
}

/** Fills the region's range with what the pieces hold; returns the head. */
export function load(
  turn: Pick<Turn, "data" | "wire">,
  pieces: readonly Uint8Array[],
): SnapshotHead {
  const head = decodeHead(pieces[0] as Uint8Array, turn.wire);
  assert(head !== undefined, "a snapshot begins with its head");
  clearRange(turn, head.region.startKey, head.region.endKey);
  for (const piece of pieces.slice(1)) {
    const operations = pairsOf(piece, turn.wire);
    assert(operations !== undefined, "a snapshot's pieces are sound");
    for (const operation of operations) turn.data.perform(operation);
  }
  return head;
}

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
