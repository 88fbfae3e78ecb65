/**
 * Messages from other stores: to the replica they are for, which may have to be made, or may be
 * gone.
 */
import type { LogIndex, PeerId, StoreId, Term } from "../base/ids.ts";
import { Peer, type Region, RegionEpoch } from "../protocol/gen/metapb.ts";
import { restore, start } from "../raft/start.ts";
import type { RaftMessage } from "../raft/types.ts";
import {
  epochOf,
  isInitialized,
  isStale,
  overlaps,
  peerById,
  unknownRegion,
} from "../region/descriptor.ts";
import { canLeave, destroy } from "../region/destroy.ts";
import { drive } from "../region/drive.ts";
import { raftConfig } from "../region/raft-config.ts";
import { onChunk } from "../region/snapshot/receive.ts";
import { newReplica, type Replica, withReplica } from "../region/replica.ts";
import { canRestore } from "../region/snapshot/restore.ts";
import { onAck } from "../region/snapshot/send.ts";
import type { PeerRemoved, RaftEnvelope, StoreMessage } from "../region/types.ts";
import type { RecoveredGroup } from "../storage/types.ts";
import { answerQuestions } from "./transactions/reads.ts";
import { onSafeTimestamps } from "./transactions/resolving.ts";
import { onDetectorMessage } from "./transactions/telling.ts";
import { settleSent } from "./heard.ts";
import type { StoreTurn } from "./turn.ts";

export function onMessage(turn: StoreTurn, from: StoreId, message: StoreMessage): void {
  // It was meant for the store whose address this one has now: nothing here belongs to that.
  if (turn.identity === undefined) return;
  if (message.type === "detector") {
    onDetectorMessage(turn, from, message.message);
    return;
  }
  if (message.type === "safe_timestamps") {
    onSafeTimestamps(turn, message.regions);
    return;
  }
  const replica = turn.replicas.get(message.region);
  if (message.type === "raft") {
    onEnvelope(turn, from, message, replica);
    return;
  }
  if (replica === undefined || replica.peer.id !== message.to) return;
  switch (message.type) {
    case "snapshot_chunk":
      turn.replicas.put(onChunk(turn, replica, message, from));
      return;
    case "snapshot_ack":
      settleSent(turn, onAck(turn, replica, message));
      return;
    case "peer_removed":
      onRemoved(turn, replica, message);
      return;
  }
}

function onRemoved(turn: StoreTurn, replica: Replica, message: PeerRemoved): void {
  const newer = message.confVer > epochOf(replica.region).confVer;
  if (newer && canLeave(turn, replica)) destroy(turn, replica, message);
}

function onEnvelope(
  turn: StoreTurn,
  from: StoreId,
  envelope: RaftEnvelope,
  existing: Replica | undefined,
): void {
  const replica = receiverOf(turn, from, envelope, existing);
  if (replica === undefined) return;
  if (isRequest(envelope.message) && isOutsider(replica, envelope)) {
    tellRemoved(turn, from, replica, envelope);
    return;
  }
  const acquainted = withAcquaintance(withHearsay(replica, envelope), envelope.from, from);
  const { message } = envelope;
  // Raft may take a snapshot only once its data is here; the leader will offer it again.
  if (message.type === "snapshot" && !canRestore(turn, acquainted, message.metadata)) return;
  if (message.type === "read_index_request" && message.note.length > 0) {
    const note = answerQuestions(turn, message.note);
    if (note === undefined) return;
    const answered = { ...message, note };
    drive(turn, acquainted, { type: "received", from: envelope.from, message: answered });
    return;
  }
  drive(turn, acquainted, { type: "received", from: envelope.from, message });
}

/** Messages that members send of their own accord, not as answers. */
const isRequest = ({ type }: RaftMessage): boolean =>
  type === "vote_request" || type === "append_request" || type === "heartbeat_request";

/** Whether the sender is no member any more, and does not know it. */
const isOutsider = ({ region }: Replica, envelope: RaftEnvelope): boolean =>
  isInitialized(region) &&
  peerById(region, envelope.from) === undefined &&
  envelope.confVer < epochOf(region).confVer;

