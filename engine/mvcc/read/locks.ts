/**
 * The locks of a range, in the order of keys.
 */
import type { Key } from "../../base/bytes.ts";
import type { Lock } from "../record/lock.ts";
import type { MvccReader } from "./reader.ts";

export interface LockedKey {
  /** Encoded. */
  readonly key: Key;
  readonly lock: Lock;
}

/** Those in [start, end) of encoded keys that are `wanted`; an empty end is no bound. */
export function* scanLocks(
  reader: MvccReader,
  { start, end }: { readonly start: Key; readonly end: Key },
  wanted: (lock: Lock) => boolean,
): IterableIterator<LockedKey> {
  const cursor = reader.view.cursor("lock", { lower: start, upper: end });
  for (cursor.seek(start); cursor.valid; cursor.next()) {
    const lock = reader.lockOf(cursor.key, cursor.value);
    if (lock === undefined) return;
    if (wanted(lock)) yield { key: cursor.key, lock };
  }
}
