/**
 * What the LSM tree asks for and is told. A job is plain data: all but a flush can be handed to
 * another thread.
 */
import type { Key } from "../../base/bytes.ts";
import type { Entry, TableMeta, TableOptions } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import type { FileName } from "../disk.ts";
import type { LogIndex, RegionId, Term } from "../../base/ids.ts";
import type { Tree } from "../../base/tree.ts";

type OfFamily<T> = { readonly [F in ColumnFamily]: T };

/** The newest source, or one that was. A value: frozen by keeping it. */
export interface Memtable {
  readonly entries: OfFamily<Tree<Entry>>;
  /** Disjoint and not adjacent: the end of each range at its start; an empty end is no bound. */
  readonly clears: OfFamily<Tree<Key>>;
  /** About what it occupies in memory. */
  readonly bytes: number;
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

/** Merges tables of one family into the next level. */
export interface CompactionJob extends JobCommon {
  readonly type: "compaction";
  readonly cf: ColumnFamily;
  /** Newest first; the tables of one run are disjoint and ascending. */
  readonly runs: readonly (readonly TableMeta[])[];
  readonly fromLevel: number;
  readonly toLevel: number;
  /** No table below holds any of these keys: tombstones and clears have done their work. */
  readonly bottom: boolean;
  readonly filter: CompactionFilter;
}

/** What a compaction may leave out besides what is overwritten. */
export type CompactionFilter =
  | { readonly type: "none" }
  /** Raw values that have expired by `nowSeconds` of the Unix epoch. */
  | { readonly type: "expired"; readonly nowSeconds: number };

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
}
