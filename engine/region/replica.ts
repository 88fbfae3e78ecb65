/**
 * One replica of a region on one store: its Raft group, what it has applied, and who waits for it.
 */
import type { LogIndex, PeerId, RegionId, StoreId, Term, Ticket } from "../base/ids.ts";
import type { Peer, Region } from "../protocol/gen/metapb.ts";
import type { RaftState } from "../raft/state.ts";
import type { Configuration } from "../raft/types.ts";
import type { MvccRead, MvccWrite, MvccWriteMethod } from "../mvcc/calls.ts";
import type { RawRead, RawWriteMethod } from "../raw/request.ts";
import type { FileName } from "../storage/disk.ts";
import { idOf, peerById, storeIdOf } from "./descriptor.ts";
import type { SnapshotHead } from "./snapshot/head.ts";

export interface Replica {
  /**
   * As of `applied`. Without peers while this store does not know the region's range and members
   * yet.
   */
  readonly region: Region;
  /** This store's own peer, as of `applied`. */
  readonly peer: Peer;
  readonly raft: RaftState;
  /** Last entry whose effects the data holds. */
  readonly applied: LogIndex;
  readonly appliedTerm: Term;
  /** In force at `applied`; Raft's own may be ahead of it. */
  readonly configuration: Configuration;
  /** Proposals of this replica that are not applied yet, in order of index. */
  readonly pending: readonly Pending[];
  readonly reads: readonly WaitingReads[];
  /** Snapshots on their way to other replicas. */
  readonly outgoing: readonly OutgoingSnapshot[];
  readonly extraction: Extraction | undefined;
  readonly incoming: IncomingSnapshot | undefined;
  /** Set while part of the data cannot be known. */
  readonly damaged: Damaged | undefined;
  /** The last split that no flush has made durable yet; 0 for none. See `canLeave`. */
  readonly splitAt: LogIndex;
  /** What the last flush since the start or since a snapshot holds; 0 before. */
  readonly flushed: LogIndex;
  /** Peers that wrote to this one before it knew them from the region's descriptor. */
  readonly acquaintances: readonly Peer[];
  /** Monotonic time of the last report to the placement driver. */
  readonly reportedAt: number;
}

/** Who waits for one proposed entry. The entry at `index` is theirs only if it has this term. */
export interface Pending {
  readonly index: LogIndex;
  readonly term: Term;
  readonly parts: readonly PendingPart[];
}

/** One call within an entry, and how many of the entry's commands are its own. */
export interface PendingPart {
  readonly ticket: Ticket;
  readonly method: RawWriteMethod | MvccWriteMethod | "SplitRegion";
  readonly commands: number;
}

/** Reads that share one question to Raft. */
export interface WaitingReads {
  readonly ticket: Ticket;
  /** Applied state at or above this answers them; undefined while Raft has not said. */
  readonly index: LogIndex | undefined;
  /** Monotonic time at which they began to wait. */
  readonly since: number;
  /** The region's version when they were checked. */
  readonly version: number;
  readonly calls: readonly ReadCall[];
}

/** A call that must see all that was committed when it came: a read, or a write's evaluation. */
export interface ReadCall {
  readonly ticket: Ticket;
  readonly call: RawRead | MvccRead | MvccWrite;
}

/**
 * A snapshot on its way to one follower. Before `sending` it waits for tables at or above
 * `atLeast`.
 */
export interface OutgoingSnapshot {
  readonly to: PeerId;
  readonly atLeast: LogIndex;
  readonly sending: Sending | undefined;
}

/** How far a transfer has come. */
export interface Sending {
  /** Index and term of the snapshot. */
  readonly index: LogIndex;
  readonly term: Term;
  /** Tells this transfer from earlier ones of the same snapshot. */
  readonly attempt: number;
  /** The piece under way. */
  readonly sequence: number;
  /** Monotonic times of the piece's first sending, and of its last. */
  readonly cutAt: number;
  readonly sentAt: number;
}

