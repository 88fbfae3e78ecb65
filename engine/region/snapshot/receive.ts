/**
 * The receiving side of a snapshot. Pieces are appended to tables of this store's own as they come,
 * and acknowledged when they are written, so that no more than one is in memory. When all are here,
 * checked and durable, the snapshot is complete, and Raft's own message about it finds it so (see
 * `restore.ts`). Until a `restore` record names them the tables are nobody's: a crash leaves files
 * that the next start removes.
 */
import { crc32 } from "../../base/checksum.ts";
import type { PeerId, StoreId, Ticket } from "../../base/ids.ts";
import { committed, isLacking } from "../../raft/query.ts";
import type { DiskOperation } from "../../storage/disk.ts";
import { tableFile } from "../../storage/table/file.ts";
import { peerById } from "../descriptor.ts";
import { type IncomingSnapshot, type Replica, regionId, withReplica } from "../replica.ts";
import { decodeHead } from "./head.ts";
import type { Turn } from "../turn.ts";
import type { SnapshotAck, SnapshotChunk } from "../types.ts";

/** Takes one piece from store `from`, and says which it wants next. */
export function onChunk(
  turn: Turn,
  replica: Replica,
  chunk: SnapshotChunk,
  from: StoreId,
): Replica {
  const answer = (status: SnapshotAck["status"], next: number): void =>
    acknowledge(turn, replica, chunk, from, status, next);
  if (!isWanted(replica, chunk)) {
    answer("refused", 0);
    return replica;
  }
  const { incoming } = replica;
  if (incoming !== undefined && isComplete(incoming, chunk)) {
    if (isFree(turn, replica, incoming.head)) {
      answer("done", 0);
      return replica;
    }
    // Another region has taken a part of its range meanwhile: a later snapshot leaves that out.
    answer("refused", 0);
    return withoutIncoming(turn, replica);
  }
  const latest = incoming?.attempt ?? 0;
  // A piece of a transfer that was given up for a later one.
  if (chunk.attempt < latest) return replica;
  if (incoming === undefined || chunk.attempt > latest) {
    if (chunk.sequence === 0) return begin(turn, replica, chunk, from);
    // Its beginning is lost, in a restart perhaps.
    answer("more", 0);
    return replica;
  }
  if (incoming.writing !== undefined || chunk.sequence > incoming.wanted) return replica;
  if (chunk.sequence < incoming.wanted) {
    answer("more", incoming.wanted);
    return replica;
  }
  return take(turn, replica, incoming, chunk, from);
}

function acknowledge(
  turn: Turn,
  replica: Replica,
  { from: to, index, attempt }: Pick<SnapshotChunk, "from" | "index" | "attempt">,
  store: StoreId,
  status: SnapshotAck["status"],
  next: number,
): void {
  const region = regionId(replica);
  const from = replica.peer.id as PeerId;
  turn.effects.push({
    type: "send",
    to: store,
    message: { type: "snapshot_ack", region, from, to, index, attempt, next, status },
  });
}

/** Whether the replica can use a snapshot at this index. One without data can use its own. */
const isWanted = ({ raft, applied }: Replica, { index }: SnapshotChunk): boolean =>
  isLacking(raft) ? index >= applied : index > committed(raft);

/** Whether all of the snapshot is here already, by whatever transfer. */
const isComplete = (incoming: IncomingSnapshot, chunk: SnapshotChunk): boolean =>
  incoming.complete && incoming.index === chunk.index && incoming.term === chunk.term;

