/**
 * The state of one store, between steps.
 */
import type { RegionId, Term, Ticket } from "../base/ids.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { Wire } from "../base/wire.ts";
import type { Key } from "../base/bytes.ts";
import type { MvccWrite } from "../mvcc/calls.ts";
import type { Region } from "../protocol/gen/metapb.ts";
import type { RawProposal } from "../region/propose.ts";
import type { Replicas } from "../region/registry.ts";
import type { Persisting } from "../region/turn.ts";
import type { StorageState } from "../storage/state.ts";
import type { Identity, StorageEffect } from "../storage/types.ts";
import type { Collection } from "./collection/state.ts";
import type { Transactions } from "./transactions/state.ts";
import type { Bucket } from "./throttle.ts";
import type { StoreConfig, StoreTrouble } from "./types.ts";

export interface StoreState {
  readonly config: StoreConfig;
  /** Scratch space for encoding; holds nothing from one call to the next. */
  readonly wire: Wire;
  /** Undefined until the store has joined a cluster for the first time. */
  readonly identity: Identity | undefined;
  readonly registration: Registration;
  readonly storage: StorageState;
  /** What the storage said at the end of a step, for the next one. */
  readonly heard: readonly StorageEffect[];
  readonly replicas: Replicas;
  readonly transactions: Transactions;
  /** See `Turn.safePoint`. */
  readonly safePoint: Timestamp | undefined;
  readonly collection: Collection;
  readonly nextTicket: Ticket;
  /** Batches of log records that are not durable yet, oldest first. */
  readonly durability: readonly Durability[];
  /** Writes of received tables under way. */
  readonly fileWrites: readonly FileWrite[];
  /** Writes that wait to be let in, in order, and their bytes. */
  readonly line: readonly WaitingWrite[];
  readonly lineBytes: number;
  readonly bucket: Bucket;
  /** As of the last tick: what all Raft logs take in memory, and the room on the disk. */
  readonly raftBytes: number;
  readonly freeBytes: number;
  /** Monotonic time at which the disk is asked again to take tables that it has refused. */
  readonly retryAt: number;
  /** When it was last said that the disk refuses writes, on the monotonic clock. */
  readonly complainedAt: number;
  /** Questions to the placement driver without an answer. */
  readonly asked: readonly Asked[];
  /** Bytes logged since the memtable was last frozen. */
  readonly loggedBytes: number;
  /** Since when that has not changed, on the monotonic clock, and whether the tree knows. */
  readonly rest: Rest;
  /** Whether what was recovered is durable; before that the store acts on nothing. */
  readonly opened: boolean;
  /** Monotonic time of the last heartbeat to the placement driver. */
  readonly heartbeatAt: number;
  /** Wall clock at the start, in seconds of the Unix epoch. */
  readonly startedSeconds: number;
  /** Set once the disk has refused: from then on the store takes part in nothing. */
  readonly trouble: StoreTrouble | undefined;
}

export interface Durability {
  readonly ticket: Ticket;
  readonly persisting: readonly Persisting[];
}

/** A write of tables that this region receives. */
export interface FileWrite {
  readonly ticket: Ticket;
  readonly region: RegionId;
}

/**
 * A write that adds to what the store has. What ends a transaction does not: it is always let in.
 */
export type Arriving =
  /** It has passed all checks. */
  | { readonly type: "raw"; readonly region: RegionId; readonly proposal: RawProposal }
  | {
      readonly type: "transactional";
      readonly ticket: Ticket;
      readonly call: Extract<
        MvccWrite,
        { readonly method: "KvPrewrite" | "KvPessimisticLock" | "KvFlush" }
      >;
    };

/** A write in line. */
export interface WaitingWrite {
  readonly write: Arriving;
  readonly bytes: number;
  /** Monotonic time at which it came. */
  readonly since: number;
}

/** How far the store has come in joining its cluster. */
export type Registration =
  /** Wants the cluster's id; with an identity already, to compare. */
  | { readonly type: "find_cluster" }
  | { readonly type: "get_store_id"; readonly cluster: bigint }
  /** Waits for the identity to be durable. */
  | { readonly type: "identify"; readonly ticket: Ticket }
  | { readonly type: "check_bootstrap" }
  /** Collects ids for the first region and its peer. */
  | { readonly type: "get_first_ids" }
  /** Waits for the first region to be durable here. */
  | { readonly type: "prepare"; readonly region: Region; readonly ticket: Ticket }
  | { readonly type: "bootstrap"; readonly region: Region }
  /** The cluster was bootstrapped before: by this store's region, or by another's? */
  | { readonly type: "compare"; readonly region: Region }
  | { readonly type: "put_store" }
  | { readonly type: "joined" };

export interface Asked {
  readonly ticket: Ticket;
  /** Monotonic time. */
  readonly at: number;
  readonly purpose: Purpose;
}

/** What an answer of the placement driver is for. */
export type Purpose =
  | { readonly type: "registration" }
  | { readonly type: "store_heartbeat" }
  | { readonly type: "safe_points" }
  | { readonly type: "region_heartbeat"; readonly region: RegionId }
  /** A timestamp above all at which earlier leaders of the region have read. */
  | { readonly type: "max_timestamp"; readonly region: RegionId; readonly term: Term }
  /** A timestamp up to which regions may be settled. */
  | { readonly type: "resolved_timestamp" }
  /** The placement driver is told what is settled here. */
  | { readonly type: "resolved_report" }
  /** The oracle's time, against which timestamps of clients are judged. */
  | { readonly type: "oracle" }
  /** Who leads the first region? */
  | { readonly type: "detector" }
  /** Is this silent replica still a member? */
  | { readonly type: "check_membership"; readonly region: RegionId }
  | {
      readonly type: "split";
      readonly region: RegionId;
      /** Of the client's call. */
      readonly ticket: Ticket;
      readonly keys: readonly Key[];
      readonly version: number;
      readonly confVer: number;
    };

/** What a store tells about itself at a glance. */
export const isJoined = (state: StoreState): boolean => state.registration.type === "joined";

/** Since when nothing was logged. */
export interface Rest {
  /** Bytes that had been logged since the last freeze. */
  readonly loggedBytes: number;
  /** On the monotonic clock. */
  readonly since: number;
  /** Whether the tree has been told. */
  readonly told: boolean;
}
