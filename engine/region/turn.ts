/**
 * One step of a store, as the replicas in it see it: what they read and where they leave what they
 * want done. It is made at the beginning of a step and taken apart at its end; nothing keeps it.
 */
import type { PeerId, RegionId, StoreId, Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import type { Wire } from "../base/wire.ts";
import type { TikvReply } from "../protocol/services.ts";
import type { LogRecord } from "../storage/types.ts";
import type { Workspace } from "../storage/lsm/workspace.ts";
import type { Registry } from "./registry.ts";
import type { RegionConfig, RegionEffect } from "./types.ts";

export interface Turn {
  readonly now: Now;
  readonly store: StoreId;
  readonly config: RegionConfig;
  /** Mixed into the seed of each Raft group. */
  readonly seed: number;
  readonly wire: Wire;
  /** Out: performed in this order at the end of the step. */
  readonly effects: { push(effect: RegionEffect): unknown };
  /** Out: goes to the shared log, in this order, as one batch. */
  readonly records: LogRecord[];
  /** Out: which Raft tickets `records` make durable. */
  readonly persisting: Persisting[];
  readonly data: Workspace;
  readonly replicas: Registry;
  /** Out: regions of which the placement driver should hear at once; most steps have no news. */
  news: Set<RegionId> | undefined;
  /** Out: whether something waits for a checkpoint. */
  wantsCheckpoint: boolean;
  /** Out: replicas that a split has made, to be started at the end of the step. */
  readonly started: { readonly region: RegionId; readonly campaign: boolean }[];
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