/** A transfer begins with the head: files for its tables, in the place of an earlier transfer. */
function begin(turn: Turn, replica: Replica, chunk: SnapshotChunk, from: StoreId): Replica {
  const head = decodeHead(chunk.bytes, turn.wire);
  if (head?.metadata.index !== chunk.index || !isFree(turn, replica, head)) {
    acknowledge(turn, replica, chunk, from, "refused", 0);
    return replica;
  }
  const free = withoutIncoming(turn, replica);
  const tables = head.tables.map((table) => ({ ...table, number: turn.tree.reserve() }));
  const operations: DiskOperation[] = tables.map(({ number }) => ({
    type: "create",
    file: tableFile(number),
  }));
  if (tables.length === 0) operations.push({ type: "sync_directory" });
  const ticket = turn.tree.files(regionId(replica), operations);
  return withReplica(free, {
    incoming: {
      from: chunk.from,
      index: chunk.index,
      term: chunk.term,
      attempt: chunk.attempt,
      head: { ...head, tables },
      wanted: 1,
      table: 0,
      received: 0,
      crc32: 0,
      writing: { ticket, to: from },
      complete: false,
    },
  });
}

/** Whether the snapshot is of this replica's region, and its range is no other's on this store. */
function isFree(
  turn: Turn,
  replica: Replica,
  { region }: { readonly region: Replica["region"] },
): boolean {
  if (region.id !== replica.region.id) return false;
  if (peerById(region, replica.peer.id as PeerId) === undefined) return false;
  // Another region that still covers part of the range must first learn that it was split.
  return turn.replicas
    .overlapping(region.startKey, region.endKey)
    .every((other) => other.region.id === replica.region.id);
}

/** Appends the piece to its table. A table that is whole must be what the head says. */
function take(
  turn: Turn,
  replica: Replica,
  incoming: IncomingSnapshot,
  { bytes, last }: SnapshotChunk,
  from: StoreId,
): Replica {
  const { tables } = incoming.head;
  const table = tables[incoming.table];
  const received = incoming.received + bytes.length;
  const running = crc32(bytes, 0, bytes.length, incoming.crc32);
  const isWhole = received === table?.size;
  const isLast = isWhole && incoming.table + 1 === tables.length;
  const isSound =
    table !== undefined &&
    bytes.length > 0 &&
    received <= table.size &&
    last === isLast &&
    (!isWhole || running === table.crc32);
  if (!isSound) {
    acknowledge(turn, replica, incoming, from, "refused", 0);
    return withoutIncoming(turn, replica);
  }
  const file = tableFile(table.number);
  // The message's buffer is kept no longer than the write.
  const operations: DiskOperation[] = [{ type: "append", file, bytes }];
  if (isWhole) operations.push({ type: "sync", file });
  if (isLast) operations.push({ type: "sync_directory" });
  const ticket = turn.tree.files(regionId(replica), operations);
  return withReplica(replica, {
    incoming: {
      from: incoming.from,
      index: incoming.index,
      term: incoming.term,
      attempt: incoming.attempt,
      head: incoming.head,
      wanted: incoming.wanted + 1,
      table: isWhole ? incoming.table + 1 : incoming.table,
      received: isWhole ? 0 : received,
      crc32: isWhole ? 0 : running,
      writing: { ticket, to: from },
      complete: false,
    },
  });
}

/** What was handed to the disk under `ticket` is written: the sender may go on. */
export function onFilesWritten(turn: Turn, replica: Replica, ticket: Ticket): Replica {
  const { incoming } = replica;
  if (incoming?.writing?.ticket !== ticket) return replica;
  const { to } = incoming.writing;
  const complete = incoming.table === incoming.head.tables.length;
  const status = complete ? "done" : "more";
  acknowledge(turn, replica, incoming, to, status, incoming.wanted);
  return withReplica(replica, { incoming: { ...incoming, writing: undefined, complete } });
}

/** The disk has refused: the transfer ends, and is asked for again later. */
export function onFilesFailed(turn: Turn, replica: Replica, ticket: Ticket): Replica {
  const { incoming } = replica;
  if (incoming?.writing?.ticket !== ticket) return replica;
  const { to } = incoming.writing;
  acknowledge(turn, replica, incoming, to, "refused", 0);
  return withoutIncoming(turn, replica);
}

/** Gives up what is being received, if anything is. */
export function withoutIncoming(turn: Turn, replica: Replica): Replica {
  const { incoming } = replica;
  if (incoming === undefined) return replica;
  turn.tree.discard(incoming.head.tables.map(({ number }) => number));
  return withReplica(replica, { incoming: undefined });
}
