/**
 * One member of the placement driver. Its core is `step(state, now, inputs)`, shaped like a store's.
 * The members are one Raft group (region 0), so a member is known by its `PeerId`.
 */
import type { PeerId, Ticket } from "../base/ids.ts";
import type { LogEffect } from "../base/log.ts";
import type { PdCall, PdReply } from "../protocol/services.ts";
import type { RaftMessage, SnapshotMetadata } from "../raft/types.ts";
import type { DiskInput, WriteEffect } from "../storage/disk.ts";

/** What members say to each other. Encoded by `placement/codec.ts`; may be lost, late, repeated, reordered. */
export type PlacementMessage =
  | { readonly type: "raft"; readonly message: RaftMessage }
  /** The whole state of the driver at a snapshot: small, so it travels in one piece. */
  | {
      readonly type: "snapshot";
      readonly term: number;
      readonly metadata: SnapshotMetadata;
      readonly bytes: Uint8Array;
    };

export type PlacementInput =
  | { readonly type: "tick" }
  | { readonly type: "received"; readonly from: PeerId; readonly message: PlacementMessage }
  /**
   * A call, or one message of a stream (`Tso`, `QueryRegion`, `RegionHeartbeat`). Answered by exactly
   * one `reply` or `refuse` with this ticket. A member that is not the leader refuses with
   * UNAVAILABLE and a text that contains "not leader", except what any member may answer.
   */
  | { readonly type: "request"; readonly ticket: Ticket; readonly call: PdCall }
  | { readonly type: "cancelled"; readonly ticket: Ticket }
  | { readonly type: "unreachable"; readonly member: PeerId }
  | DiskInput;

export type PlacementEffect =
  | { readonly type: "send"; readonly to: PeerId; readonly message: PlacementMessage }
  | WriteEffect
  | { readonly type: "reply"; readonly ticket: Ticket; readonly reply: PdReply }
  | {
      readonly type: "refuse";
      readonly ticket: Ticket;
      readonly code: number;
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
