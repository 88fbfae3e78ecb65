/** What the log lane remembers: what waits, what is being written, segments and groups. */
import type { Ticket } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import type { DiskOperation, FileName } from "../disk.ts";
import type { LogRecord } from "../types.ts";
import type { GroupLog } from "./group.ts";

export interface LogState {
  /** Records that no write has taken yet, and the newest ticket among them. */
  readonly pending: readonly LogRecord[];
  readonly pendingTicket: Ticket | undefined;
  /** A turn has ended since records began to wait. */
  readonly due: boolean;
  /** The one write of this lane under way. */
  readonly writing: LogWriting | undefined;
  /** Whether the last write was one of records: then segments may be removed before the next. */
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
}

export interface Segment {
  readonly number: number;
  readonly file: FileName;
  /** In bytes, with what is being written. */
  readonly size: number;
  /** How many groups have entries or a snapshot in it. */
  readonly holders: number;
}

export type LogWriting =
  /** Repairs after `open`, of all files. */
  | { readonly type: "repairs"; readonly ticket: Ticket }
  | RecordsWriting
  | { readonly type: "removal"; readonly ticket: Ticket };

/** Records are being written, or wait because the disk had no room for them. */
export interface RecordsWriting {
  readonly type: "records";
  readonly ticket: Ticket;
  /** The newest ticket that they complete. */
  readonly durable: Ticket | undefined;
  readonly operations: readonly DiskOperation[];
  /** The segment they go to and its size before; undefined where they begin one. */
  readonly behind: { readonly file: FileName; readonly size: number } | undefined;
  readonly stage: "under_way" | "refused" | "again";
}

/** Whether the log waits for room on the disk. */
export const isRefused = ({ writing }: LogState): boolean =>
  writing?.type === "records" && writing.stage !== "under_way";

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
  };
}
