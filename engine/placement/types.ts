/**
 * One member of the placement driver. Its core is `step(state, now, inputs)`, shaped like a
 * store's. The members are one Raft group (region 0), so a member is known by its `PeerId`.
 */
import type { PeerId, Ticket } from "../base/ids.ts";
import type { LogEffect } from "../base/log.ts";
import type {
  EtcdCall,
  EtcdReply,
  KeyspaceCall,
  KeyspaceReply,
  MetaStorageCall,
  MetaStorageReply,
  PdCall,
  PdReply,
} from "../protocol/services.ts";
import type { RaftMessage, SnapshotMetadata } from "../raft/types.ts";
import type { DiskInput, WriteEffect } from "../storage/disk.ts";

/**
 * What members say to each other. Encoded by `placement/codec.ts`; may be lost, late, repeated,
 * reordered.
 */
export type PlacementMessage =
  | { readonly type: "raft"; readonly message: RaftMessage }
  /** The whole state of the driver at a snapshot: small, so it travels in one piece. */
  | {
      readonly type: "snapshot";
      readonly term: number;
      readonly metadata: SnapshotMetadata;
      readonly bytes: Uint8Array;
    };

/** What is served of etcd: all that clients ask of it. */
type EtcdMethod = { readonly method: "Range" | "MemberList" };

/** A call of any service on the driver's port. Method names are unique over them. */
export type PlacementCall = PdCall | KeyspaceCall | MetaStorageCall | Extract<EtcdCall, EtcdMethod>;
export type PlacementReply =
  PdReply | KeyspaceReply | MetaStorageReply | Extract<EtcdReply, EtcdMethod>;

/** What an operator of the cluster may order, beyond the calls that clients and stores make. */
export type AdminOrder =
  /**
   * `offline` drains the store of its peers; `up` takes that back; `tombstone` is for ever, and
   * only for an empty store.
   */
  | {
      readonly type: "set_store_state";
      readonly store: number;
      readonly state: "up" | "offline" | "tombstone";
    }
  /**
   * The region's leadership is to go to its voter on this store. Ordered with its next heartbeat.
   */
  | { readonly type: "transfer_region_leader"; readonly region: number; readonly store: number }
  /**
   * The region is to have its voters and learners on these stores: new peers first, as learners,
   * then all else at once. Ordered with its next heartbeats.
   */
  | {
      readonly type: "rearrange_region";
      readonly region: number;
      readonly voters: readonly number[];
      readonly learners: readonly number[];
    }
  /** The driver's own leadership is to go to this member. */
  | { readonly type: "transfer_leadership"; readonly to: PeerId };

export type PlacementInput =
  /** Time has passed; comes at least every `TICK_MS`. */
  | { readonly type: "tick" }
  | { readonly type: "received"; readonly from: PeerId; readonly message: PlacementMessage }
  /**
   * A call, or one message of a stream (`Tso`, `QueryRegion`, `RegionHeartbeat`). Answered by
   * exactly one `reply` or `refuse` with this ticket (unless `cancelled` first); calls of one
   * method in the order in which they came. A member that is not the leader refuses with
   * UNAVAILABLE and a text that contains "not leader", except what any member may answer.
   */
  | { readonly type: "request"; readonly ticket: Ticket; readonly call: PlacementCall }
  | { readonly type: "cancelled"; readonly ticket: Ticket }
  /** Answered by exactly one `admin_done` with this ticket. */
  | { readonly type: "admin"; readonly ticket: Ticket; readonly order: AdminOrder }
  | { readonly type: "unreachable"; readonly member: PeerId }
  | DiskInput;

export type PlacementEffect =
  | { readonly type: "send"; readonly to: PeerId; readonly message: PlacementMessage }
  | WriteEffect
  | { readonly type: "reply"; readonly ticket: Ticket; readonly reply: PlacementReply }
  | {
      readonly type: "refuse";
      readonly ticket: Ticket;
      /** A gRPC status code. */
      readonly code: number;
      readonly message: string;
    }
  | {
      readonly type: "admin_done";
      readonly ticket: Ticket;
      readonly ok: boolean;
      /** Why not; empty where `ok`. */
      readonly message: string;
    }
  | LogEffect
  | { readonly type: "stop"; readonly reason: string };

/** One member of the group, as configured. */
export interface Member {
  readonly id: PeerId;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}
