/**
 * What the LSM tree asks for and is told. A job is plain data: all but a flush can be handed to
 * another thread.
 */
import type { Key } from "../../base/bytes.ts";
import type { Clear, TableDamage, TableMeta, TableOptions } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import type { DiskFailure, DiskOperation, FileName } from "../disk.ts";
import type { LogIndex, RegionId, Term, Ticket } from "../../base/ids.ts";
import type { Tree } from "../../base/tree.ts";
import type { Arena, Slot } from "./memtable/arena.ts";
import type { Newest } from "./memtable/newest.ts";
import type { Sieve } from "./memtable/sieve.ts";

type OfFamily<T> = { readonly [F in ColumnFamily]: T };

/** The newest source, or one that was. A value: frozen by keeping it. */
export interface Memtable {
  /** Where its values lie in `arena`. */
  readonly entries: OfFamily<Tree<Slot>>;
  /** Disjoint and not adjacent: the end of each range at its start; an empty end is no bound. */
  readonly clears: OfFamily<Tree<Key>>;
  /** About what it occupies in memory. */
  readonly bytes: number;
  readonly arena: Arena;
  /** Asked before `entries` are. */
  readonly sieves: { readonly [F in Exclude<ColumnFamily, "write">]: Sieve };
  /** Asked instead of the entries of `write`, where its moment is this memtable's. */
  readonly newest: Newest;
  readonly moment: number;
}

/** How far a region's data goes in what was frozen or flushed. `meta` is opaque here. */
export interface GroupMark {
  readonly region: RegionId;
  readonly applied: LogIndex;
  readonly appliedTerm: Term;
  readonly meta: Uint8Array;
}

/** A source between the memtable and level 0. */
export type Layer =
  | {
      readonly type: "memtable";
      readonly memtable: Memtable;
      /** Of every group, as of the freeze. */
      readonly marks: readonly GroupMark[];
      /** The log batch that must be durable before the marks may be. */
      readonly sequence: number;
    }
  | {
      readonly type: "ingested";
      readonly tables: readonly TableMeta[];
      readonly mark: GroupMark;
      readonly sequence: number;
    };

/** The durable tables at one instant. */
export interface Version {
  /** For each family its levels: 0 newest first and perhaps overlapping, others ascending. */
  readonly levels: OfFamily<readonly (readonly TableMeta[])[]>;
}

/** All sources at one instant: what a view reads. */
export interface Stack {
  readonly memtable: Memtable;
  /** Newest first. */
  readonly layers: readonly Layer[];
  readonly version: Version;
}

export type Job = FlushJob | CompactionJob | ExtractJob;

interface JobCommon {
  /** Numbers of the tables it makes: from here, fewer than `numbers`. */
  readonly firstNumber: number;
  readonly numbers: number;
  readonly options: TableOptions;
  /** Size at which a table is closed and the next one begun, in bytes. */
  readonly tableBytes: number;
  /** Bytes of one slice. */
  readonly sliceBytes: number;
  /** Bytes a second it may write; 0 for no limit. Its driver waits between slices. */
  readonly bytesPerSecond: number;
}

/** Writes a frozen memtable: at most one table a family and `tableBytes`. */
export interface FlushJob extends JobCommon {
  readonly type: "flush";
  readonly memtable: Memtable;
}

/** Merges tables of one family into a run of a lower level. */
export interface CompactionJob extends JobCommon {
  readonly type: "compaction";
  readonly cf: ColumnFamily;
  /** Newest first; the tables of one run are disjoint and ascending. */
  readonly runs: readonly (readonly TableMeta[])[];
  readonly fromLevel: number;
  readonly toLevel: number;
  /** No table below holds any of these keys: tombstones and clears have done their work. */
  readonly bottom: boolean;
  /** Ascending: no table reaches over one of these. */
  readonly cuts: readonly Key[];
  /**
   * Ascending and disjoint: here tables above hide everything, so nothing is read or kept. That is
   * how damage goes whose region has been replaced.
   */
  readonly covered: readonly Clear[];
  readonly filter: CompactionFilter;
}

/** What a compaction may leave out besides what is overwritten. */
export type CompactionFilter =
  | { readonly type: "none" }
  /** Raw values that have expired by `nowSeconds` of the Unix epoch. */
  | { readonly type: "expired"; readonly nowSeconds: number }
  /** Versions that nobody who reads at `safePoint` or later can see, as `GarbageFilter` judges. */
  | { readonly type: "garbage"; readonly safePoint: bigint };

/** Copies [start, end) as the tables have it into one new table a family, with a clear of it. */
export interface ExtractJob extends JobCommon {
  readonly type: "extract";
  readonly start: Key;
  readonly end: Key;
  /** For each family its runs, newest first. */
  readonly families: readonly {
    readonly cf: ColumnFamily;
    readonly runs: readonly (readonly TableMeta[])[];
  }[];
}

