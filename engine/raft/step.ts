/**
 * The core of the room: `step(state, nowMs, input)`. A handler does what the input asks; then the
 * leader sends, commits and confirms what has become possible, and the step ends with at most one
 * write and at most one page to apply.
 */
import { EMPTY_BYTES } from "../base/bytes.ts";
import type { PeerId, Term } from "../base/ids.ts";
import type { RaftState } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { RaftEffect, RaftInput, RaftMessage } from "./types.ts";
import { assert, unreachable } from "../base/assert.ts";
import { handOutPage, isApplyDue, onApplied } from "./applying.ts";
import {
  onCampaign,
  onElectionTimeout,
  onTimeoutNow,
  onVoteRequest,
  onVoteResponse,
} from "./election.ts";
import { answerEarlierTerm, onAppendRequest, onHeartbeatRequest } from "./following.ts";
import { quorumHeardMs } from "./lease.ts";
import { leaveJoint, onProposeChange, resignIfRemoved } from "./membership.ts";
import {
  answerConfirmed,
  beginRound,
  expireForwarded,
  onRead,
  onReadIndexRequest,
  onReadIndexResponse,
} from "./reads.ts";
import {
  advanceCommit,
  flushPeers,
  onAppendResponse,
  onHeartbeatResponse,
  onUnreachable,
  sendHeartbeats,
  tellCommit,
} from "./replication.ts";
import { lacksCommit } from "./progress.ts";
import { NOBODY, becomeFollower } from "./roles.ts";
import {
  onCompact,
  onRequestSnapshot,
  onSnapshot,
  onSnapshotRequest,
  onSnapshotSent,
} from "./snapshot.ts";
import { continueTransfer, onTransfer } from "./transfer.ts";
import { send, turnOf } from "./turn.ts";
import { appendOwn, handOver, onDurable, supersedes } from "./writing.ts";

export interface Step {
  readonly state: RaftState;
  readonly effects: readonly RaftEffect[];
}

const NO_EFFECTS: readonly RaftEffect[] = Object.freeze([]);

/**
 * What `input` makes of `state` when the monotonic clock shows `nowMs`. Entries and their data are
 * kept, not copied.
 */
export function step(state: RaftState, nowMs: number, input: RaftInput): Step {
  if (input.type === "tick" && isIdle(state, nowMs)) return { state, effects: NO_EFFECTS };
  const turn = turnOf(state, nowMs);
  handle(turn, input);
  settle(turn);
  return { state: turn.draft, effects: turn.effects };
}

/** Whether a tick has nothing to do, as nearly all have. */
function isIdle(state: RaftState, now: number): boolean {
  if (isApplyDue(state)) return false;
  if (state.role === "leader") {
    return (
      now < state.heartbeatAtMs && !state.peers.some((peer) => lacksCommit(peer, state.commit))
    );
  }
  return now < state.electionAtMs && state.reads.forwarded.length === 0;
}

function handle(turn: Turn, input: RaftInput): void {
  switch (input.type) {
    case "tick":
      return onTick(turn);
    case "tell_commit":
      return tellCommit(turn);
    case "received":
      return onReceived(turn, input.from, input.message);
    case "propose":
      return onPropose(turn, input.commands);
    case "propose_change":
      return onProposeChange(turn, input.change);
    case "read":
      return onRead(turn, input.ticket, input.note ?? EMPTY_BYTES);
    case "transfer_leader":
      return onTransfer(turn, input.to);
    case "campaign":
      return onCampaign(turn);
    case "persisted":
      return onPersisted(turn, input.ticket);
    case "applied":
      return onApplied(turn, input.index);
    case "request_snapshot":
      return onRequestSnapshot(turn);
    case "compact":
      return onCompact(turn, input.index);
    case "snapshot_sent":
      return onSnapshotSent(turn, input.peer, input.index, input.ok);
    case "unreachable":
      return onUnreachable(turn, input.peer);
    default:
      return unreachable(input);
  }
}

