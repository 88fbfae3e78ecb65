/**
 * Everything one member of a group knows. A `RaftState` is a value: `step` makes a new one and the
 * old one stays as it was.
 *
 * Within one step the new state is a `Draft`, copied whole once and then written by the handlers:
 * a step touches many fields, and one copy of the record costs what a single `withX` would. Nothing
 * that a draft refers to is written, except the `Progress` records copied through `editPeer`.
 */
import type { LogIndex, PeerId, Term, Ticket } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import type { Configuration, Entry, HardState, RaftConfig, RaftMessage, Role } from "./types.ts";
import type { History } from "./configuration.ts";
import type { Log } from "./log.ts";
import type { Progress } from "./progress.ts";
import type { Vote } from "./quorum.ts";

export interface RaftState {
  readonly config: RaftConfig;
  readonly role: Role;
  readonly term: Term;
  /** Whom this member voted for in `term`; 0 for nobody. */
  readonly vote: PeerId;
  /** The leader of `term` where it is known; else 0. */
  readonly leader: PeerId;

  readonly log: Log;
  /** Configurations from the base of the log on; the last one is in force. */
  readonly history: History;
  /** Highest index known to be committed. Never falls. */
  readonly commit: LogIndex;
  /** The state machine holds everything up to here. */
  readonly applied: LogIndex;
  /**
   * Handed out for application up to here. No further page leaves before `applied` has reached it.
   */
  readonly handedOut: LogIndex;

  /** The last ticket given out. */
  readonly ticket: Ticket;
  /** Everything up to this ticket is durable. */
  readonly durableTicket: Ticket;
  /** Writes under way, oldest first. */
  readonly writes: readonly Write[];
  /**
   * Entries up to here were handed to the disk; later ones are handed over at the end of the step.
   */
  readonly written: LogIndex;
  /** Entries up to here are durable on this node. */
  readonly durable: LogIndex;
  /** What the disk was last given. */
  readonly writtenHardState: HardState;
  /** What the disk certainly holds. */
  readonly durableHardState: HardState;
  /** Messages that promise what is not durable yet, oldest first. All are of the current term. */
  readonly held: readonly Held[];
  /** A snapshot that is replacing log and state machine; no part in elections meanwhile. */
  readonly restoring: Restoring | undefined;
  /**
   * The state machine's data is lost, and a snapshot has been asked for. Log and votes are whole,
   * so the member still replicates and votes; but it applies nothing, and leads only if it must.
   */
  readonly lacking: boolean;

  /** Draws the election timeouts. */
  readonly prng: Prng;
  /** When a member that is no leader campaigns. */
  readonly electionAtMs: number;
  /** What was drawn from [electionMs, 2 electionMs) for the present wait. */
  readonly timeoutMs: number;
  /**
   * When a leader was last heard. For an election timeout from then no other candidate gets a vote.
   */
  readonly heardMs: number;
  /**
   * The term of that leader, and the latest `sentAt` heard from it: later than a transfer's, the
   * transfer is off.
   */
  readonly heardTerm: Term;
  readonly heardSentAt: number;
  /**
   * Until then there is no vote at all: before the restart this node may have promised a leader
   * anything.
   */
  readonly quietUntilMs: number;
  /** Answers in the current (pre-)election. */
  readonly votes: readonly Vote[];
  /** Elections begun since a leader was last heard. */
  readonly campaigns: number;

  /** Leader: every other member, ascending. Else empty. */
  readonly peers: readonly Progress[];
  /** Leader: the entry that opened its term. */
  readonly termStart: LogIndex;
  /** Leader: size of the entries behind `commit`, in bytes. */
  readonly uncommittedBytes: number;
  readonly heartbeatAtMs: number;
  /** Leader: `durable` at its heartbeats, and since when it is that though more is committed. */
  readonly heldUpAt: LogIndex;
  readonly heldUpMs: number;
  readonly transfer: Transfer | undefined;

