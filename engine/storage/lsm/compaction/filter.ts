/**
 * What a compaction leaves out besides what is overwritten. A key that it leaves out becomes a
 * tombstone, so that what lies below does not come to light.
 */
import { unreachable } from "../../../base/assert.ts";
import { readSafeU64 } from "../../../base/big-endian.ts";
import type { Key } from "../../../base/bytes.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Entry } from "../../table/types.ts";
import type { CompactionFilter } from "../types.ts";

/** Bytes of the expiry that ends a raw value, in seconds of the Unix epoch; 0: never. */
const EXPIRY_BYTES = 8;

/** Judges the entries of one job, which come in ascending order of keys. */
export interface EntryFilter {
  /** Whether nobody misses `value`. Borrows it. */
  leavesOut(key: Key, value: Uint8Array): boolean;
}

/** Makes the filter of one job for a safe point. What versions are, the tree does not know. */
export type GarbageFilter = (safePoint: bigint) => EntryFilter;

/** For trees that keep no versions: the filter that leaves nothing out. */
export const KEEP_VERSIONS: GarbageFilter = () => KEEP;

const KEEP: EntryFilter = { leavesOut: () => false };

/** The filter of one job. */
export function filterOf(filter: CompactionFilter, garbage: GarbageFilter): EntryFilter {
  switch (filter.type) {
    case "none":
      return KEEP;
    case "expired":
      return { leavesOut: (_, value) => isExpired(value, filter.nowSeconds) };
    case "garbage":
      return garbage(filter.safePoint);
    default:
      return unreachable(filter);
  }
}

/** What takes the place of `entry`: itself, or a tombstone. */
export const filtered = (filter: EntryFilter, key: Key, entry: Entry): Entry =>
  entry !== TOMBSTONE && filter.leavesOut(key, entry) ? TOMBSTONE : entry;

function isExpired(value: Uint8Array, nowSeconds: number): boolean {
  if (value.length < EXPIRY_BYTES) return false;
  const expiresAt = readSafeU64(value, value.length - EXPIRY_BYTES) ?? 0;
  return expiresAt !== 0 && expiresAt <= nowSeconds;
}
