/**
 * One step of a store, as the replicas in it see it: what they read and where they leave what they
 * want done. It is made at the beginning of a step and taken apart at its end; nothing keeps it.
 */
import type { PeerId, RegionId, StoreId, Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { Wire } from "../base/wire.ts";
import type { TikvReply } from "../protocol/services.ts";
import type { DiskOperation } from "../storage/disk.ts";
import type { GroupMark } from "../storage/lsm/types.ts";
import type { Workspace } from "../storage/lsm/workspace.ts";
import type { TableCache } from "../storage/table/cache.ts";
import type { TableDamage, TableMeta } from "../storage/table/types.ts";
import type { LogRecord } from "../storage/types.ts";
import type { Error as RegionError } from "../protocol/gen/errorpb.ts";
import type { KvView } from "../storage/view.ts";
import type { Replica } from "./replica.ts";
import type { Registry } from "./registry.ts";
import type { RegionConfig, RegionEffect } from "./types.ts";

export interface Turn {
  readonly now: Now;
  /** Whether the store is being opened: what is known committed is applied again. */
  readonly replaying: boolean;
  readonly store: StoreId;
  readonly config: RegionConfig;
  /**
   * At least as late as every point at which versions of the data here were collected: what reads
   * below it may see is not whole. Undefined while that is not known: after a start, for one.
   */
  safePoint: Timestamp | undefined;
  /** Mixed into the seed of each Raft group. */
  readonly seed: number;
  readonly wire: Wire;
  /** Out: performed in this order at the end of the step. */
  readonly effects: { push(effect: RegionEffect): unknown };
  /** Out: goes to the shared log, in this order, as one batch. */
  readonly records: LogRecord[];
  /** Out: which Raft tickets `records` make durable. */
  readonly persisting: Persisting[];
  /** The applied data. Another one after an ingestion. */
  data: Workspace;
  /** The tables under it. Whoever has read asks it for damage before acting on what it read. */
  readonly tables: TableCache;
  /** What a replica's transactional reads see: the data beneath locks that are in memory only. */
  readonly viewOf: (replica: Replica) => KvView;
  readonly tree: TreePort;
  readonly replicas: Registry;
  /** Out: regions of which the placement driver should hear at once; most steps have no news. */
  news: Set<RegionId> | undefined;
  /** Out: whether something waits for what is applied now to be flushed. */
  wantsFreeze: boolean;
  /** Out: what reading has met; every replica it concerns is taken out of service. */
  readonly damage: TableDamage[];
  /**
   * Out: transactional writes that may be evaluated now, as the data hold all that was committed
   * when they asked.
   */
  readonly confirmed: Ticket[];
  /** Out: what became of transactional writes. */
  readonly settled: Settled[];
  /** Out: replicas that a split has made, to be started at the end of the step. */
  readonly started: { readonly region: RegionId; readonly campaign: boolean }[];
}

/** The fate of a transactional write: applied, or (`error`) not done. */
export interface Settled {
  readonly ticket: Ticket;
  readonly error: RegionError | undefined;
}

/** What replicas ask of the tables that are received and made for them. */
export interface TreePort {
  /** A number for a table that will be received. */
  reserve(): number;
  /**
   * Performs these on received tables, for `region`; `onFilesWritten` or `onFilesFailed` follows.
   */
  files(region: RegionId, operations: readonly DiskOperation[]): Ticket;
  /** Received tables that are not wanted any more. */
  discard(numbers: readonly number[]): void;
  /**
   * Puts these tables on top of everything applied so far. `records` up to now are logged first,
   * the one that names the tables among them, and `data` is another one afterwards.
   */
  ingest(tables: readonly TableMeta[], mark: GroupMark): void;
  /** Remembers durably that this replica's data is damaged, until an ingestion replaces it. */
  quarantine(region: RegionId): void;
  /** Tables that were made for followers are not needed any more. */
  release(ticket: Ticket): void;
}

/**
 * The peer is named too: a destroyed replica's tickets mean nothing to a later one of the region.
 */
export interface Persisting {
  readonly region: RegionId;
  readonly peer: PeerId;
  readonly ticket: Ticket;
}

/** The placement driver should hear of `region` at once. */
export function noteNews(turn: Turn, region: RegionId): void {
  turn.news ??= new Set();
  turn.news.add(region);
}

export function reply(turn: Turn, ticket: Ticket, answer: TikvReply): void {
  turn.effects.push({ type: "reply", ticket, reply: answer });
}
