/**
 * Linearizable reads by read index (thesis, section 6.4). The leader notes its commit index, has a
 * quorum confirm that it still leads by a numbered round of heartbeats, and only then answers. A
 * round confirms every read that was noted before it began, and its number is never used again in
 * the term. Before an entry of its own term is committed a leader does not know what is committed,
 * so reads wait for that.
 */
import type { LogIndex, PeerId, Ticket } from "../base/ids.ts";
import type { ForwardedRead, Read, ReadRound, Reads } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { ReadIndexRequest, ReadIndexResponse } from "./types.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { nextTicket } from "../base/ids.ts";
import { inForce } from "./configuration.ts";
import { quorumValue } from "./quorum.ts";
import { send } from "./turn.ts";

const NO_READS: readonly Read[] = [];
const NO_ROUNDS: readonly ReadRound[] = [];
const NO_FORWARDED: readonly ForwardedRead[] = [];

/** No reads; forwarded ones will be numbered from `nextNumber` on. */
export const noReads = (nextNumber: Ticket): Reads =>
  readsOf(0, NO_READS, NO_ROUNDS, NO_FORWARDED, nextNumber);

/** All reads are made here, so that they have one shape (`docs/design/001-base-and-tree.md`). */
const readsOf = (
  round: number,
  waiting: readonly Read[],
  rounds: readonly ReadRound[],
  forwarded: readonly ForwardedRead[],
  nextNumber: Ticket,
): Reads => ({ round, waiting, rounds, forwarded, nextNumber });

const withForwarded = (
  { round, waiting, rounds }: Reads,
  forwarded: readonly ForwardedRead[],
  nextNumber: Ticket,
): Reads => readsOf(round, waiting, rounds, forwarded, nextNumber);

/** The driver asks for a read index. */
export function onRead(turn: Turn, ticket: Ticket, note: Uint8Array): void {
  const { draft, now } = turn;
  const { id, electionMs } = draft.config;
  if (draft.role === "leader") {
    addWaiting(turn, { from: id, ticket, note: EMPTY_BYTES });
  } else if (draft.leader === 0) {
    turn.effects.push({ type: "read_dropped", ticket });
  } else {
    const { reads, term, leader } = draft;
    const number = reads.nextNumber;
    const forwarded = { ticket, number, expiresMs: now + electionMs };
    draft.reads = withForwarded(reads, [...reads.forwarded, forwarded], nextTicket(number));
    send(turn, leader, { type: "read_index_request", term, ticket: number, note });
  }
}

/** A follower asks. */
export function onReadIndexRequest(turn: Turn, from: PeerId, m: ReadIndexRequest): void {
  const read: Read = { from, ticket: m.ticket, note: m.note };
  if (turn.draft.role === "leader") addWaiting(turn, read);
  else answer(turn, read, 0 as LogIndex);
}

function addWaiting(turn: Turn, read: Read): void {
  const { round, waiting, rounds, forwarded, nextNumber } = turn.draft.reads;
  turn.draft.reads = readsOf(round, [...waiting, read], rounds, forwarded, nextNumber);
}

/** The leader has answered. Only the leader of this very term can. */
export function onReadIndexResponse(turn: Turn, from: PeerId, m: ReadIndexResponse): void {
  const { draft } = turn;
  const { reads } = draft;
  const found = reads.forwarded.find((read) => read.number === m.ticket);
  if (found === undefined || from !== draft.leader) return;
  const others = reads.forwarded.filter((read) => read !== found);
  draft.reads = withForwarded(reads, others, reads.nextNumber);
  const { ticket } = found;
  turn.effects.push(
    m.index === 0
      ? { type: "read_dropped", ticket }
      : { type: "read_ready", ticket, index: m.index, note: m.note },
  );
}

/**
 * Begins a round for the reads that wait. One round is under way at a time, so that under load one
 * exchange of heartbeats serves all that came meanwhile; `retry` begins another regardless, for the
 * case that the last one's messages were lost. Returns whether heartbeats must be sent.
 */
export function beginRound(turn: Turn, retry: boolean): boolean {
  const { draft } = turn;
  const { reads } = draft;
  if (reads.waiting.length === 0 || draft.commit < draft.termStart) return false;
  if (reads.rounds.length > 0 && !retry) return false;
  const round = reads.round + 1;
  const rounds = [...reads.rounds, { round, index: draft.commit, reads: reads.waiting }];
  draft.reads = readsOf(round, NO_READS, rounds, reads.forwarded, reads.nextNumber);
  return true;
}

/** Answers the reads of all rounds that a quorum has confirmed. */
export function answerConfirmed(turn: Turn): void {
  const { draft } = turn;
  const { reads, peers } = draft;
  if (reads.rounds.length === 0) return;
  const confirmed = quorumValue(inForce(draft.history).configuration, (voter) => {
    if (voter === draft.config.id) return reads.round;
    for (const progress of peers) if (progress.peer === voter) return progress.round;
    return 0;
  });
  let done = 0;
  while (done < reads.rounds.length && reads.rounds[done]!.round <= confirmed) {
    const { index, reads: answered } = reads.rounds[done]!;
    for (const read of answered) answer(turn, read, index);
    done += 1;
  }
  if (done === 0) return;
  const { round, waiting, rounds, forwarded, nextNumber } = reads;
  draft.reads = readsOf(round, waiting, rounds.slice(done), forwarded, nextNumber);
}

/** `index` 0: the read must be asked again. */
function answer(turn: Turn, read: Read, index: LogIndex): void {
  const { draft, effects } = turn;
  const { ticket, note } = read;
  if (read.from !== draft.config.id) {
    send(turn, read.from, { type: "read_index_response", term: draft.term, ticket, index, note });
  } else if (index === 0) {
    effects.push({ type: "read_dropped", ticket });
  } else {
    effects.push({ type: "read_ready", ticket, index, note });
  }
}

/** Gives up every read: the leader that was asked is not known to lead any more. */
export function dropReads(turn: Turn): void {
  const { draft, effects } = turn;
  const { reads } = draft;
  for (const { reads: pending } of reads.rounds) {
    for (const read of pending) answer(turn, read, 0 as LogIndex);
  }
  for (const read of reads.waiting) answer(turn, read, 0 as LogIndex);
  for (const { ticket } of reads.forwarded) effects.push({ type: "read_dropped", ticket });
  draft.reads = noReads(reads.nextNumber);
}

/** Gives up forwarded reads that the leader has not answered in an election timeout. */
export function expireForwarded(turn: Turn): void {
  const { draft, effects, now } = turn;
  const { reads } = draft;
  if (reads.forwarded.length === 0 || reads.forwarded[0]!.expiresMs > now) return;
  for (const { ticket, expiresMs } of reads.forwarded) {
    if (expiresMs <= now) effects.push({ type: "read_dropped", ticket });
  }
  const forwarded = reads.forwarded.filter((read) => read.expiresMs > now);
  draft.reads = withForwarded(reads, forwarded, reads.nextNumber);
}
