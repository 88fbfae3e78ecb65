/** What the log lane remembers: what waits, what is being written, segments and groups. */
import type { Key } from "../../base/bytes.ts";
import { LogIndex } from "../../base/ids.ts";
import type { RegionId, Ticket } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import type { Checkpoint, CheckpointGroup, LogRecord } from "../types.ts";
import type { GroupLog } from "./group.ts";

export interface LogState {
  /** Records that no write has taken yet, and the newest ticket among them. */
  readonly pending: readonly LogRecord[];
  readonly pendingTicket: Ticket | undefined;
  /** A turn has ended since records began to wait. */
  readonly due: boolean;
  /** The one write of this lane under way. */
  readonly writing: LogWriting | undefined;
  /** Whether the last write was one of records: then a checkpoint's slice may go first. */
  readonly wroteLog: boolean;
  /** Ascending; the last one is written to. Empty until the first write. */
  readonly segments: readonly Segment[];
  /** Segments before this one are not needed; some may still have to be removed. */
  readonly oldest: number;
  /** Number of the last batch that was handed to the disk. */
  readonly sequence: number;
  /** Checksum of that batch's frame. */
  readonly chain: number;
  /** Checksum seed of the last segment. */
  readonly seed: number;
  /** By `regionKey`. */
  readonly groups: Tree<GroupLog>;
  /** The newest durable checkpoint. */
  readonly checkpoint: DurableCheckpoint | undefined;
  /** The checkpoint being written. */
  readonly draft: Draft | undefined;
}

export interface Segment {
  readonly number: number;
  /** In bytes, with what is being written. */
  readonly size: number;
  /** How many groups have entries or a snapshot in it. */
  readonly holders: number;
}

export type LogWriting =
  /** Repairs after `open`, of all files. */
  | { readonly type: "repairs"; readonly ticket: Ticket }
  /** Records; `durable` is the newest ticket that they complete. */
  | { readonly type: "records"; readonly ticket: Ticket; readonly durable: Ticket | undefined }
  | { readonly type: "removal"; readonly ticket: Ticket }
  /** A slice of the draft; `next` is where the following one starts, undefined after the last. */
  | { readonly type: "slice"; readonly ticket: Ticket; readonly next: Draft | undefined };

export interface DurableCheckpoint {
  readonly number: number;
  readonly groups: readonly CheckpointGroup[];
  /** Never changed. */
  readonly applied: ReadonlyMap<RegionId, LogIndex>;
}

/** How far a checkpoint has been written. */
export interface Draft {
  readonly checkpoint: Checkpoint;
  readonly number: number;
  /** The batch that must be durable before the checkpoint may be. */
  readonly sequence: number;
  readonly seed: number;
  /** Size of the file so far; 0 before the header. */
  readonly size: number;
  /** Number of the next block. */
  readonly block: number;
  /** Where the next block starts. */
  readonly position: DraftPosition;
}

export type DraftPosition =
  | { readonly part: "groups"; readonly index: number }
  /** `family` is a place in `COLUMN_FAMILIES`. */
  | { readonly part: "pairs"; readonly family: number; readonly key: Key }
  | { readonly part: "end" };

export const emptyLog = (): LogState => ({
  pending: [],
  pendingTicket: undefined,
  due: false,
  writing: undefined,
  wroteLog: false,
  segments: [],
  oldest: 1,
  sequence: 0,
  chain: 0,
  seed: 0,
  groups: tree.empty(),
  checkpoint: undefined,
  draft: undefined,
});

/** The batch that holds all that has been handed in until now. */
export const sequenceOfNow = ({ pendingTicket, sequence }: LogState): number =>
  pendingTicket === undefined ? sequence : sequence + 1;

/** The last batch that is known to be durable. */
export const durableSequence = ({ writing, sequence }: LogState): number =>
  writing?.type === "records" ? sequence - 1 : sequence;

/**
 * What waits for the next write. Written out in full, as the next one: a spread costs ten times
 * more.
 */
export function withQueue(
  log: LogState,
  pending: readonly LogRecord[],
  pendingTicket: Ticket | undefined,
  due: boolean,
): LogState {
  return {
    pending,
    pendingTicket,
    due,
    writing: log.writing,
    wroteLog: log.wroteLog,
    segments: log.segments,
    oldest: log.oldest,
    sequence: log.sequence,
    chain: log.chain,
    seed: log.seed,
    groups: log.groups,
    checkpoint: log.checkpoint,
    draft: log.draft,
  };
}

/** A write begins or (undefined) has ended. */
export function withWriting(
  log: LogState,
  writing: LogWriting | undefined,
  wroteLog: boolean,
): LogState {
  return {
    pending: log.pending,
    pendingTicket: log.pendingTicket,
    due: log.due,
    writing,
    wroteLog,
    segments: log.segments,
    oldest: log.oldest,
    sequence: log.sequence,
    chain: log.chain,
    seed: log.seed,
    groups: log.groups,
    checkpoint: log.checkpoint,
    draft: log.draft,
  };
}

/** `groups` as the durable checkpoint with this number. Keeps `groups`. */
export function durableCheckpoint(
  number: number,
  groups: readonly CheckpointGroup[],
): DurableCheckpoint {
  const applied = new Map<RegionId, LogIndex>();
  for (const group of groups) applied.set(group.region, group.applied);
  return { number, groups, applied };
}
