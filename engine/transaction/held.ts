/**
 * Pessimistic locks that a region's leader holds in memory only. Losing one is no harm: whoever
 * relied on it finds, when it prewrites, that nobody has written the key since, or starts over. But
 * a lock must never outlive the leadership under which it was given, as somebody may have written
 * under another since: so each table belongs to one term.
 */
import type { Key } from "../base/bytes.ts";
import type { Term } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import type { KvOperation } from "../storage/types.ts";

/** The locks of one region. */
export interface HeldLocks {
  /** Of the leader that has given them. */
  readonly term: Term;
  /** Records by encoded key. */
  readonly locks: Tree<Uint8Array>;
  /** Keys and records together. */
  readonly bytes: number;
}

export const noHeldLocks = (term: Term): HeldLocks => ({ term, locks: tree.empty(), bytes: 0 });

type Put = Extract<KvOperation, { readonly type: "put" }>;

/** Whether these operations do nothing but write locks. */
export const areLocks = (operations: readonly KvOperation[]): operations is readonly Put[] =>
  operations.every(({ type, cf }) => type === "put" && cf === "lock");

/** Keeps the records. */
export function hold(held: HeldLocks, operations: readonly Put[]): HeldLocks {
  const locks = tree.edit(held.locks);
  let { bytes } = held;
  for (const { key, value } of operations) {
    const old = locks.set(key, value);
    bytes += value.length - (old === undefined ? -key.length : old.length);
  }
  return { term: held.term, locks: locks.done(), bytes };
}

/** What was written to the data takes the place of what was held. */
export function supersede(held: HeldLocks, operations: readonly KvOperation[]): HeldLocks {
  if (held.locks.size === 0) return held;
  const locks = tree.edit(held.locks);
  let { bytes } = held;
  const drop = (key: Key): void => {
    const old = locks.remove(key);
    if (old !== undefined) bytes -= key.length + old.length;
  };
  for (const operation of operations) {
    if (operation.cf !== "lock") continue;
    if (operation.type === "delete_range") {
      const { start, end } = operation;
      for (const [key] of tree.entries(held.locks, start, end)) drop(key);
    } else {
      drop(operation.key);
    }
  }
  return { term: held.term, locks: locks.done(), bytes };
}

/** The locks of [start, end), for a region that was split off and is led in `term` from now on. */
export function partOfHeld(held: HeldLocks, start: Key, end: Key, term: Term): HeldLocks {
  const puts = [...tree.entries(held.locks, start, end)].map(([key, value]): Put => ({
    type: "put",
    cf: "lock",
    key,
    value,
  }));
  return hold(noHeldLocks(term), puts);
}

/** The same as they have to be written for the next leader. */
export const recordsOf = ({ locks }: HeldLocks): readonly Put[] =>
  [...tree.entries(locks)].map(([key, value]) => ({ type: "put", cf: "lock", key, value }));