/** Tables made of this region for its followers: all that are sent one at a time share them. */
export interface Extraction {
  /** Of the order to make them; undefined until the freeze they are made behind. */
  readonly ticket: Ticket | undefined;
  /** What was applied when they were ordered, and is in them. */
  readonly index: LogIndex;
  /** What they hold, once they are made. */
  readonly made: SnapshotHead | undefined;
  /** Monotonic time at which somebody last had a use for them. */
  readonly usedAt: number;
}

/** A snapshot that is being received: its tables are written piece by piece. */
export interface IncomingSnapshot {
  readonly from: PeerId;
  readonly index: LogIndex;
  readonly term: Term;
  readonly attempt: number;
  /** With the numbers that the tables have here. */
  readonly head: SnapshotHead;
  /** The next piece. */
  readonly wanted: number;
  /** The table it belongs to, by its place, how much of that is here, and the CRC-32 of that. */
  readonly table: number;
  readonly received: number;
  readonly crc32: number;
  /** The write that the last piece waits for, and to which store its answer goes. */
  readonly writing: { readonly ticket: Ticket; readonly to: StoreId } | undefined;
  /** Everything is here, checked and durable. */
  readonly complete: boolean;
}

/** What is known of damage to a replica's data. The replica serves nobody until it is replaced. */
export interface Damaged {
  readonly file: FileName;
  readonly offset: number;
  /** A sentence for people. */
  readonly detail: string;
  /** Wall clock when it was found, in milliseconds of the Unix epoch. */
  readonly sinceMs: number;
}

/** A replica that nobody waits for yet. */
export const newReplica = (
  known: Pick<Replica, "region" | "peer" | "raft" | "applied" | "appliedTerm" | "configuration">,
): Replica => ({
  region: known.region,
  peer: known.peer,
  raft: known.raft,
  applied: known.applied,
  appliedTerm: known.appliedTerm,
  configuration: known.configuration,
  pending: [],
  reads: [],
  outgoing: [],
  extraction: undefined,
  incoming: undefined,
  damaged: undefined,
  splitAt: 0 as LogIndex,
  flushed: 0 as LogIndex,
  acquaintances: [],
  reportedAt: Number.NEGATIVE_INFINITY,
});

export const regionId = (replica: Replica): RegionId => idOf(replica.region);

/**
 * On the hot path of every message: written out in full, as a chain of spreads costs ten times
 * more.
 */
export function withRaft(replica: Replica, raft: RaftState): Replica {
  return {
    region: replica.region,
    peer: replica.peer,
    raft,
    applied: replica.applied,
    appliedTerm: replica.appliedTerm,
    configuration: replica.configuration,
    pending: replica.pending,
    reads: replica.reads,
    outgoing: replica.outgoing,
    extraction: replica.extraction,
    incoming: replica.incoming,
    damaged: replica.damaged,
    splitAt: replica.splitAt,
    flushed: replica.flushed,
    acquaintances: replica.acquaintances,
    reportedAt: replica.reportedAt,
  };
}

/** The replica after an entry, and who still waits. Written out for the same reason. */
export function withApplied(
  replica: Replica,
  applied: LogIndex,
  appliedTerm: Term,
  pending: readonly Pending[],
): Replica {
  return {
    region: replica.region,
    peer: replica.peer,
    raft: replica.raft,
    applied,
    appliedTerm,
    configuration: replica.configuration,
    pending,
    reads: replica.reads,
    outgoing: replica.outgoing,
    extraction: replica.extraction,
    incoming: replica.incoming,
    damaged: replica.damaged,
    splitAt: replica.splitAt,
    flushed: replica.flushed,
    acquaintances: replica.acquaintances,
    reportedAt: replica.reportedAt,
  };
}

/** The replica with some fields changed. For what is rare. */
export const withReplica = (replica: Replica, change: Partial<Replica>): Replica => ({
  ...replica,
  ...change,
});

/** The store of a peer this replica knows, from the descriptor or because it wrote to this one. */
export function storeOf(replica: Replica, peer: PeerId): StoreId | undefined {
  const known =
    peerById(replica.region, peer) ?? replica.acquaintances.find((other) => other.id === peer);
  return known === undefined ? undefined : storeIdOf(known);
}