export interface JobResult {
  /** Ascending within each family. */
  readonly tables: readonly TableMeta[];
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Why a job could not be done. The disk's refusals come back as `no_space` or `io_error`. */
export interface JobFailure {
  readonly reason: "no_space" | "io_error" | "missing" | "corrupt";
  readonly file: FileName;
  readonly offset: number;
  readonly detail: string;
  /** Where a table it read is to blame: the keys that cannot be known. */
  readonly damage: TableDamage | undefined;
}

/** What a job generator returns: give it back as `job_done` or `job_failed`. */
export type JobOutcome =
  | { readonly ok: true; readonly result: JobResult }
  | { readonly ok: false; readonly failure: JobFailure };

/** What the owner says of its tree. Part of `StorageInput`. */
export type TreeInput =
  /**
   * The memtable becomes a layer with these marks: of all groups there are, ascending by region,
   * those of destroyed ones that must be remembered with `applied` 0. A mark that is not among them
   * is forgotten. Marks alone are fine where the memtable is empty.
   */
  | { readonly type: "freeze"; readonly marks: readonly GroupMark[] }
  /**
   * These tables, whose files are durable and named by a `restore` record that has been logged, go
   * on top. The memtable has just been frozen.
   */
  | { readonly type: "ingest"; readonly tables: readonly TableMeta[]; readonly mark: GroupMark }
  /**
   * Make tables of [start, end) (an empty end is no bound) as it is when all that is frozen now has
   * been flushed. Answered by `extracted` or `extract_failed`. The ticket is the owner's.
   */
  | {
      readonly type: "extract";
      readonly ticket: Ticket;
      readonly region: RegionId;
      readonly start: Key;
      readonly end: Key;
    }
  /** The extracted files, or their making, are not needed any more. */
  | { readonly type: "release"; readonly ticket: Ticket }
  /**
   * Perform these on the tables that are being received, in order with the like. Answered by
   * `files_written` or `files_failed`. The ticket is the owner's.
   */
  | {
      readonly type: "files";
      readonly ticket: Ticket;
      readonly operations: readonly DiskOperation[];
    }
  /** Tables that were received, perhaps in part, and will not be ingested. */
  | { readonly type: "discard"; readonly numbers: readonly number[] }
  | { readonly type: "job_done"; readonly ticket: Ticket; readonly result: JobResult }
  | { readonly type: "job_failed"; readonly ticket: Ticket; readonly failure: JobFailure }
  /** Remember durably that this replica's data is damaged. Its next `ingest` forgets it. */
  | { readonly type: "quarantine"; readonly region: RegionId }
  /** What compactions of this family that begin from now on leave out. */
  | { readonly type: "filter"; readonly cf: ColumnFamily; readonly filter: CompactionFilter }
  /** Nobody has written for a while: compactions may do what only readers gain by. */
  | { readonly type: "rest" }
  /** Try again what the disk has refused: there may be room now. */
  | { readonly type: "retry" };

/** What the tree asks of its owner and tells it. Part of `StorageEffect`. */
export type TreeEffect =
  /** Run it; then input `job_done` or `job_failed`. */
  | { readonly type: "job"; readonly ticket: Ticket; readonly job: Job }
  /** These marks are durable: the log may be compacted up to them. */
  | { readonly type: "flushed"; readonly marks: readonly GroupMark[] }
  /** One table a family. `mark` says of which index of the region they are. */
  | {
      readonly type: "extracted";
      readonly ticket: Ticket;
      readonly mark: GroupMark;
      readonly tables: readonly TableMeta[];
    }
  | { readonly type: "extract_failed"; readonly ticket: Ticket; readonly failure: JobFailure }
  | { readonly type: "files_written"; readonly ticket: Ticket }
  | {
      readonly type: "files_failed";
      readonly ticket: Ticket;
      readonly reason: DiskFailure;
      readonly file: FileName;
    }
  /** A table's file is about to go: forget it. */
  | { readonly type: "removed"; readonly number: number }
  /**
   * A compaction cannot read what nothing newer hides, and leaves the table alone. Whose data that
   * is has to be replaced: until then the levels above it only grow.
   */
  | { readonly type: "damaged"; readonly damage: TableDamage }
  /**
   * The disk refuses (it is full, perhaps): tables wait until `retry` or the next `freeze`, the log
   * until `retry`. Nothing is lost, and reads go on.
   */
  | { readonly type: "stalled"; readonly reason: JobFailure["reason"]; readonly file: FileName };

/** How the tree is kept. Sizes in bytes. */
export interface LsmConfig {
  readonly table: TableOptions;
  /** Size at which a table is closed and the next one begun. */
  readonly tableBytes: number;
  /** So many tables over one key make level 0 worth compacting. */
  readonly levelZeroTables: number;
  /** Bytes of level 0 that make it worth compacting, and that level 1 should hold at most. */
  readonly levelBytes: number;
  /** How much more the last level holds than those between it and level 0 together. */
  readonly levelGrowth: number;
  /** Compactions at once. */
  readonly compactions: number;
  /** What a compaction may write in a second while there is no debt; 0 for no limit. */
  readonly bytesPerSecond: number;
  /** Each so many bytes of debt let a compaction write as much again. */
  readonly debtBytes: number;
  /** Tables of this level and those below are compressed; 7 for none. */
  readonly compressFrom: number;
  /** Size at which the manifest is written anew, unless so much of it is needed. */
  readonly manifestBytes: number;
}
