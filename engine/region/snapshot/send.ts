/**
 * The sending side of a snapshot. The tables are made once (see `extraction.ts`); then each
 * follower gets them one piece at a time, each acknowledged, each sent again where the answer does
 * not come. A piece is read from the disk whenever it is sent, so a transfer keeps nothing in
 * memory.
 */
import type { LogIndex, PeerId, Term } from "../../base/ids.ts";
import { isLeader, term } from "../../raft/query.ts";
import type { RaftInput } from "../../raft/types.ts";
import { tableFile } from "../../storage/table/file.ts";
import { sendMessage } from "../envelope.ts";
import {
  ended,
  isCurrent,
  isEnoughFor,
  pursueExtraction,
  type Sent,
  withoutExtraction,
} from "./extraction.ts";
import {
  type OutgoingSnapshot,
  type Replica,
  regionId,
  type Sending,
  storeOf,
  withReplica,
} from "../replica.ts";
import { encodeHead, pieceAt, pieceCount, type SnapshotHead } from "./head.ts";
import type { Turn } from "../turn.ts";
import type { SnapshotAck } from "../types.ts";

const NOTHING: readonly RaftInput[] = [];

/** Raft wants a snapshot at or above `atLeast` to be sent to `to`. */
export function startSending(turn: Turn, replica: Replica, to: PeerId, atLeast: LogIndex): Sent {
  const known = replica.outgoing.find((other) => other.to === to);
  if (known !== undefined && (known.sending !== undefined || known.atLeast >= atLeast)) {
    return { replica, inputs: NOTHING };
  }
  const wanted: OutgoingSnapshot = { to, atLeast, sending: undefined };
  const waiting = withOutgoing(replica, known, wanted);
  // Nobody may learn from data that cannot be known.
  if (replica.damaged !== undefined) return giveUp(waiting, wanted);
  return pursueSending(turn, waiting);
}

/** Begins what can begin, and asks for tables where some are missing. */
export function pursueSending(turn: Turn, replica: Replica): Sent {
  let current = pursueExtraction(turn, replica);
  const inputs: RaftInput[] = [];
  const made = current.extraction?.made;
  // Only a leader begins: the number of a transfer counts on the clock of its term's one leader.
  const mayBegin = made !== undefined && isLeader(current.raft) && isCurrent(current, made);
  if (!mayBegin) return { replica: current, inputs };
  for (const snapshot of current.outgoing) {
    const { index, term: at } = made.metadata;
    if (snapshot.sending !== undefined || !isEnoughFor(snapshot, made.region, index)) continue;
    const now = turn.now.monotonicMs;
    const attempt = attemptAt(term(current.raft), now);
    const sending = { index, term: at, attempt, sequence: 0, cutAt: now, sentAt: now };
    const begun = { ...snapshot, sending };
    current = withOutgoing(current, snapshot, begun);
    current = sendPiece(turn, current, begun.to, sending, inputs);
  }
  return { replica: current, inputs };
}

/** Ascends: where a restart has set the clock back, an election has raised the term. */
const attemptAt = (leaderTerm: Term, nowMs: number): number =>
  leaderTerm * 2 ** 32 + (Math.floor(nowMs) % 2 ** 32);

/** Sends the piece under way; where it cannot be read, all transfers of these tables end. */
function sendPiece(
  turn: Turn,
  replica: Replica,
  to: PeerId,
  { index, term: at, attempt, sequence }: Sending,
  inputs: RaftInput[],
): Replica {
  const store = storeOf(replica, to);
  const made = replica.extraction?.made;
  if (store === undefined || made === undefined) return replica;
  const bytes = pieceOf(turn, made, sequence);
  if (bytes === undefined) {
    const ended = withoutExtraction(turn, replica);
    inputs.push(...ended.inputs);
    return ended.replica;
  }
  turn.effects.push({
    type: "send",
    to: store,
    message: {
      type: "snapshot_chunk",
      region: regionId(replica),
      from: replica.peer.id as PeerId,
      to,
      index,
      term: at,
      attempt,
      sequence,
      last: sequence === pieceCount(made.tables, turn.config.chunkBytes),
      bytes,
    },
  });
  return replica;
}

