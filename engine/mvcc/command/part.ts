/**
 * What of a request is done at once. Most requests name their keys and are done in one part; one
 * that names none means all locks of its transactions within the region, which are looked for and
 * then done so many at a time.
 */
import type { Key } from "../../base/bytes.ts";
import { keyAfter } from "../../base/bytes.ts";
import type { KvView } from "../../storage/view.ts";
import { scanLocks } from "../read/locks.ts";
import { MvccReader, type RecordDamage } from "../read/reader.ts";
import type { Lock } from "../record/lock.ts";
import type { KeyRange } from "./scan.ts";

/** About 32 KiB of operations. */
export const LOCKS_AT_ONCE = 256;

export interface Part {
  /** Encoded: what is touched, and must be latched before this part is evaluated. */
  readonly keys: readonly Key[];
  /** Encoded: where the next part begins; undefined in the last one. */
  readonly next: Key | undefined;
  /** A record that could not be read on the way: the request cannot be done. */
  readonly damage: RecordDamage | undefined;
}

/** The locks within `range` that are `wanted`, as many as are done at once. */
export function lockedPart(view: KvView, range: KeyRange, wanted: (lock: Lock) => boolean): Part {
  const reader = new MvccReader(view);
  const keys: Key[] = [];
  let next: Key | undefined;
  for (const { key } of scanLocks(reader, range, wanted)) {
    if (keys.length === LOCKS_AT_ONCE) {
      next = keyAfter(keys.at(-1)!);
      break;
    }
    keys.push(key);
  }
  return { keys, next, damage: reader.damage };
}

/** A request that names its keys. */
export const wholePart = (keys: readonly Key[]): Part => ({
  keys,
  next: undefined,
  damage: undefined,
});
