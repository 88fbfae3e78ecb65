/**
 * One replica of a region on one store: its Raft group, what it has applied, and who waits for it.
 */
import type { LogIndex, PeerId, RegionId, StoreId, Term, Ticket } from "../base/ids.ts";
import type { Peer, Region } from "../protocol/gen/metapb.ts";
import type { RaftState } from "../raft/state.ts";
import type { Configuration, SnapshotMetadata } from "../raft/types.ts";
import type { RawRead, RawWriteMethod } from "../raw/request.ts";
import type { KvView } from "../storage/view.ts";
import { idOf, peerById, storeIdOf } from "./descriptor.ts";

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
  readonly incoming: IncomingSnapshot | undefined;
  /** The last split that no durable checkpoint holds yet; 0 for none. See `canLeave`. */
  readonly splitAt: LogIndex;
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
  readonly method: RawWriteMethod | "SplitRegion";
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
  readonly calls: readonly { readonly ticket: Ticket; readonly call: RawRead }[];
}

export interface OutgoingSnapshot {
  readonly to: PeerId;
  readonly metadata: SnapshotMetadata;
  readonly region: Region;
  /** The instant it is taken from. */
  readonly view: KvView;
  /** The piece under way, and where the next one begins. */
  readonly sequence: number;
  readonly piece: Uint8Array;
  readonly last: boolean;
  readonly position: SnapshotPosition;
  /** Tells this transfer from earlier ones of the same snapshot. */
  readonly attempt: number;
  /** Monotonic times of the piece's first sending, and of its last. */
  readonly cutAt: number;
  readonly sentAt: number;
}

/** Where a snapshot's next piece begins: a column family by number, and a key in it. */
export interface SnapshotPosition {
  readonly family: number;
  readonly key: string;
}

export interface IncomingSnapshot {
  readonly from: PeerId;
  readonly index: LogIndex;
  readonly term: Term;
  readonly attempt: number;
  readonly pieces: readonly Uint8Array[];
  readonly complete: boolean;
}

/** A replica that nobody waits for yet. */
export const newReplica = (
  known: Pick<Replica, "region" | "peer" | "raft" | "applied" | "appliedTerm" | "configuration">,
): Replica => ({
  ...known,
  pending: [],
  reads: [],
  outgoing: [],
  incoming: undefined,
  splitAt: 0 as LogIndex,
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
    incoming: replica.incoming,
    splitAt: replica.splitAt,
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
    incoming: replica.incoming,
    splitAt: replica.splitAt,
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
