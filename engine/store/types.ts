/**
 * One store: one process, one disk, many replicas. Its core is `step(state, now, inputs)`: all that
 * has arrived since the last step goes in together, so that one write to the disk serves it all.
 */
import type { StoreId, Ticket } from "../base/ids.ts";
import type { PdCall, PdReply, TikvCall } from "../protocol/services.ts";
import type { RegionConfig, RegionEffect, StoreMessage } from "../region/types.ts";
import type { DiskFailure, DiskInput, FileName, WriteEffect } from "../storage/disk.ts";
import type { TreeEffect, TreeInput } from "../storage/lsm/types.ts";
import type { ThrottleConfig } from "./throttle.ts";
import type { StorageConfig } from "../storage/types.ts";

export type { StoreMessage } from "../region/types.ts";

export type StoreInput =
  /** Time has passed; comes at least every `tickMs`. */
  | { readonly type: "tick" }
  | { readonly type: "received"; readonly from: StoreId; readonly message: StoreMessage }
  /**
   * A client's call. Answered by exactly one `reply` or `refuse` with this ticket (unless
   * `cancelled` first).
   */
  | { readonly type: "request"; readonly ticket: Ticket; readonly call: TikvCall }
  /** The client no longer waits. */
  | { readonly type: "cancelled"; readonly ticket: Ticket }
  /** The connection to this store broke. */
  | { readonly type: "unreachable"; readonly store: StoreId }
  | { readonly type: "placement_answer"; readonly ticket: Ticket; readonly answer: PlacementAnswer }
  | Extract<TreeInput, { readonly type: "job_done" | "job_failed" }>
  | DiskInput;

/**
 * `unavailable`: no leader of the placement driver could be asked, or it gave no answer in time. It
 * may have acted.
 */
export type PlacementAnswer =
  | { readonly ok: true; readonly reply: PdReply }
  | { readonly ok: false; readonly reason: "unavailable" };

export type StoreEffect =
  | RegionEffect
  | WriteEffect
  | Extract<TreeEffect, { readonly type: "job" }>
  /**
   * Ask the leader of the placement driver, then input `placement_answer`. The driver finds the
   * leader, and gives up after a few seconds.
   */
  | { readonly type: "ask_placement"; readonly ticket: Ticket; readonly call: PdCall }
  /** The store can go on no more: stop the process. */
  | { readonly type: "stop"; readonly reason: string };

/** Why a store refuses writes, where it does. */
export interface StoreTrouble {
  readonly reason: DiskFailure;
  readonly file: FileName;
}

/** How a store collects old versions. */
export interface CollectionConfig {
  /** Between two questions for the safe points, in milliseconds. */
  readonly pollMs: number;
  /** Records that the sweep looks at in one tick, about. */
  readonly sweepRecords: number;
  /** Whether compactions leave out what is garbage. */
  readonly inCompactions: boolean;
}

/**
 * Settings of one store, validated by whoever makes them. Times in milliseconds of the monotonic
 * clock.
 */
export interface StoreConfig {
  /** Where clients and other stores reach this one, as `host:port`. */
  readonly address: string;
  readonly statusAddress: string;
  /** Semantic version told to the placement driver. */
  readonly version: string;
  readonly labels: readonly { readonly key: string; readonly value: string }[];
  /** Bytes the store may use, as told to the placement driver. */
  readonly capacityBytes: number;
  /** Differs from start to start: seeds election timeouts. */
  readonly seed: number;
  readonly tickMs: number;
  readonly storeHeartbeatMs: number;
  readonly regionHeartbeatMs: number;
  /** How often it is found out up to when followers may be read by themselves; 0: never. */
  readonly resolveMs: number;
  /** Bytes of a memtable at which it is frozen and flushed. */
  readonly memtableBytes: number;
  /** Bytes of tables that whoever drives the store lets its `TableCache` remember. */
  readonly cacheBytes: number;
  readonly collection: CollectionConfig;
  /** When writes are slowed down and refused. */
  readonly throttle: ThrottleConfig;
  /** Log bytes after which it is frozen all the same, so that the log can be shortened. */
  readonly freezeLogBytes: number;
  readonly pessimistic: PessimisticConfig;
  readonly maxTs: MaxTsConfig;
  readonly region: RegionConfig;
  readonly storage: StorageConfig;
}

/** What becomes of calls that would raise `max_ts` beyond the oracle's time. */
export interface MaxTsConfig {
  /** Refuse the call, refuse it and stop the store, or only say so. */
  readonly action: "error" | "panic" | "log";
  /** Milliseconds after which the oracle's time is asked for again. */
  readonly syncMs: number;
  /** How far a timestamp may lie ahead of it, in milliseconds. */
  readonly driftMs: number;
}

/** How pessimistic locks are taken and waited for. */
export interface PessimisticConfig {
  /** Whether the leader keeps them in memory, as long as there is room. */
  readonly inMemory: boolean;
  /** Bytes of such locks of one region and of the store; further ones are written. */
  readonly regionBytes: number;
  readonly storeBytes: number;
  /** Whether those that are written are answered before they are applied. */
  readonly pipelined: boolean;
  /** Longest wait for a lock, and the wait of requests that do not say how long. */
  readonly waitMs: number;
  /** Between the first waiter that is woken when a lock goes, and the others. */
  readonly wakeDelayMs: number;
}