function pieceOf(turn: Turn, made: SnapshotHead, sequence: number): Uint8Array | undefined {
  if (sequence === 0) return encodeHead(made, turn.wire);
  const place = pieceAt(made.tables, sequence, turn.config.chunkBytes);
  if (place === undefined) return undefined;
  const { table, offset, length } = place;
  const read = turn.tables.disk.read(tableFile(table.number), offset, length);
  return read.ok && read.bytes.length === length ? read.bytes : undefined;
}

/** Goes on after the receiver's answer. */
export function onAck(turn: Turn, replica: Replica, ack: SnapshotAck): Sent {
  const snapshot = replica.outgoing.find(
    ({ to, sending }) => to === ack.from && sending?.attempt === ack.attempt,
  );
  const made = replica.extraction?.made;
  if (snapshot?.sending === undefined || made === undefined) return { replica, inputs: NOTHING };
  const { sending } = snapshot;
  if (ack.status === "more") {
    // 0: the receiver has lost what it had, in a restart.
    const isNext = ack.next > sending.sequence || ack.next === 0;
    if (!isNext || ack.next > pieceCount(made.tables, turn.config.chunkBytes)) {
      return { replica, inputs: NOTHING };
    }
    const now = turn.now.monotonicMs;
    const next = { ...sending, sequence: ack.next, cutAt: now, sentAt: now };
    const inputs: RaftInput[] = [];
    const moved = withOutgoing(replica, snapshot, { ...snapshot, sending: next });
    return { replica: sendPiece(turn, moved, snapshot.to, next, inputs), inputs };
  }
  if (ack.status === "refused") {
    // For whatever reason: the next transfer gets tables made anew.
    const left = giveUp(replica, snapshot);
    if (left.replica.outgoing.some((other) => other.sending !== undefined)) return left;
    const ended = withoutExtraction(turn, left.replica);
    return { replica: ended.replica, inputs: [...left.inputs, ...ended.inputs] };
  }
  // Who has lost its leadership meanwhile may not speak in the term of the next leader.
  if (isLeader(replica.raft)) {
    const { metadata } = made;
    sendMessage(turn, replica, snapshot.to, {
      type: "snapshot",
      term: term(replica.raft),
      metadata,
    });
  }
  const input = ended(snapshot, true);
  return { replica: withOutgoing(replica, snapshot, undefined), inputs: [input] };
}

const giveUp = (replica: Replica, snapshot: OutgoingSnapshot): Sent => ({
  replica: withOutgoing(replica, snapshot, undefined),
  inputs: [ended(snapshot, false)],
});

function withOutgoing(
  replica: Replica,
  before: OutgoingSnapshot | undefined,
  after: OutgoingSnapshot | undefined,
): Replica {
  const others = replica.outgoing.filter((other) => other !== before);
  return withReplica(replica, { outgoing: after === undefined ? others : [...others, after] });
}

/** Sends again what was not answered, gives up what never is, begins what has waited. */
export function tickSending(turn: Turn, replica: Replica): Sent {
  const now = turn.now.monotonicMs;
  const { snapshotGiveUpMs, chunkRetryMs } = turn.config;
  const inputs: RaftInput[] = [];
  let current = replica;
  for (const snapshot of replica.outgoing) {
    const { sending, to } = snapshot;
    if (sending === undefined) {
      // Whoever leads now is asked by those who need something.
      if (!isLeader(replica.raft)) current = withOutgoing(current, snapshot, undefined);
      continue;
    }
    if (now - sending.cutAt > snapshotGiveUpMs) {
      current = withOutgoing(current, snapshot, undefined);
      inputs.push(ended(snapshot, false));
    } else if (now - sending.sentAt > chunkRetryMs) {
      const again = { ...sending, sentAt: now };
      current = withOutgoing(current, snapshot, { ...snapshot, sending: again });
      current = sendPiece(turn, current, to, again, inputs);
    }
  }
  const next = pursueSending(turn, current);
  return { replica: next.replica, inputs: [...inputs, ...next.inputs] };
}
