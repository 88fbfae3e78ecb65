/**
 * The persistent ordered map of the whole engine: a B+tree over byte-string keys with path copying.
 * (Contract; see the functions below.)
 */
import type { Key } from "./bytes.ts";

export interface Tree<V> {
  readonly size: number;
  readonly root: unknown;
  readonly brandOfValue?: V;
}
export interface Edit<V> {
  get(key: Key): V | undefined;
  /** Returns the value that was there before. */
  set(key: Key, value: V): V | undefined;
  remove(key: Key): V | undefined;
  /** Removes [start, end); an empty end is no bound. Returns how many. */
  removeRange(start: Key, end: Key): number;
  /** Ends the edit: the new tree. The edit must not be used afterwards. */
  done(): Tree<V>;
}
/** A position in one tree. Valid for ever (trees are values). */
export interface Cursor<V> {
  readonly valid: boolean;
  readonly key: Key;
  readonly value: V;
  next(): void;
  previous(): void;
}
export declare function empty<V>(): Tree<V>;
export declare function get<V>(tree: Tree<V>, key: Key): V | undefined;
export declare function has<V>(tree: Tree<V>, key: Key): boolean;
export declare function set<V>(tree: Tree<V>, key: Key, value: V): Tree<V>;
export declare function remove<V>(tree: Tree<V>, key: Key): Tree<V>;
export declare function edit<V>(tree: Tree<V>): Edit<V>;
/** A cursor at the first key >= `key`. */
export declare function seek<V>(tree: Tree<V>, key: Key): Cursor<V>;
/** A cursor at the last key < `key`; an empty key is no bound. */
export declare function seekBefore<V>(tree: Tree<V>, key: Key): Cursor<V>;
export declare function first<V>(tree: Tree<V>): Cursor<V>;
export declare function entries<V>(
  tree: Tree<V>,
  start?: Key,
  end?: Key,
): IterableIterator<readonly [Key, V]>;
/** Builds a tree from strictly ascending pairs, in linear time. */
export declare function fromSorted<V>(pairs: Iterable<readonly [Key, V]>): Tree<V>;
