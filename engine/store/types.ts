/**
 * One store: one process, one disk, many replicas. Its core is `step(state, now, inputs)`: all that
 * has arrived since the last step goes in together, so that one write to the disk serves it all.
 */
import type { PeerId, RegionId, StoreId, Ticket } from "../base/ids.ts";
import type { Key } from "../base/bytes.ts";
import type { LogEffect } from "../base/log.ts";
import type { LogIndex, Term } from "../base/ids.ts";
import type { RaftMessage } from "../raft/types.ts";
import type { DiskFailure, DiskInput, FileName, WriteEffect } from "../storage/disk.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../protocol/services.ts";

/** What stores say to each other. Encoded by `store/codec.ts`; may be lost, late, repeated, reordered. */
export type StoreMessage =
  /** For the replica `to` of `region`. Range and epoch let a store that has no such replica yet judge whether to make one. */
  | {
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
  /** One piece of a region snapshot. Pieces of one snapshot have the same (from, index, term) and count up from 0. */
  | {
      readonly type: "snapshot_chunk";
      readonly region: RegionId;
      readonly from: PeerId;
      readonly to: PeerId;
      readonly index: LogIndex;
      readonly term: Term;
      readonly sequence: number;
      readonly last: boolean;
      readonly bytes: Uint8Array;
    }
  /** The receiver wants `next`; `done` when it has all, `refused` when it wants none of it. */
  | {
      readonly type: "snapshot_ack";
      readonly region: RegionId;
      readonly from: PeerId;
      readonly to: PeerId;
      readonly index: LogIndex;
      readonly next: number;
      readonly status: "more" | "done" | "refused";
    }
  /** The receiver's replica is not a member any more (its id was removed at this epoch or before): destroy it. */
  | {
      readonly type: "peer_removed";
      readonly region: RegionId;
      readonly from: PeerId;
      readonly to: PeerId;
      readonly confVer: number;
      readonly version: number;
    };

export type StoreInput =
  /** Time has passed; comes at least every `tickMs`. */
  | { readonly type: "tick" }
  | { readonly type: "received"; readonly from: StoreId; readonly message: StoreMessage }
  /** A client's call. Answered by exactly one `reply` or `refuse` with this ticket (unless `cancelled` first). */
  | { readonly type: "request"; readonly ticket: Ticket; readonly call: TikvCall }
  /** The client no longer waits. */
  | { readonly type: "cancelled"; readonly ticket: Ticket }
  /** The connection to this store broke. */
  | { readonly type: "unreachable"; readonly store: StoreId }
  | { readonly type: "placement_answer"; readonly ticket: Ticket; readonly answer: PlacementAnswer }
  /** The placement driver orders something outside of an answer. */
  | DiskInput;

/** `unavailable`: no leader of the placement driver could be asked, or it gave no answer in time. It may have acted. */
export type PlacementAnswer =
  | { readonly ok: true; readonly reply: PdReply }
  | { readonly ok: false; readonly reason: "unavailable" };

export type StoreEffect =
  | { readonly type: "send"; readonly to: StoreId; readonly message: StoreMessage }
  | WriteEffect
  | { readonly type: "reply"; readonly ticket: Ticket; readonly reply: TikvReply }
  /** The call ends with this gRPC status. */
  | {
      readonly type: "refuse";
      readonly ticket: Ticket;
      readonly code: number;
      readonly message: string;
    }
  /** Ask the leader of the placement driver, then input `placement_answer`. The driver finds the leader, and gives up after a few seconds. */
  | { readonly type: "ask_placement"; readonly ticket: Ticket; readonly call: PdCall }
  | LogEffect
  /** The store can go on no more: stop the process. */
  | { readonly type: "stop"; readonly reason: string };

/** Why a store refuses writes, where it does. */
export interface StoreTrouble {
  readonly reason: DiskFailure;
  readonly file: FileName;
}
