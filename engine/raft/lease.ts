/**
 * Time as evidence of leadership. A member that hears a leader promises it, from that moment and
 * for an election timeout of its own clock, to vote for nobody else. A leader counts the same time
 * from when it *sent* what a quorum has echoed, and a little less of it (`leaseMs`): so it stops
 * serving lease reads before any quorum is free to elect another, as long as clocks drift apart by
 * less than the difference. Neither side ever asks a wall clock.
 *
 * The two ways around the promise are closed here as well. A transfer lets voters ignore it; the
 * leader therefore ends its lease first, and its `sentAt` stands still until the transfer is over,
 * so a voter that has heard a later one knows that the permission has expired. A restart forgets
 * it; a restarted node therefore votes for nobody during its first election timeout.
 */
import type { Draft, RaftState } from "./state.ts";
import type { PeerId } from "../base/ids.ts";
import type { Turn } from "./turn.ts";
import type { VoteRequest } from "./types.ts";
import { inForce, isSoleVoter } from "./configuration.ts";
import { NEVER_MS } from "./progress.ts";
import { quorumValue } from "./quorum.ts";

/** What a leader writes into `sentAt` now. */
export function sendStamp(state: RaftState | Draft, now: number): number {
  return state.transfer === undefined ? now : state.transfer.fencedMs;
}

/** Leader: since when a quorum, itself included, has been silent at most; on its own clock. */
export function quorumHeardMs(state: RaftState | Draft, now: number): number {
  return quorumValue(inForce(state.history).configuration, (voter) => {
    if (voter === state.config.id) return now;
    return progressOf(state, voter)?.heardMs ?? NEVER_MS;
  });
}

/** Leader: the latest moment such that a quorum has echoed something sent at or after it. */
export function quorumEchoedMs(state: RaftState | Draft, now: number): number {
  return quorumValue(inForce(state.history).configuration, (voter) => {
    if (voter === state.config.id) return now;
    return progressOf(state, voter)?.echoedMs ?? NEVER_MS;
  });
}

/** Whether this leader may answer a read now without asking anybody. */
export function leaseValid(state: RaftState, now: number): boolean {
  if (state.role !== "leader" || !state.config.checkQuorum) return false;
  if (state.transfer !== undefined || state.applied < state.termStart) return false;
  return now < quorumEchoedMs(state, now) + state.config.leaseMs;
}

/**
 * Whether this member owes its vote to a leader it has heard, or may have heard before a restart.
 */
export function isPromised(state: RaftState | Draft, now: number): boolean {
  if (!state.config.checkQuorum) return false;
  if (isQuiet(state, now)) return true;
  const { electionMs } = state.config;
  if (state.role === "leader") return now - quorumHeardMs(state, now) < electionMs;
  return now - state.heardMs < electionMs;
}

/**
 * Whether the restart is too recent for any vote, its own for itself included. The only voter of a
 * group is not bound; but until the change that made it that is known to be committed, it may have
 * promised itself to the leader that this change removes, and that leads until then.
 */
export function isQuiet(state: RaftState | Draft, now: number): boolean {
  if (now >= state.quietUntilMs || !state.config.checkQuorum) return false;
  const { index, configuration } = inForce(state.history);
  return index > state.commit || !isSoleVoter(configuration, state.config.id);
}

/** Whether the promise of this member forbids a vote for the sender of `request`. */
export function promiseForbids(turn: Turn, request: VoteRequest): boolean {
  const { draft, now } = turn;
  if (!isPromised(draft, now)) return false;
  if (request.transfer === undefined || isQuiet(draft, now)) return true;
  const transferTerm = request.term - 1;
  const isLeader = draft.role === "leader";
  const heardTerm = isLeader ? draft.term : draft.heardTerm;
  const heardSentAt = isLeader ? sendStamp(draft, now) : draft.heardSentAt;
  if (transferTerm !== heardTerm) return transferTerm < heardTerm;
  return request.transfer < heardSentAt;
}

function progressOf(
  state: RaftState | Draft,
  peer: PeerId,
): { readonly heardMs: number; readonly echoedMs: number } | undefined {
  for (const progress of state.peers) if (progress.peer === peer) return progress;
  return undefined;
}
