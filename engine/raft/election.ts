/**
 * Elections (section 5.2, 5.4.1; pre-vote: thesis, section 9.6). A vote, also a candidate's for
 * itself, counts only when it is durable; so do requests for votes leave only then, because they
 * vouch for a log.
 */
import type { PeerId } from "../base/ids.ts";
import type { Draft } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { RaftMessage, TimeoutNow, VoteRequest, VoteResponse } from "./types.ts";
import { assert } from "../base/assert.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { nextIndex, nextTerm } from "../base/ids.ts";
import { inForce, isVoter, members } from "./configuration.ts";
import { isPromised, isQuiet, promiseForbids } from "./lease.ts";
import { entryAt, entrySize } from "./log.ts";
import { newProgress } from "./progress.ts";
import { tally } from "./quorum.ts";
import { noReads } from "./reads.ts";
import { NOBODY, NO_VOTES, becomeFollower, drawTimeout } from "./roles.ts";
import { isCurrent } from "./transfer.ts";
import { hold, send } from "./turn.ts";
import { appendOwn, dropHeld } from "./writing.ts";

/** No leader was heard for too long. */
export function onElectionTimeout(turn: Turn): void {
  if (!mayCampaign(turn)) drawTimeout(turn);
  else if (turn.draft.config.preVote) preCampaign(turn);
  else campaign(turn, undefined);
}

/** The driver wants this member to lead. Ignored where a leader has its promise. */
export function onCampaign(turn: Turn): void {
  const { draft, now } = turn;
  if (draft.role === "leader" || isPromised(draft, now)) return;
  onElectionTimeout(turn);
}

/** The leader wants this member to lead. */
export function onTimeoutNow(turn: Turn, from: PeerId, m: TimeoutNow): void {
  const { draft } = turn;
  if (!isCurrent(turn, from, m) || !mayCampaign(turn)) return;
  // A leader never chooses a member that is on its way out.
  if (isVoter(inForce(draft.history).configuration, draft.config.id)) campaign(turn, m.sentAt);
}

/**
 * Whether this member has a part in elections, its state is whole and its word is free. One that is
 * removed by an entry not known to be committed still has: it may be the only one to have the
 * entry, and is then the only one whose log the others can be led by (section 4.2.2). It needs the
 * votes of the new configuration, among which its own does not count.
 */
function mayCampaign(turn: Turn): boolean {
  const { draft, now } = turn;
  if (draft.restoring !== undefined || isQuiet(draft, now)) return false;
  const { history } = draft;
  const { id } = draft.config;
  const latest = history.length - 1;
  if (isVoter(history[latest]!.configuration, id)) return true;
  if (latest === 0 || history[latest]!.index <= draft.commit) return false;
  return isVoter(history[latest - 1]!.configuration, id);
}

function preCampaign(turn: Turn): void {
  const { draft } = turn;
  const { id } = draft.config;
  if (draft.leader !== NOBODY) becomeFollower(turn, draft.term, NOBODY);
  draft.role = "pre_candidate";
  draft.votes = [{ voter: id, granted: true }];
  draft.campaigns += 1;
  drawTimeout(turn);
  const request = voteRequest(draft, true, undefined);
  for (const voter of voters(draft)) if (voter !== id) send(turn, voter, request);
  concludeVote(turn);
}

/** A real election. `transfer` is the moment at which the leader gave up its lease for it. */
function campaign(turn: Turn, transfer: number | undefined): void {
  const { draft } = turn;
  const { id } = draft.config;
  if (draft.leader !== NOBODY) becomeFollower(turn, draft.term, NOBODY);
  dropHeld(turn);
  draft.role = "candidate";
  draft.term = nextTerm(draft.term);
  draft.vote = id;
  draft.votes = NO_VOTES;
  draft.campaigns += 1;
  drawTimeout(turn);
  const { term } = draft;
  hold(turn, id, { type: "vote_response", term, pre: false, granted: true });
  const request = voteRequest(draft, false, transfer);
  for (const voter of voters(draft)) if (voter !== id) hold(turn, voter, request);
}

/** A member without data leads only where no equal log is elsewhere. */
const LAST_PRIORITY = -(2 ** 31);

const ownPriority = ({ lacking, config }: Draft): number =>
  lacking ? LAST_PRIORITY : config.priority;

function voters(draft: Draft): readonly PeerId[] {
  const { configuration } = inForce(draft.history);
  return members(configuration).filter((peer) => isVoter(configuration, peer));
}

function voteRequest(draft: Draft, pre: boolean, transfer: number | undefined): RaftMessage {
  return {
    type: "vote_request",
    term: pre ? nextTerm(draft.term) : draft.term,
    pre,
    lastIndex: draft.log.last,
    lastTerm: draft.log.lastTerm,
    transfer,
    priority: ownPriority(draft),
  };
}