function tellRemoved(
  turn: StoreTurn,
  to: StoreId,
  { region, peer }: Replica,
  envelope: RaftEnvelope,
): void {
  const { confVer, version } = epochOf(region);
  turn.effects.push({
    type: "send",
    to,
    message: {
      type: "peer_removed",
      region: envelope.region,
      from: peer.id as PeerId,
      to: envelope.from,
      confVer,
      version,
    },
  });
}

/**
 * The replica that `envelope` is for, made if need be; undefined where there is none and may be
 * none.
 */
function receiverOf(
  turn: StoreTurn,
  from: StoreId,
  envelope: RaftEnvelope,
  existing: Replica | undefined,
): Replica | undefined {
  if (existing !== undefined) {
    if (existing.peer.id === envelope.to) return existing;
    if (existing.peer.id > envelope.to) return undefined;
    // The region has put a newer peer on this store, so the one that is here was removed.
    if (!isStale(epochOf(existing.region), withEpoch(existing.region, envelope))) return undefined;
    if (!canLeave(turn, existing)) return undefined;
    destroy(turn, existing, envelope);
  }
  return mayCreate(turn, envelope) ? create(turn, from, envelope) : undefined;
}

/**
 * What a store knows of a region that it has only heard of: an epoch that cannot be newer than the
 * truth.
 */
const withEpoch = (region: Region, { confVer, version }: RaftEnvelope): Region => ({
  ...region,
  regionEpoch: RegionEpoch.make({ confVer, version }),
});

function mayCreate(turn: StoreTurn, envelope: RaftEnvelope): boolean {
  if (!isRequest(envelope.message) || envelope.version === 0) return false;
  const gone = turn.replicas.tombstone(envelope.region);
  if (gone !== undefined && gone.peer >= envelope.to) return false;
  const asleep = turn.replicas.sleeping(envelope.region);
  if (asleep !== undefined && hasLog(asleep)) return false;
  // A region split off here has its range from its parent: the parent must come to that first.
  return !turn.replicas
    .overlapping(envelope.startKey, envelope.endKey)
    .some(({ region }) => overlaps(region, envelope));
}

/** Whether the group was more than heard of: then it comes from a split, and waits for it. */
export const hasLog = ({ entries, truncated }: RecoveredGroup): boolean =>
  entries.length > 0 || truncated.index > 0;

function create(turn: StoreTurn, from: StoreId, envelope: RaftEnvelope): Replica {
  const nothing = {
    index: 0 as LogIndex,
    term: 0 as Term,
    configuration: { voters: [], outgoing: [], learners: [], learnersNext: [], autoLeave: false },
  };
  const config = raftConfig(turn, envelope.region, envelope.to);
  const asleep = turn.replicas.sleeping(envelope.region);
  const now = turn.now.monotonicMs;
  turn.replicas.awake(envelope.region);
  const replica = newReplica({
    region: withEpoch(unknownRegion(envelope.region), envelope),
    peer: Peer.make({ id: envelope.to, storeId: turn.store }),
    // A vote that was given before a restart stays given.
    raft:
      asleep === undefined
        ? start(config, nothing, now)
        : restore(config, { ...asleep, ...nothing, applied: nothing.index }, now),
    applied: nothing.index,
    appliedTerm: nothing.term,
    configuration: nothing.configuration,
  });
  turn.replicas.put(replica);
  turn.effects.push({
    type: "log",
    level: "info",
    message: "replica created by a message",
    fields: { region: envelope.region, peer: envelope.to, from },
  });
  return replica;
}

/**
 * After a restart a region that was only heard of has lost its epoch; the next message brings it
 * back.
 */
function withHearsay(replica: Replica, envelope: RaftEnvelope): Replica {
  const { region } = replica;
  if (isInitialized(region) || epochOf(region).confVer > 0) return replica;
  return withReplica(replica, { region: withEpoch(region, envelope) });
}

/** Remembers where a peer lives that the descriptor does not name (yet). */
function withAcquaintance(replica: Replica, peer: PeerId, store: StoreId): Replica {
  if (peerById(replica.region, peer) !== undefined) return replica;
  const known = replica.acquaintances.find(({ id }) => id === peer);
  if (known?.storeId === store) return replica;
  const others = replica.acquaintances.filter(({ id }) => id !== peer).slice(-7);
  return withReplica(replica, {
    acquaintances: [...others, Peer.make({ id: peer, storeId: store })],
  });
}
