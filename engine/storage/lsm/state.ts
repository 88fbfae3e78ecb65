/**
 * What the table lane remembers: the sources below the memtable, what the manifest says, and the
 * work under way.
 */
import type { Key } from "../../base/bytes.ts";
import type { RegionId, Ticket } from "../../base/ids.ts";
import type { DiskOperation } from "../disk.ts";
import type { TableMeta } from "../table/types.ts";
import type { ColumnFamily } from "../types.ts";
import type { Debt } from "./compaction/debt.ts";
import { noFacts } from "./manifest/edit.ts";
import type { Facts, ManifestEdit } from "./manifest/edit.ts";
import type { ManifestFile } from "./manifest/manifest.ts";
import type { Merge } from "./compaction/picking.ts";
import type { CompactionFilter, GroupMark, JobResult, Layer } from "./types.ts";

/** The facts are those that the manifest durably says, but for `nextNumber`, which is ahead. */
export interface TreeState extends Facts {
  /** Newest first. The last one is the next to become part of level 0. */
  readonly layers: readonly Layer[];
  /** Undefined before the first edit. */
  readonly manifest: ManifestFile | undefined;
  /** Replicas that are to be remembered as damaged; in time `quarantined` follows. */
  readonly condemned: ReadonlySet<RegionId>;
  /** How far the oldest layer has come. */
  readonly flush: Flush;
  /** Compactions that run, or whose result waits for its edit. */
  readonly compactions: readonly RunningCompaction[];
  readonly extractions: readonly Extraction[];
  /** Writes of received tables that wait. */
  readonly files: readonly FilesRequest[];
  /** Tables that nothing names any more; their files go when no job reads them. */
  readonly doomed: readonly number[];
  /** The one write of this lane under way. */
  readonly writing: TreeWriting | undefined;
  /** The disk has refused: jobs and edits wait for `retry` or a `freeze`. */
  readonly stalled: boolean;
  /** A rewriting of the manifest has failed; it is tried again when it has grown by as much. */
  readonly rewriteBytes: number;
  /** How far compactions are behind. Follows from the version. */
  readonly debt: Debt;
  /** Nothing was found to compact, and nothing has changed since. */
  readonly settled: boolean;
  /** Nobody has written for a while: there is time to tidy up. Until the next layer. */
  readonly resting: boolean;
  /** Tables that a compaction could not read. They are left alone until something replaces them. */
  readonly damaged: ReadonlySet<number>;
  readonly filters: { readonly [F in ColumnFamily]: CompactionFilter };
}

/** `idle`: nothing was begun. `ready`: the tables are durable and wait for their edit. */
export type Flush =
  | { readonly type: "idle" }
  | {
      readonly type: "running";
      readonly ticket: Ticket;
      readonly firstNumber: number;
      readonly numbers: number;
    }
  | { readonly type: "ready"; readonly tables: readonly TableMeta[] };

export interface RunningCompaction {
  readonly ticket: Ticket;
  readonly merge: Merge;
  readonly firstNumber: number;
  readonly numbers: number;
  /** Set when the job is done. */
  readonly result: JobResult | undefined;
  /** Whether ranges have been cleared since: what it cannot read the next one may leap over. */
  readonly overtaken: boolean;
}

export interface Extraction {
  /** The owner's. */
  readonly ticket: Ticket;
  readonly region: RegionId;
  readonly start: Key;
  readonly end: Key;
  /** Layers that have to be flushed before. */
  readonly layersBefore: number;
  readonly job: ExtractionJob | undefined;
  /** Nobody waits for it any more. */
  readonly released: boolean;
}

export interface ExtractionJob {
  readonly ticket: Ticket;
  readonly mark: GroupMark;
  /** Numbers of the tables it reads. */
  readonly inputs: readonly number[];
  readonly firstNumber: number;
  readonly numbers: number;
  /** Set when the job is done: numbers of the tables it has made. */
  readonly made: readonly number[] | undefined;
}

export interface FilesRequest {
  /** The owner's. */
  readonly ticket: Ticket;
  readonly operations: readonly DiskOperation[];
}

export type TreeWriting =
  /** Removes the files of these tables, in order. */
  | { readonly type: "removal"; readonly ticket: Ticket; readonly numbers: readonly number[] }
  | { readonly type: "files"; readonly ticket: Ticket; readonly request: FilesRequest }
  | {
      readonly type: "edit";
      readonly ticket: Ticket;
      readonly edit: ManifestEdit;
      /** The manifest once it is written. */
      readonly manifest: ManifestFile;
      /** Whether a new file is made of it. */
      readonly rewrites: boolean;
      /** What the edit carries out. */
      readonly purpose: EditPurpose;
    };

export type EditPurpose =
  /** The oldest layer becomes part of level 0. */
  | { readonly type: "layer" }
  | { readonly type: "compaction"; readonly ticket: Ticket }
  /** A table changes its level, or nothing but facts is said. */
  | { readonly type: "other" };

const IDLE: Flush = Object.freeze({ type: "idle" });

/** The same state in the one shape of all (`docs/design/001-base-and-tree.md`). */
export const shaped = (tree: TreeState): TreeState => ({
  version: tree.version,
  marks: tree.marks,
  quarantined: tree.quarantined,
  pointers: tree.pointers,
  nextNumber: tree.nextNumber,
  batch: tree.batch,
  layers: tree.layers,
  manifest: tree.manifest,
  condemned: tree.condemned,
  flush: tree.flush,
  compactions: tree.compactions,
  extractions: tree.extractions,
  files: tree.files,
  doomed: tree.doomed,
  writing: tree.writing,
  stalled: tree.stalled,
  rewriteBytes: tree.rewriteBytes,
  debt: tree.debt,
  settled: tree.settled,
  resting: tree.resting,
  damaged: tree.damaged,
  filters: tree.filters,
});

export const emptyTree = (): TreeState => ({
  layers: [],
  manifest: undefined,
  condemned: new Set(),
  flush: IDLE,
  compactions: [],
  extractions: [],
  files: [],
  doomed: [],
  writing: undefined,
  stalled: false,
  rewriteBytes: 0,
  debt: { levelZero: 0, bytes: 0, ahead: 0 },
  settled: true,
  resting: false,
  damaged: new Set(),
  filters: { default: { type: "none" }, lock: { type: "none" }, write: { type: "none" } },
  ...noFacts(),
});

/** Whether there is certainly nothing that could begin. Asked after every input. */
export const isIdle = (now: TreeState): boolean =>
  now.writing !== undefined
    ? now.layers.length === 0 && now.extractions.length === 0
    : now.layers.length === 0 &&
      now.settled &&
      now.extractions.length === 0 &&
      now.files.length === 0 &&
      now.doomed.length === 0 &&
      now.compactions.length === 0 &&
      now.condemned.size === 0;