/**
 * Somebody wants to lead. Answered whatever this member thinks of its own part in the group: a
 * candidate that knows a later configuration may count on it.
 */
export function onVoteRequest(turn: Turn, from: PeerId, m: VoteRequest): void {
  const { draft } = turn;
  const { pre } = m;
  if (promiseForbids(turn, m)) {
    // A later term would end the leader's, so it is not even taken notice of.
    const isLater = m.term > draft.term && !pre;
    if (!isLater)
      send(turn, from, { type: "vote_response", term: draft.term, pre, granted: false });
    return;
  }
  if (m.term > draft.term && !pre) becomeFollower(turn, m.term, NOBODY);
  const isFree = pre ? m.term > draft.term : m.term === draft.term && isVoteFree(draft, from);
  if (!isFree || !isLogAsGood(draft, m) || isOutranked(turn, m)) {
    send(turn, from, { type: "vote_response", term: draft.term, pre, granted: false });
  } else if (pre) {
    send(turn, from, { type: "vote_response", term: m.term, pre, granted: true });
  } else {
    draft.vote = from;
    // Drawn anew: by an unlucky draw this member would else stand back for ever behind a candidate
    // that nobody can tell of its votes, and that draws anew each time itself.
    drawTimeout(turn);
    hold(turn, from, { type: "vote_response", term: draft.term, pre, granted: true });
  }
}

function isVoteFree(draft: Draft, candidate: PeerId): boolean {
  return draft.vote === candidate || (draft.vote === NOBODY && draft.leader === NOBODY);
}

/** Section 5.4.1: later last term, or the same and at least as long. */
function isLogAsGood(draft: Draft, m: VoteRequest): boolean {
  const { last, lastTerm } = draft.log;
  return m.lastTerm > lastTerm || (m.lastTerm === lastTerm && m.lastIndex >= last);
}

/**
 * Whether this member should lead rather than a candidate of equal log, by priority. Then it
 * campaigns at once; having failed once it stands aside, so that priority never costs a leader.
 */
function isOutranked(turn: Turn, m: VoteRequest): boolean {
  const { draft, now } = turn;
  const isEqual = m.lastTerm === draft.log.lastTerm && m.lastIndex === draft.log.last;
  if (!isEqual || m.priority >= ownPriority(draft) || m.transfer !== undefined) return false;
  if (draft.campaigns > 0 || !mayCampaign(turn)) return false;
  draft.electionAtMs = Math.min(draft.electionAtMs, now);
  return true;
}

export function onVoteResponse(turn: Turn, from: PeerId, m: VoteResponse): void {
  const { draft } = turn;
  if (draft.role !== (m.pre ? "pre_candidate" : "candidate")) return;
  // A granted pre-vote names the term that was asked for, everything else the current one.
  if (m.term !== (m.pre && m.granted ? nextTerm(draft.term) : draft.term)) return;
  if (draft.votes.some((vote) => vote.voter === from)) return;
  draft.votes = [...draft.votes, { voter: from, granted: m.granted }];
  concludeVote(turn);
}

function concludeVote(turn: Turn): void {
  const { draft } = turn;
  switch (tally(inForce(draft.history).configuration, draft.votes)) {
    case "pending":
      break;
    case "lost":
      becomeFollower(turn, draft.term, NOBODY);
      break;
    case "won":
      if (draft.role === "pre_candidate") campaign(turn, undefined);
      else becomeLeader(turn);
      break;
  }
}

/**
 * Opens the term with an empty entry, whose commitment commits everything before it (section 8).
 */
function becomeLeader(turn: Turn): void {
  const { draft, now } = turn;
  const { id, heartbeatMs } = draft.config;
  assert(draft.role === "candidate" && draft.vote === id, "a leader has won an election");
  assert(draft.durableHardState.term === draft.term, "a leader's own vote is durable");
  draft.role = "leader";
  draft.leader = id;
  draft.votes = NO_VOTES;
  draft.campaigns = 0;
  draft.peers = members(inForce(draft.history).configuration)
    .filter((peer) => peer !== id)
    .map((peer) => newProgress(peer, nextIndex(draft.log.last), now));
  draft.uncommittedBytes = 0;
  for (let at = nextIndex(draft.commit); at <= draft.log.last; at = nextIndex(at)) {
    draft.uncommittedBytes += entrySize(entryAt(draft.log, at));
  }
  draft.reads = noReads(draft.reads.nextNumber);
  draft.heartbeatAtMs = now + heartbeatMs;
  draft.heldUpAt = draft.durable;
  draft.heldUpMs = now;
  draft.termStart = appendOwn(turn, "normal", [EMPTY_BYTES]);
}
