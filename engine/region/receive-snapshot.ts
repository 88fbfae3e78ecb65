/**
 * The receiving side of a snapshot: pieces are gathered in order; the last one makes it complete,
 * and Raft's own message about it then finds it here (see `restore.ts`).
 */
import { committed } from "../raft/query.ts";
import type { PeerId, StoreId } from "../base/ids.ts";
import { peerById } from "./descriptor.ts";
import { decodeHead, pairsOf } from "./pieces.ts";
import { type IncomingSnapshot, type Replica, regionId, withReplica } from "./replica.ts";
import type { Turn } from "./turn.ts";
import type { SnapshotAck, SnapshotChunk } from "./types.ts";

/** Takes one piece from store `from`, and says which it wants next. */
export function onChunk(
  turn: Turn,
  replica: Replica,
  chunk: SnapshotChunk,
  from: StoreId,
): Replica {
  const answer = (status: SnapshotAck["status"], next: number): void => {
    turn.effects.push({
      type: "send",
      to: from,
      message: {
        type: "snapshot_ack",
        region: regionId(replica),
        from: replica.peer.id as PeerId,
        to: chunk.from,
        index: chunk.index,
        attempt: chunk.attempt,
        next,
        status,
      },
    });
  };
  if (chunk.index <= committed(replica.raft) || !acceptable(turn, replica, chunk)) {
    answer("refused", 0);
    return replica;
  }
  if (isComplete(replica.incoming, chunk)) {
    answer("done", 0);
    return replica;
  }
  const latest = replica.incoming?.attempt ?? 0;
  // A piece of a transfer that was given up for a later one.
  if (chunk.attempt < latest) return replica;
  const before = chunk.attempt === latest ? replica.incoming : begin(chunk);
  if (before === undefined) {
    answer("refused", 0);
    return replica;
  }
  const wanted = before.pieces.length;
  if (chunk.sequence < wanted) {
    answer("more", wanted);
    return replica;
  }
  if (chunk.sequence > wanted) return replica;
  const incoming = {
    ...before,
    pieces: [...before.pieces, chunk.bytes.slice()],
    complete: chunk.last,
  };
  answer(chunk.last ? "done" : "more", wanted + 1);
  return withReplica(replica, { incoming });
}

/** Whether all of the snapshot is here already, by whatever transfer. */
const isComplete = (incoming: IncomingSnapshot | undefined, chunk: SnapshotChunk): boolean =>
  incoming?.complete === true && incoming.index === chunk.index && incoming.term === chunk.term;

/** A transfer begins with its first piece; undefined for any other. */
const begin = ({
  from,
  index,
  term,
  attempt,
  sequence,
}: SnapshotChunk): IncomingSnapshot | undefined =>
  sequence === 0 ? { from, index, term, attempt, pieces: [], complete: false } : undefined;

/** Whether the piece is sound, and the snapshot's range is free on this store. */
function acceptable(turn: Turn, replica: Replica, chunk: SnapshotChunk): boolean {
  if (chunk.sequence > 0) return pairsOf(chunk.bytes, turn.wire) !== undefined;
  const head = decodeHead(chunk.bytes, turn.wire);
  if (head === undefined || head.region.id !== replica.region.id) return false;
  if (peerById(head.region, replica.peer.id as PeerId) === undefined) return false;
  // Another region that still covers part of the range must first learn that it was split.
  return turn.replicas
    .overlapping(head.region.startKey, head.region.endKey)
    .every((other) => other.region.id === replica.region.id);
}
