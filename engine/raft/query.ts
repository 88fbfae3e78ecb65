/** What others may ask of a member's state. */
import type { LogIndex, PeerId, Term } from "../base/ids.ts";
import type { RaftState } from "./state.ts";
import type { Configuration, Role } from "./types.ts";
import { nextIndex } from "../base/ids.ts";
import { inForce } from "./configuration.ts";
import { quorumHeardMs } from "./lease.ts";
import * as logs from "./log.ts";

export { leaseValid } from "./lease.ts";

export const role = (state: RaftState): Role => state.role;
export const term = (state: RaftState): Term => state.term;
export const isLeader = (state: RaftState): boolean => state.role === "leader";

/** The leader of the current term, where it is known. */
export const leader = (state: RaftState): PeerId | undefined =>
  state.leader === 0 ? undefined : state.leader;

/** Whether the leader is handing over, and takes no proposals meanwhile. */
export const isTransferring = (state: RaftState): boolean => state.transfer !== undefined;

/** Highest index known to be committed. */
export const committed = (state: RaftState): LogIndex => state.commit;
/** Highest index that the state machine has confirmed. */
export const applied = (state: RaftState): LogIndex => state.applied;
/** The first entry still in the log; one behind the last where there is none. */
export const firstIndex = (state: RaftState): LogIndex => nextIndex(state.log.base);
/** What the entries in the log take in memory, about, in bytes. */
export const logBytes = (state: RaftState): number => state.log.bytes;
export const lastIndex = (state: RaftState): LogIndex => state.log.last;

/**
 * The term of the entry at `index`, or of the last one forgotten; undefined where it is not known.
 */
export const termAt = (state: RaftState, index: LogIndex): Term | undefined =>
  logs.termAt(state.log, index);

/**
 * The configuration in force: that of the last configuration entry in the log, committed or not.
 */
export const configuration = (state: RaftState): Configuration =>
  inForce(state.history).configuration;

/**
 * Whether an entry of the leader's own term is applied: only then it knows all that is committed.
 */
export const hasAppliedOwnTerm = (state: RaftState): boolean =>
  state.role === "leader" && state.applied >= state.termStart;

/** Leader: whether a quorum was heard within the last election timeout. */
export const quorumActive = (state: RaftState, nowMs: number): boolean =>
  state.role === "leader" && nowMs - quorumHeardMs(state, nowMs) < state.config.electionMs;

/** Whether the member's data is lost and a snapshot asked for. */
export const isLacking = (state: RaftState): boolean => state.lacking;

/** What a leader knows of another member. */
export interface PeerProgress {
  readonly peer: PeerId;
  /** Durable there and equal to the leader's log up to here. */
  readonly matched: LogIndex;
  /** When it was last heard, on the leader's monotonic clock in milliseconds. */
  readonly heardMs: number;
  /** Least index of the snapshot it is waiting for. */
  readonly pendingSnapshot: LogIndex | undefined;
  /** When it last said that it has lost its data, on the same clock. */
  readonly lackingMs: number;
}

/** Leader: all other members in ascending order. Else empty. */
export function progress(state: RaftState): readonly PeerProgress[] {
  return state.peers.map(({ peer, matched, heardMs, lackingMs, state: kind, pendingSnapshot }) => ({
    peer,
    matched,
    heardMs,
    pendingSnapshot: kind === "snapshot" ? pendingSnapshot : undefined,
    lackingMs,
  }));
}
