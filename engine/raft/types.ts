/**
 * The vocabulary of one Raft group: entries, configurations, messages, inputs and effects.
 *
 * The core of this room is `step(state, now, input)`; it knows commands as bytes only. Where the
 * text says "duty", the driver (the region that owns the group) must do as it says.
 */
import type { LogIndex, PeerId, Term, Ticket } from "../base/ids.ts";

/**
 * One entry of the log. `configuration` entries carry an encoded `ConfigurationEntry`; an empty
 * `normal` entry is a new leader's no-op.
 */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly type: "normal" | "configuration";
  readonly data: Uint8Array;
}

/**
 * Who belongs to the group. Outside a joint configuration `outgoing` is empty. All lists are in
 * ascending order. A configuration is in force on a node from the moment its entry is in that
 * node's log (thesis, section 4.1), and until that entry is truncated.
 */
export interface Configuration {
  readonly voters: readonly PeerId[];
  /** The old voters of a joint configuration: decisions need a majority of both sets. */
  readonly outgoing: readonly PeerId[];
  readonly learners: readonly PeerId[];
  /** Old voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly PeerId[];
  /** Whether the leader leaves the joint configuration by itself as soon as it is committed. */
  readonly autoLeave: boolean;
}

/**
 * One elementary change of membership. `add_voter` also promotes a learner, `add_learner` also
 * demotes a voter.
 */
export interface MemberChange {
  readonly type: "add_voter" | "add_learner" | "remove";
  readonly peer: PeerId;
}

/**
 * A proposal to change the configuration. One change that touches at most one voter is done in a
 * single step; more go through a joint configuration. An empty list leaves a joint configuration.
 */
export interface ConfigurationChange {
  readonly changes: readonly MemberChange[];
  /** Opaque to Raft; the state machine finds it in the applied entry. */
  readonly context: Uint8Array;
}

/** What a `configuration` entry holds: the change, and the whole configuration that results. */
export interface ConfigurationEntry {
  readonly change: ConfigurationChange;
  readonly configuration: Configuration;
}

/** What a node must find again after a crash, besides its entries. */
export interface HardState {
  readonly term: Term;
  /** Whom this node voted for in `term`; 0 where it has not voted. */
  readonly vote: PeerId;
  /** Highest index known committed when this was written. May lag. */
  readonly commit: LogIndex;
}

/**
 * What a snapshot replaces the log by: everything up to `index`, written in `term`, under
 * `configuration`.
 */
