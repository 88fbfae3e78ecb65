/**
 * The sending side of a snapshot: one piece at a time, each acknowledged, each sent again where the
 * answer does not come. The instant is a reference to persistent trees, so keeping it costs nothing
 * but the pairs that have changed since.
 */
import type { PeerId } from "../base/ids.ts";
import type { RaftInput } from "../raft/types.ts";
import { isLeader, term } from "../raft/query.ts";
import { sendMessage } from "./envelope.ts";
import { cutPiece, encodeHead, startOf } from "./pieces.ts";
import { type OutgoingSnapshot, type Replica, regionId, storeOf, withReplica } from "./replica.ts";
import type { Turn } from "./turn.ts";
import type { SnapshotAck } from "./types.ts";

/** Begins to send what the replica has applied by now to `to`, unless that is under way. */
export function startSending(turn: Turn, replica: Replica, to: PeerId): Replica {
  if (replica.outgoing.some((other) => other.to === to)) return replica;
  const { region, applied: index, appliedTerm, configuration } = replica;
  const metadata = { index, term: appliedTerm, configuration };
  const snapshot: OutgoingSnapshot = {
    to,
    metadata,
    region,
    view: turn.data.snapshot(),
    sequence: 0,
    piece: encodeHead({ region, metadata }, turn.wire),
    last: false,
    position: startOf(region),
    attempt: attemptAt(term(replica.raft), turn.now.monotonicMs),
    cutAt: turn.now.monotonicMs,
    sentAt: turn.now.monotonicMs,
  };
  sendPiece(turn, replica, snapshot);
  return withReplica(replica, { outgoing: [...replica.outgoing, snapshot] });
}

/** Ascends: where a restart has set the clock back, an election has raised the term. */
const attemptAt = (leaderTerm: number, nowMs: number): number =>
  leaderTerm * 2 ** 32 + (Math.floor(nowMs) % 2 ** 32);

function sendPiece(turn: Turn, replica: Replica, snapshot: OutgoingSnapshot): void {
  const store = storeOf(replica, snapshot.to);
  if (store === undefined) return;
  turn.effects.push({
    type: "send",
    to: store,
    message: {
      type: "snapshot_chunk",
      region: regionId(replica),
      from: replica.peer.id as PeerId,
      to: snapshot.to,
      index: snapshot.metadata.index,
      term: snapshot.metadata.term,
      attempt: snapshot.attempt,
      sequence: snapshot.sequence,
      last: snapshot.last,
      bytes: snapshot.piece,
    },
  });
}

/** Goes on after the receiver's answer. Returns what Raft must hear, if the transfer has ended. */
export function onAck(
  turn: Turn,
  replica: Replica,
  ack: SnapshotAck,
): { readonly replica: Replica; readonly input: RaftInput | undefined } {
  const snapshot = replica.outgoing.find(
    (other) => other.to === ack.from && other.attempt === ack.attempt,
  );
  if (snapshot === undefined) return { replica, input: undefined };
  if (ack.status === "more") {
    if (ack.next !== snapshot.sequence + 1) return { replica, input: undefined };
    const next = withNextPiece(turn, snapshot);
    sendPiece(turn, replica, next);
    return { replica: withOutgoing(replica, snapshot, next), input: undefined };
  }
  const done = ack.status === "done";
  // Who has lost its leadership meanwhile may not speak in the term of the next leader.
  if (done && isLeader(replica.raft)) offer(turn, replica, snapshot);
  return { replica: withOutgoing(replica, snapshot, undefined), input: ended(snapshot, done) };
}

function withNextPiece(turn: Turn, snapshot: OutgoingSnapshot): OutgoingSnapshot {
  const { view, region, position } = snapshot;
  const { bytes, ...rest } = cutPiece(view, region, position, turn.config.chunkBytes, turn.wire);
  return {
    ...snapshot,
    ...rest,
    piece: bytes,
    sequence: snapshot.sequence + 1,
    cutAt: turn.now.monotonicMs,
    sentAt: turn.now.monotonicMs,
  };
}

/** The receiver has all data: now its Raft group may take the snapshot. */
function offer(turn: Turn, replica: Replica, { to, metadata }: OutgoingSnapshot): void {
  sendMessage(turn, replica, to, { type: "snapshot", term: term(replica.raft), metadata });
}

const ended = (snapshot: OutgoingSnapshot, ok: boolean): RaftInput => ({
  type: "snapshot_sent",
  peer: snapshot.to,
  index: snapshot.metadata.index,
  ok,
});

function withOutgoing(
  replica: Replica,
  before: OutgoingSnapshot,
  after: OutgoingSnapshot | undefined,
): Replica {
  const others = replica.outgoing.filter((other) => other !== before);
  return withReplica(replica, { outgoing: after === undefined ? others : [...others, after] });
}

/** Sends again what was not answered, and gives up what never is. Returns what Raft must hear. */
export function tickOutgoing(
  turn: Turn,
  replica: Replica,
): { readonly replica: Replica; readonly inputs: readonly RaftInput[] } {
  const now = turn.now.monotonicMs;
  const inputs: RaftInput[] = [];
  let current = replica;
  for (const snapshot of replica.outgoing) {
    if (now - snapshot.cutAt > turn.config.snapshotGiveUpMs) {
      current = withOutgoing(current, snapshot, undefined);
      inputs.push(ended(snapshot, false));
    } else if (now - snapshot.sentAt > turn.config.chunkRetryMs) {
      sendPiece(turn, current, snapshot);
      current = withOutgoing(current, snapshot, { ...snapshot, sentAt: now });
    }
  }
  return { replica: current, inputs };
}