function onTick(turn: Turn): void {
  const { draft, now } = turn;
  if (draft.role !== "leader") {
    expireForwarded(turn);
    if (now >= draft.electionAtMs) onElectionTimeout(turn);
    return;
  }
  tellCommit(turn);
  if (now < draft.heartbeatAtMs) return;
  const { checkQuorum, electionMs } = draft.config;
  if (checkQuorum && now - quorumHeardMs(draft, now) >= electionMs) {
    // Without a quorum it can do nothing, and would keep those it reaches from electing another.
    becomeFollower(turn, draft.term, NOBODY);
    return;
  }
  continueTransfer(turn);
  beginRound(turn, true);
  sendHeartbeats(turn);
}

function onReceived(turn: Turn, from: PeerId, m: RaftMessage): void {
  const { draft } = turn;
  assert(from !== draft.config.id && from !== 0, "messages come from other members");
  if (m.type === "vote_request") return onVoteRequest(turn, from, m);
  if (m.term < draft.term) return answerEarlierTerm(turn, from, m);
  // A granted pre-vote echoes the term asked for, which nobody is in yet.
  const isEcho = m.type === "vote_response" && m.pre && m.granted;
  if (m.term > draft.term && !isEcho) becomeFollower(turn, m.term, NOBODY);
  switch (m.type) {
    case "vote_response":
      return onVoteResponse(turn, from, m);
    case "append_request":
      return onAppendRequest(turn, from, m);
    case "append_response":
      return onAppendResponse(turn, from, m);
    case "heartbeat_request":
      return onHeartbeatRequest(turn, from, m);
    case "heartbeat_response":
      return onHeartbeatResponse(turn, from, m);
    case "snapshot":
      return onSnapshot(turn, from, m);
    case "read_index_request":
      return onReadIndexRequest(turn, from, m);
    case "read_index_response":
      return onReadIndexResponse(turn, from, m);
    case "timeout_now":
      return onTimeoutNow(turn, from, m);
    case "snapshot_request":
      return onSnapshotRequest(turn, from, m);
    default:
      return unreachable(m);
  }
}

function onPropose(turn: Turn, commands: readonly Uint8Array[]): void {
  const { draft, effects } = turn;
  assert(commands.length > 0, "a proposal holds at least one command");
  if (draft.role !== "leader") {
    effects.push({ type: "proposal_dropped", reason: "not_leader" });
  } else if (draft.transfer !== undefined) {
    effects.push({ type: "proposal_dropped", reason: "transferring" });
  } else if (draft.uncommittedBytes >= draft.config.maxUncommittedBytes) {
    effects.push({ type: "proposal_dropped", reason: "too_many_pending" });
  } else {
    const first = appendOwn(turn, "normal", commands);
    effects.push({ type: "proposed", first, term: draft.term });
  }
}

function onPersisted(turn: Turn, ticket: RaftState["ticket"]): void {
  const released = onDurable(turn, ticket);
  const { id } = turn.draft.config;
  for (let i = 0; i < released.length; i++) {
    const held = released[i]!;
    if (supersedes(released[i + 1], held)) continue;
    const { to, message } = held;
    if (to !== id) send(turn, to, message);
    else if (message.type === "vote_response") onVoteResponse(turn, id, message);
  }
}

/** What follows from the input, in the order in which it must be done. */
function settle(turn: Turn): void {
  if (turn.draft.role === "leader") lead(turn);
  noteStatus(turn);
  handOver(turn);
  handOutPage(turn);
}

function lead(turn: Turn): void {
  if (turn.recount) advanceCommit(turn);
  if (leaveJoint(turn) && turn.recount) advanceCommit(turn);
  if (resignIfRemoved(turn)) return;
  if (turn.flush) flushPeers(turn);
  answerConfirmed(turn);
  if (!beginRound(turn, false)) return;
  sendHeartbeats(turn);
  // Where this member is the only voter, that was all there is to confirm.
  answerConfirmed(turn);
}

function noteStatus(turn: Turn): void {
  const { before, draft } = turn;
  const { role, term, leader } = draft;
  if (role === before.role && term === before.term && leader === before.leader) return;
  turn.effects.push({
    type: "status",
    role,
    term: term satisfies Term,
    leader: leader === NOBODY ? undefined : leader,
  });
}
