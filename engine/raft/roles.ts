/**
 * Following: how any role ends, and what it means to hear a leader. (Becoming a candidate or a
 * leader is in `election.ts`.)
 */
import type { PeerId, Term } from "../base/ids.ts";
import type { Progress } from "./progress.ts";
import type { Turn } from "./turn.ts";
import type { Vote } from "./quorum.ts";
import { assert } from "../base/assert.ts";
import { below } from "../base/prng.ts";
import { dropReads } from "./reads.ts";
import { send } from "./turn.ts";
import { dropHeld } from "./writing.ts";

export const NOBODY: PeerId = 0 as PeerId;
export const NO_PEERS: readonly Progress[] = [];
export const NO_VOTES: readonly Vote[] = [];

/** Follows `leader` (0: whoever will be elected) in `term`. */
export function becomeFollower(turn: Turn, term: Term, leader: PeerId): void {
  const { draft } = turn;
  assert(term >= draft.term, "the term never falls");
  if (term > draft.term) {
    draft.term = term;
    draft.vote = NOBODY;
    dropHeld(turn);
  }
  // Another's higher term alone is no reason to wait longer for a leader (Figure 2, followers).
  const hadLeader = draft.leader !== NOBODY;
  draft.role = "follower";
  draft.leader = leader;
  draft.votes = NO_VOTES;
  draft.peers = NO_PEERS;
  draft.uncommittedBytes = 0;
  draft.transfer = undefined;
  if (hadLeader || leader !== NOBODY) drawTimeout(turn);
  dropReads(turn);
}

/** This member's state machine has lost its data. */
export function askForSnapshot(turn: Turn, leader: PeerId): void {
  const { term, applied: index } = turn.draft;
  send(turn, leader, { type: "snapshot_request", term, index });
}

/** Waits for a new, randomly chosen election timeout (section 5.2). */
export function drawTimeout(turn: Turn): void {
  const { draft, now } = turn;
  const { electionMs } = draft.config;
  const { prng, value } = below(draft.prng, electionMs);
  draft.prng = prng;
  draft.timeoutMs = electionMs + value;
  draft.electionAtMs = now + draft.timeoutMs;
}

/** Something that only the leader of the current term can have sent has arrived. */
export function heardLeader(turn: Turn, leader: PeerId, sentAt: number): void {
  const { draft, now } = turn;
  assert(draft.role !== "leader", "there is one leader in a term");
  assert(draft.leader === NOBODY || draft.leader === leader, "a term has one leader");
  if (draft.role !== "follower" || draft.leader !== leader) {
    becomeFollower(turn, draft.term, leader);
    // Before any other answer, so that a leader without data does not hand over to this member.
    if (draft.lacking) askForSnapshot(turn, leader);
  }
  draft.electionAtMs = now + draft.timeoutMs;
  draft.heardMs = now;
  draft.heardSentAt = draft.heardTerm === draft.term ? Math.max(draft.heardSentAt, sentAt) : sentAt;
  draft.heardTerm = draft.term;
  draft.campaigns = 0;
}