  readonly reads: Reads;
}

/** One write under way, and what is durable once it is done. */
export interface Write {
  readonly ticket: Ticket;
  /** Lowered when these entries are truncated meanwhile. */
  readonly last: LogIndex;
  readonly hardState: HardState;
}

/** A message that leaves when `ticket` is durable. One to the node itself is handled then. */
export interface Held {
  readonly ticket: Ticket;
  readonly to: PeerId;
  readonly message: RaftMessage;
}

export interface Restoring {
  readonly ticket: Ticket;
  readonly index: LogIndex;
}

/**
 * A leader's attempt to hand over. From `fencedMs` on it serves no lease read and sends no later
 * `sentAt`.
 */
export interface Transfer {
  readonly to: PeerId;
  readonly fencedMs: number;
}

/** Reads under way (thesis, section 6.4). */
export interface Reads {
  /** The latest round of this term. */
  readonly round: number;
  /** Leader: asked for, and in no round yet. */
  readonly waiting: readonly Read[];
  /** Leader: rounds that no quorum has confirmed yet, oldest first. */
  readonly rounds: readonly ReadRound[];
  /** Follower: asked of the leader and not answered. */
  readonly forwarded: readonly ForwardedRead[];
  /**
   * The number of the next read that is forwarded. Begins at a random place, so that no answer to
   * an earlier life of this node matches.
   */
  readonly nextNumber: Ticket;
}

/** Who wants to know: this node itself, or a follower. */
export interface Read {
  readonly from: PeerId;
  readonly ticket: Ticket;
  /** Goes back with the answer. */
  readonly note: Uint8Array;
}

/** Reads that are answered by `index` once a quorum has confirmed `round`. */
export interface ReadRound {
  readonly round: number;
  readonly index: LogIndex;
  readonly reads: readonly Read[];
}

export interface ForwardedRead {
  readonly ticket: Ticket;
  /** The ticket in the message. */
  readonly number: Ticket;
  readonly expiresMs: number;
}

/** The state while a step is writing it. */
export type Draft = { -readonly [K in keyof RaftState]: RaftState[K] };

/** A draft of the step after `state`. */
export function draftOf(state: RaftState): Draft {
  return {
    config: state.config,
    role: state.role,
    term: state.term,
    vote: state.vote,
    leader: state.leader,
    log: state.log,
    history: state.history,
    commit: state.commit,
    applied: state.applied,
    handedOut: state.handedOut,
    ticket: state.ticket,
    durableTicket: state.durableTicket,
    writes: state.writes,
    written: state.written,
    durable: state.durable,
    writtenHardState: state.writtenHardState,
    durableHardState: state.durableHardState,
    held: state.held,
    restoring: state.restoring,
    lacking: state.lacking,
    prng: state.prng,
    electionAtMs: state.electionAtMs,
    timeoutMs: state.timeoutMs,
    heardMs: state.heardMs,
    heardTerm: state.heardTerm,
    heardSentAt: state.heardSentAt,
    quietUntilMs: state.quietUntilMs,
    votes: state.votes,
    campaigns: state.campaigns,
    peers: state.peers,
    termStart: state.termStart,
    uncommittedBytes: state.uncommittedBytes,
    heartbeatAtMs: state.heartbeatAtMs,
    heldUpAt: state.heldUpAt,
    heldUpMs: state.heldUpMs,
    transfer: state.transfer,
    reads: state.reads,
  };
}

/** What a crash leaves of a member, as its owner reads it back. */
export interface Durable {
  readonly hardState: HardState;
  /** Index and term of the last entry that is not in `entries` any more. */
  readonly truncated: { readonly index: LogIndex; readonly term: Term };
  /** Consecutive, from `truncated.index + 1` on. */
  readonly entries: readonly Entry[];
  /** What the state machine holds; at or above `truncated.index`. */
  readonly applied: LogIndex;
  /** The configuration in force at `applied`. */
  readonly configuration: Configuration;
}
