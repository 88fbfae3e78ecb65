/**
 * What replicas say to each other, and what they ask of the machine around them.
 */
import type { Key } from "../base/bytes.ts";
import type { LogIndex, PeerId, RegionId, StoreId, Term, Ticket } from "../base/ids.ts";
import type { LogEffect } from "../base/log.ts";
import type { TikvReply } from "../protocol/services.ts";
import type { SharedConfig } from "../raft/config.ts";
import type { RaftMessage } from "../raft/types.ts";
import type { Settled } from "../transaction/resolved.ts";
import type { DetectorMessage } from "../transaction/messages.ts";
import type { RawMode } from "../raw/command.ts";

/** What stores say to each other. Encoded by `codec.ts`; may be lost, late, repeated, reordered. */
export type StoreMessage =
  | RaftEnvelope
  | SnapshotChunk
  | SnapshotAck
  | PeerRemoved
  /** From a leader: what is settled in these regions (`transaction/resolved.ts`). */
  | { readonly type: "safe_timestamps"; readonly regions: readonly SafeTimestamp[] }
  /** About waits, between the store they are at and the detector of deadlocks. */
  | { readonly type: "detector"; readonly message: DetectorMessage };

/** A replica of the region at this version may be read at `ts` once it has applied `index`. */
export interface SafeTimestamp extends Settled {
  readonly region: RegionId;
}

/**
 * For the replica `to` of `region`. Range and epoch let a store that has no such replica yet judge
 * whether to make one.
 */
export interface RaftEnvelope {
  readonly type: "raft";
  readonly region: RegionId;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly confVer: number;
  readonly version: number;
  readonly startKey: Key;
  readonly endKey: Key;
  readonly message: RaftMessage;
}

/**
 * One piece of a region snapshot at (index, term). Pieces of one transfer have the same `attempt`
 * and count up from 0; another attempt may cut the same snapshot at other places, and a later one
 * has a higher number.
 */
export interface SnapshotChunk {
  readonly type: "snapshot_chunk";
  readonly region: RegionId;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly index: LogIndex;
  readonly term: Term;
  readonly attempt: number;
  readonly sequence: number;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** The receiver wants piece `next`; or has all, or wants none of it. */
export interface SnapshotAck {
  readonly type: "snapshot_ack";
  readonly region: RegionId;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly index: LogIndex;
  readonly attempt: number;
  readonly next: number;
  readonly status: "more" | "done" | "refused";
}

/**
 * The receiver's replica is not a member any more (it was removed at this epoch or before): destroy
 * it.
 */
export interface PeerRemoved {
  readonly type: "peer_removed";
  readonly region: RegionId;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly confVer: number;
  readonly version: number;
}

export type RegionEffect =
  | { readonly type: "send"; readonly to: StoreId; readonly message: StoreMessage }
  | { readonly type: "reply"; readonly ticket: Ticket; readonly reply: TikvReply }
  /** The call ends with this gRPC status. */
  | {
      readonly type: "refuse";
      readonly ticket: Ticket;
      readonly code: number;
      readonly message: string;
    }
  | LogEffect;

/** Settings that every replica of a store shares. */
export interface RegionConfig {
  readonly raft: SharedConfig;
  readonly raw: RawMode;
  /** Longest key that is accepted, in bytes. */
  readonly maxKeyBytes: number;
  /** Largest single write, in bytes; a larger one gets `RaftEntryTooLarge`. */
  readonly maxEntryBytes: number;
  /** Writes of one turn share log entries of about this many bytes. */
  readonly batchBytes: number;
  /** Bytes of one snapshot piece. */
  readonly chunkBytes: number;
  /**
   * A snapshot piece is sent again after this long without an answer; after `snapshotGiveUpMs`
   * without one the transfer ends.
   */
  readonly chunkRetryMs: number;
  readonly snapshotGiveUpMs: number;
  /** A read that could not be confirmed for this long is answered `ReadIndexNotReady`. */
  readonly readTimeoutMs: number;
  /** A peer that was silent for this long is reported as down. */
  readonly downAfterMs: number;
  /** Applied entries kept in the log for followers that are behind. */
  readonly retainedEntries: number;
}
