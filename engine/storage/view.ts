/**
 * Reading the key-value state as it was at one instant. Whoever holds a view may keep it for the
 * step it was taken in; beyond that its tables must be pinned.
 */
import type { Key } from "../base/bytes.ts";
import type { ColumnFamily } from "./types.ts";

export interface KvView {
  /** The value, or undefined where there is none. Values are never changed. */
  get(cf: ColumnFamily, key: Key): Uint8Array | undefined;
  /**
   * The first entry whose key is `prefix`, its filter key (see `filterKey`), and something behind
   * it that is >= `rest`: cheaper than a cursor where nobody walks on. Sources are asked from new
   * to old. If the first that has such an entry is a memtable and the entry `settles` the
   * question, what older sources have is not asked for: the caller knows that it would not matter.
   */
  first(
    cf: ColumnFamily,
    prefix: Key,
    rest: Key,
    settles?: (value: Uint8Array) => boolean,
  ): KvVersion | undefined;
  /** A cursor that stands nowhere yet and never leaves `bounds`. */
  cursor(cf: ColumnFamily, bounds: Bounds): KvCursor;
}

/** An entry among those of one filter key. */
export interface KvVersion {
  /** What its key has behind the filter key. */
  readonly rest: Key;
  /** Perhaps a view of a cached block: copy what outlives the step. */
  readonly value: Uint8Array;
}

/** What `KvView.first` answers, found by a cursor. */
export function firstByCursor(cursor: KvCursor, prefix: Key, rest: Key): KvVersion | undefined {
  cursor.seek((prefix + rest) as Key);
  if (!cursor.valid || !cursor.key.startsWith(prefix)) return undefined;
  return { rest: cursor.key.slice(prefix.length) as Key, value: cursor.value };
}

export interface Bounds {
  /** Inclusive. */
  readonly lower: Key;
  /** Exclusive; empty: no bound. */
  readonly upper: Key;
  /**
   * Only keys whose filter key is this one are wanted (see `filterKey`): tables that have none of
   * them are not looked into.
   */
  readonly filterKey?: Key;
}

/** A place in a view. Values may be views of cached blocks: copy what outlives the step. */
export interface KvCursor {
  /** Whether it stands at an entry; only then `key`, `value` may be read and a step be made. */
  readonly valid: boolean;
  readonly key: Key;
  readonly value: Uint8Array;
  /** To the first key >= `key` within the bounds. */
  seek(key: Key): void;
  /** To the last key < `key` within the bounds; an empty key is no bound. */
  seekBefore(key: Key): void;
  next(): void;
  previous(): void;
}

/** Bytes of the timestamp that ends a versioned key. */
const VERSION_BYTES = 8;

/**
 * How many of a key's first bytes a table's filter knows it by. All versions of a user's key in the
 * `write` family share one entry, for a reader looks for any of them; elsewhere keys are looked up
 * whole.
 */
export const filterKeyLength = (cf: ColumnFamily, key: Key): number =>
  filterKeyBytes(cf, key.length);

/** As `filterKeyLength`, of a key of `length` bytes. */
export const filterKeyBytes = (cf: ColumnFamily, length: number): number =>
  cf === "write" && length > VERSION_BYTES ? length - VERSION_BYTES : length;

/** What a table's filter knows a key by. */
export const filterKey = (cf: ColumnFamily, key: Key): Key =>
  key.slice(0, filterKeyLength(cf, key)) as Key;

/** Behind every key that a table's filter knows by `filterKey`. */
export const afterFilterKey = (filterKey: Key): Key =>
  `${filterKey}${"\xff".repeat(VERSION_BYTES)}\0` as Key;
