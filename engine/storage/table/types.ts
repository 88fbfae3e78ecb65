/** What a sorted table is to those who keep, read and merge it. */
import type { Key } from "../../base/bytes.ts";
import type { FileName } from "../disk.ts";
import type { ColumnFamily } from "../types.ts";

/** A value, or the fact that the key was deleted. */
export type Entry = Uint8Array | Tombstone;
export type Tombstone = 0;
export const TOMBSTONE: Tombstone = 0;

/** [start, end) in which everything of older sources is gone; an empty end is no bound. */
export interface Clear {
  readonly start: Key;
  readonly end: Key;
}

/** One immutable file, as the manifest names it. */
export interface TableMeta {
  /** The file is `tableFile(number)`. Never used twice in a store. */
  readonly number: number;
  readonly cf: ColumnFamily;
  /** Of the file, in bytes. */
  readonly size: number;
  /** Values and tombstones. */
  readonly entries: number;
  readonly tombstones: number;
  /** Ascending and disjoint. */
  readonly clears: readonly Clear[];
  /** The least of all keys and starts of clears. */
  readonly smallest: Key;
  /**
   * The greatest of all keys and ends of clears; `largestExclusive` where it is such an end, and
   * an empty one then is no bound.
   */
  readonly largest: Key;
  readonly largestExclusive: boolean;
  /** Of all bytes of the file; 0 where it was not reckoned, as the table stays in its store. */
  readonly crc32: number;
}

/** How a table is written. */
export interface TableOptions {
  /** Uncompressed size at which a block is closed, in bytes. */
  readonly blockBytes: number;
  /** Entries from one whole key to the next. */
  readonly restartInterval: number;
  readonly compression: "none" | "lz4";
  /** Bits of the filter for each filter key; 0 for no filter. */
  readonly filterBits: number;
}

/** Bytes of a table that cannot be trusted, and the keys that cannot be known therefore. */
export interface TableDamage {
  readonly table: number;
  readonly file: FileName;
  readonly offset: number;
  readonly cf: ColumnFamily;
  readonly start: Key;
  /** Exclusive; empty: no bound. */
  readonly end: Key;
  readonly reason: "corrupt" | "unreadable";
  /** A sentence for people. */
  readonly detail: string;
}

/**
 * A place among sorted entries, tombstones included. Entries may be views of cached blocks: copy
 * what outlives the step. Where a table's meets damage it stands nowhere, and the damage is noted.
 */
export interface EntryCursor {
  /** Whether it stands at an entry; only then `key`, `entry` may be read and a step be made. */
  readonly valid: boolean;
  readonly key: Key;
  readonly entry: Entry;
  /** To the first key >= `key`. */
  seek(key: Key): void;
  /** To the last key < `key`; an empty key is no bound. */
  seekBefore(key: Key): void;
  next(): void;
  previous(): void;
}
