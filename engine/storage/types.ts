/**
 * What a store (or a placement driver's member) keeps on its disk, as its owner sees it: one shared
 * Raft log for all groups, and tables of the applied state that let the log be short.
 *
 * The core of this room is `step(state, input)`. All records handed over between two completions
 * of the disk are written by one append and made durable by one sync, whatever groups they are of.
 */
import type { Key } from "../base/bytes.ts";
import type { LogIndex, RegionId, StoreId, Term, Ticket } from "../base/ids.ts";
import type { Entry, HardState, SnapshotMetadata } from "../raft/types.ts";
import type { DiskFailure, DiskInput, FileName, WriteEffect } from "./disk.ts";
import type { GroupMark, LsmConfig, Stack, TreeEffect, TreeInput } from "./lsm/types.ts";
import type { TableDamage, TableMeta } from "./table/types.ts";

/** One fact about one group, in the order in which facts became true. */
export type LogRecord =
  /** Entries replace everything from the first one's index on. */
  | {
      readonly type: "append";
      readonly region: RegionId;
      readonly hardState: HardState | undefined;
      readonly entries: readonly Entry[];
    }
  /**
   * Entries up to `index` may be forgotten, and a snapshot up to there: a mark that was `flushed`
   * holds their effects.
   */
  | {
      readonly type: "compact";
      readonly region: RegionId;
      readonly index: LogIndex;
      readonly term: Term;
    }
  /**
   * The group is new and its log begins behind `index`: its data comes from another group's (a
   * split). Nothing to a group that has begun.
   */
  | {
      readonly type: "begin";
      readonly region: RegionId;
      readonly index: LogIndex;
      readonly term: Term;
    }
  /**
   * A snapshot has replaced log and data of the group. `chunks` are opaque; the files of `tables`
   * are durable, and stay while the record is needed. All or nothing is durable.
   */
  | {
      readonly type: "restore";
      readonly region: RegionId;
      readonly hardState: HardState;
      readonly metadata: SnapshotMetadata;
      readonly chunks: readonly Uint8Array[];
      readonly tables: readonly TableMeta[];
    }
  /** The replica is gone; `meta` is what its owner must remember of it (a tombstone). */
  | { readonly type: "destroy"; readonly region: RegionId; readonly meta: Uint8Array };

/** Whose directory this is. Written when it is made, checked whenever it is opened. */
export interface Identity {
  readonly cluster: bigint;
  /** The store's id, or the placement member's. */
  readonly store: StoreId;
}

/** What a `restore` record has said. */
export interface Restored {
  readonly metadata: SnapshotMetadata;
  readonly chunks: readonly Uint8Array[];
  readonly tables: readonly TableMeta[];
}

/** What one group left behind, newest facts only. */
export interface RecoveredGroup {
  readonly region: RegionId;
  readonly hardState: HardState;
  /** Index and term of the last entry that is not in `entries` any more. */
  readonly truncated: { readonly index: LogIndex; readonly term: Term };
  /** Contiguous from `truncated.index + 1`. */
  readonly entries: readonly Entry[];
  /** A snapshot newer than the group's mark. */
  readonly restored: Restored | undefined;
  /** Set where the replica was destroyed, and nothing but hard states of a next one came after. */
  readonly tombstone: Uint8Array | undefined;
}

export interface Recovered {
  /** Undefined in an empty directory. */
  readonly identity: Identity | undefined;
  /** All durable tables under an empty memtable. */
  readonly stack: Stack;
  /** How far they hold each group, ascending by region: the log goes on from there. */
  readonly marks: readonly GroupMark[];
  /** Replicas whose data is damaged, and was not replaced since. */
  readonly quarantined: readonly RegionId[];
  /** Tables that are missing or not as long as they were written. */
  readonly damage: readonly TableDamage[];
  /** Groups without `restored` first, then those with it in the order of their restores. */
  readonly groups: readonly RecoveredGroup[];
}

export type OpenResult<State> =
  | {
      readonly ok: true;
      readonly state: State;
      readonly recovered: Recovered;
      /**
       * Repairs (a torn tail cut off, leftovers removed, everything synced): perform these before
       * anything else. `opened` is among them, or follows.
       */
      readonly effects: readonly StorageEffect[];
    }
  | {
      readonly ok: false;
      /** `unreadable`: the disk does not answer, or the format is of another version. */
      readonly reason: "corrupt" | "unreadable";
      readonly file: FileName;
      readonly offset: number;
      readonly detail: string;
    };

export type StorageInput =
  /** First input in an empty directory. */
  | { readonly type: "identify"; readonly identity: Identity; readonly ticket: Ticket }
  /**
   * Keeps the records. Answered by `durable` once they are; nothing is written before `turn_ended`.
   */
  | { readonly type: "log"; readonly ticket: Ticket; readonly records: readonly LogRecord[] }
  /**
   * The owner has no more inputs at this moment: write what is waiting, or as soon as the write
   * under way is done.
   */
  | { readonly type: "turn_ended" }
  | TreeInput
  | DiskInput;

export type StorageEffect =
  | WriteEffect
  /**
   * What `open` recovered is durable. The owner must not act on it before: a process that was
   * killed leaves unsynced bytes which a loss of power would still take away.
   */
  | { readonly type: "opened" }
  /** All `log` and `identify` inputs up to and including this ticket are durable. */
  | { readonly type: "durable"; readonly ticket: Ticket }
  | TreeEffect
  /** The disk refused. After this nothing is written any more. Nothing durable is lost. */
  | { readonly type: "failed"; readonly reason: DiskFailure; readonly file: FileName };

export interface StorageConfig {
  /** Size in bytes at which a log segment is closed and the next one opened. */
  readonly segmentBytes: number;
  /** Bytes of a table written at a time. */
  readonly sliceBytes: number;
  readonly lsm: LsmConfig;
}

/** One change of the key-value state. `cf` is a column family. */
export type KvOperation =
  | {
      readonly type: "put";
      readonly cf: ColumnFamily;
      readonly key: Key;
      readonly value: Uint8Array;
    }
  | { readonly type: "delete"; readonly cf: ColumnFamily; readonly key: Key }
  /** [start, end); an empty end is no bound. */
  | {
      readonly type: "delete_range";
      readonly cf: ColumnFamily;
      readonly start: Key;
      readonly end: Key;
    };

export type ColumnFamily = "default" | "lock" | "write";

export const COLUMN_FAMILIES: readonly ColumnFamily[] = ["default", "lock", "write"];
