/**
 * The state of the storage machine: what waits, what is being written, and what the log remembers
 * of segments and groups.
 */
import type { Key } from "../base/bytes.ts";
import { LogIndex, Ticket, nextTicket } from "../base/ids.ts";
import type { RegionId } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import type { Wire } from "../base/wire.ts";
import type { FileName } from "./disk.ts";
import type { GroupLog } from "./log/group.ts";
import type { Checkpoint, CheckpointGroup, Identity, LogRecord, StorageConfig } from "./types.ts";

export interface StorageState {
  readonly config: StorageConfig;
  /** The owner's scratch space for encoding; holds nothing from one call to the next. */
  readonly wire: Wire;
  /** Undefined until `identify`. */
  readonly identity: Identity | undefined;
  /** The disk has refused a write: nothing is written any more. */
  readonly closed: boolean;
  /** Records that no write has taken yet, and the newest ticket among them. */
  readonly pending: readonly LogRecord[];
  readonly pendingTicket: Ticket | undefined;
  /** A turn has ended since records began to wait. */
  readonly due: boolean;
  /** The one write under way. */
  readonly writing: Writing | undefined;
  /** Whether the last write was one of records: then a checkpoint's slice may go first. */
  readonly wroteLog: boolean;
  readonly nextTicket: Ticket;
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

export type Writing =
  /** Repairs after `open`. */
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

/** The state of a store that has never written anything. */
export function initial(config: StorageConfig, wire: Wire): StorageState {
  return {
    config,
    wire,
    identity: undefined,
    closed: false,
    pending: [],
    pendingTicket: undefined,
    due: false,
    writing: undefined,
    wroteLog: false,
    nextTicket: Ticket(1),
    segments: [],
    oldest: 1,
    sequence: 0,
    chain: 0,
    seed: 0,
    groups: tree.empty(),
    checkpoint: undefined,
    draft: undefined,
  };
}

/**
 * What waits for the next write. Written out in full, as the next one: a spread costs ten times
 * more.
 */
export function withQueue(
  state: StorageState,
  pending: readonly LogRecord[],
  pendingTicket: Ticket | undefined,
  due: boolean,
): StorageState {
  return {
    config: state.config,
    wire: state.wire,
    identity: state.identity,
    closed: state.closed,
    pending,
    pendingTicket,
    due,
    writing: state.writing,
    wroteLog: state.wroteLog,
    nextTicket: state.nextTicket,
    segments: state.segments,
    oldest: state.oldest,
    sequence: state.sequence,
    chain: state.chain,
    seed: state.seed,
    groups: state.groups,
    checkpoint: state.checkpoint,
    draft: state.draft,
  };
}

/** A write begins or (undefined) has ended. */
export function withWriting(
  state: StorageState,
  writing: Writing | undefined,
  wroteLog: boolean,
): StorageState {
  return {
    config: state.config,
    wire: state.wire,
    identity: state.identity,
    closed: state.closed,
    pending: state.pending,
    pendingTicket: state.pendingTicket,
    due: state.due,
    writing,
    wroteLog,
    nextTicket: writing === undefined ? state.nextTicket : nextTicket(writing.ticket),
    segments: state.segments,
    oldest: state.oldest,
    sequence: state.sequence,
    chain: state.chain,
    seed: state.seed,
    groups: state.groups,
    checkpoint: state.checkpoint,
    draft: state.draft,
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

/** Regions as keys: in order of their numbers. */
export function regionKey(region: RegionId): Key {
  const high = Math.floor(region / 0x1_0000_0000);
  return String.fromCharCode(
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    (region >>> 24) & 0xff,
    (region >>> 16) & 0xff,
    (region >>> 8) & 0xff,
    region & 0xff,
  ) as Key;
}

const DIGITS = 16;
const numbered = (prefix: string, number: number): FileName =>
  `${prefix}-${String(number).padStart(DIGITS, "0")}`;

export const segmentFile = (number: number): FileName => numbered("log", number);
export const checkpointFile = (number: number): FileName => numbered("checkpoint", number);
/** What a checkpoint is called until it is whole. */
export const draftFile = (number: number): FileName => `${checkpointFile(number)}.tmp`;

/** The number in a name made by `segmentFile` or `checkpointFile`, or undefined. */
export function fileNumber(prefix: "log" | "checkpoint", file: FileName): number | undefined {
  if (file.length !== prefix.length + 1 + DIGITS || !file.startsWith(`${prefix}-`)) {
    return undefined;
  }
  const digits = file.slice(prefix.length + 1);
  return /^[0-9]+$/.test(digits) ? Number(digits) : undefined;
}