export interface SnapshotMetadata {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/** All messages carry the sender's term (for `pre` votes: the term it would campaign in). */
export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | HeartbeatRequest
  | HeartbeatResponse
  | SnapshotMessage
  | ReadIndexRequest
  | ReadIndexResponse
  | TimeoutNow
  | SnapshotRequest;

export interface VoteRequest {
  readonly type: "vote_request";
  readonly term: Term;
  /** A pre-vote asks without raising anyone's term (thesis, section 9.6). */
  readonly pre: boolean;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /**
   * Set when the leader asked for this election: the `sentAt` of its `TimeoutNow`. A voter then
   * ignores the lease it granted, unless it has heard from that leader again since.
   */
  readonly transfer: number | undefined;
  /** Campaign priority of the candidate; higher wins between equal logs. */
  readonly priority: number;
}

export interface VoteResponse {
  readonly type: "vote_response";
  readonly term: Term;
  readonly pre: boolean;
  readonly granted: boolean;
}

export interface AppendRequest {
  readonly type: "append_request";
  readonly term: Term;
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
  /**
   * The leader's monotonic clock when it sent this, in milliseconds; echoed for the lease. While a
   * transfer is under way it stands still.
   */
  readonly sentAt: number;
}

export interface AppendResponse {
  readonly type: "append_response";
  readonly term: Term;
  /**
   * Accepted: the last index known to equal the leader's (previous + length, never the node's own
   * last). Rejected: the refused previous index.
   */
  readonly index: LogIndex;
  readonly rejected: boolean;
  /** Rejected only: where the leader should try next, and the term there (fast back-off). */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly sentAt: number;
}

export interface HeartbeatRequest {
  readonly type: "heartbeat_request";
  readonly term: Term;
  /** Never above what the receiver is known to hold. */
  readonly commit: LogIndex;
  readonly sentAt: number;
  /** Number of the latest read-index round this confirms; 0 for none. Never reused in a term. */
  readonly round: number;
}

export interface HeartbeatResponse {
  readonly type: "heartbeat_response";
  readonly term: Term;
  readonly sentAt: number;
  readonly round: number;
}

/**
 * Offered by the region once it has received all data of the snapshot. The data travels outside
 * Raft.
 */
export interface SnapshotMessage {
  readonly type: "snapshot";
  readonly term: Term;
  readonly metadata: SnapshotMetadata;
}

/** A follower asks the leader for a read index. */
export interface ReadIndexRequest {
  readonly type: "read_index_request";
  readonly term: Term;
  readonly ticket: Ticket;
  /**
   * What the asker wants to know of the leader besides, in bytes that mean nothing to Raft. Duty:
   * whoever drives a leader replaces it by its answer before the message is given to `step`.
   */
  readonly note: Uint8Array;
}

export interface ReadIndexResponse {
  readonly type: "read_index_response";
  readonly term: Term;
  readonly ticket: Ticket;
  /** Apply up to here, then read. 0: the leader could not answer. */
  readonly index: LogIndex;
  /** What the leader's driver made of the request's. */
  readonly note: Uint8Array;
}

/** Tells a caught-up follower to campaign at once. */
export interface TimeoutNow {
  readonly type: "timeout_now";
  readonly term: Term;
  /** The leader's monotonic clock when it gave up its lease for this transfer, in milliseconds. */
  readonly sentAt: number;
}

/**
 * A follower has lost the data of its state machine, though not its log: it wants a snapshot at or
 * above `index`, which is what it has applied. Repeated with every heartbeat until it has one.
 */
export interface SnapshotRequest {
  readonly type: "snapshot_request";
  readonly term: Term;
  readonly index: LogIndex;
}

export type RaftInput =
  /** Time has passed; comes at least every `tickMs`. */
  | { readonly type: "tick" }
  /**
   * Followers should hear of the commit index now, not only with the next entries or tick:
   * something else waits for what they apply. Nothing to whoever does not lead.
   */
  | { readonly type: "tell_commit" }
  | { readonly type: "received"; readonly from: PeerId; readonly message: RaftMessage }
  /**
   * Append these commands, in order. Keeps the arrays. Answered by `proposed` or
   * `proposal_dropped`.
   */
  | { readonly type: "propose"; readonly commands: readonly Uint8Array[] }
  | { readonly type: "propose_change"; readonly change: ConfigurationChange }
  /**
   * Ask for an index from which a read is linearizable. Answered by `read_ready` or `read_dropped`.
   * A follower sends `note` to the leader.
   */
  | { readonly type: "read"; readonly ticket: Ticket; readonly note?: Uint8Array }
  | { readonly type: "transfer_leader"; readonly to: PeerId }
  /** Campaign now, without waiting for the election timeout. */
  | { readonly type: "campaign" }
  /** Every `persist` and `restore` effect up to and including this ticket is durable. */
  | { readonly type: "persisted"; readonly ticket: Ticket }
  /** The state machine holds everything up to `index`. */
  | { readonly type: "applied"; readonly index: LogIndex }
  /**
   * The data of the state machine is lost: nothing more is handed out for application, what was
   * handed out is void, and only a snapshot at or above what is applied will do. A leader hands
   * over to another.
   */
  | { readonly type: "request_snapshot" }
  /** Forget entries up to `index`, which the state machine holds durably. */
  | { readonly type: "compact"; readonly index: LogIndex }
  /**
   * The transfer of a snapshot at `index` to `peer` has ended. Where not `ok`, another is asked for
   * later.
   */
  | {
      readonly type: "snapshot_sent";
      readonly peer: PeerId;
      readonly index: LogIndex;
      readonly ok: boolean;
    }
  /** The connection to `peer` broke: stop streaming to it until it answers. */
  | { readonly type: "unreachable"; readonly peer: PeerId };

export type RaftEffect =
  /**
   * Duty: may be lost, delayed, repeated, reordered. Nothing that must wait for the disk is among
   * them.
   */
  | { readonly type: "send"; readonly to: PeerId; readonly message: RaftMessage }
  /**
   * Duty: write in order; entries replace everything from the first one's index on. Then
   * `persisted`.
   */
  | {
      readonly type: "persist";
      readonly ticket: Ticket;
      readonly hardState: HardState | undefined;
      readonly entries: readonly Entry[];
    }
  /**
   * Duty: replace log and state machine by the offered snapshot and the entries behind it,
   * atomically and durably, with this hard state. Then `applied` and `persisted`. A page handed out
   * before and not applied yet is void. There are entries only where the member had lost its data
   * and had acknowledged them before.
   */
  | {
      readonly type: "restore";
      readonly ticket: Ticket;
      readonly hardState: HardState;
      readonly metadata: SnapshotMetadata;
      readonly entries: readonly Entry[];
    }
  /**
   * Duty: apply in order, then `applied`. Contiguous, committed, and durable on this node. At most
   * a page; the next follows `applied`.
   */
  | { readonly type: "apply"; readonly entries: readonly Entry[] }
  /**
   * Duty: stream a snapshot at or above `atLeast` to this peer, then `snapshot_sent`. May be
   * ordered again while one is under way.
   */
  | { readonly type: "send_snapshot"; readonly to: PeerId; readonly atLeast: LogIndex }
  /** `note`: the leader's answer to the follower's; empty where the reader leads itself. */
  | {
      readonly type: "read_ready";
      readonly ticket: Ticket;
      readonly index: LogIndex;
      readonly note: Uint8Array;
    }
  | { readonly type: "read_dropped"; readonly ticket: Ticket }
  /** The commands of the last proposal are at `first`, `first + 1`, … in `term`. */
  | { readonly type: "proposed"; readonly first: LogIndex; readonly term: Term }
  | {
      readonly type: "proposal_dropped";
      readonly reason:
        | "not_leader"
        | "transferring"
        | "change_in_progress"
        | "invalid_change"
        /** A quorum of the new configuration would need a snapshot to confirm it. */
        | "quorum_behind"
        /** No quorum of the new configuration was heard within an election timeout. */
        | "quorum_silent"
        /** No voter of the new configuration has its data (`request_snapshot`). */
        | "voters_lacking"
        | "too_many_pending";
    }
  /** Role, term or known leader has changed. */
  | {
      readonly type: "status";
      readonly role: Role;
      readonly term: Term;
      readonly leader: PeerId | undefined;
    };

export type Role = "follower" | "pre_candidate" | "candidate" | "leader";

/** Settings of a group. All times are of the monotonic clock, in milliseconds. */
export interface RaftConfig {
  readonly id: PeerId;
  /**
   * Seeds the generator that draws election timeouts and the first number of forwarded reads. Draw
   * it afresh whenever the node starts: an answer meant for an earlier life must not match.
   */
  readonly seed: number;
  readonly heartbeatMs: number;
  /** A follower campaigns after [electionMs, 2 * electionMs) without a leader. */
  readonly electionMs: number;
  /**
   * How long a leader may serve reads after a quorum heard from it. Less than `electionMs` by more
   * than two clocks can drift apart in that time.
   */
  readonly leaseMs: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly priority: number;
  /**
   * Largest bytes of entries in one append message, and of one `apply` page (each holds at least
   * one entry).
   */
  readonly maxAppendBytes: number;
  readonly maxApplyBytes: number;
  /** Unacknowledged append messages to one follower, and the bytes in them. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Proposed and not yet committed bytes at which further proposals are refused. */
  readonly maxUncommittedBytes: number;
}
