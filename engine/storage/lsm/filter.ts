/** What a compaction leaves out besides what is overwritten. */
import { readSafeU64 } from "../../base/big-endian.ts";
import { TOMBSTONE } from "../table/types.ts";
import type { Entry } from "../table/types.ts";
import type { CompactionFilter } from "./types.ts";

/** Bytes of the expiry that ends a raw value, in seconds of the Unix epoch; 0: never. */
const EXPIRY_BYTES = 8;

/** What takes the place of `entry`: itself, or a tombstone. */
export function filtered(filter: CompactionFilter, entry: Entry): Entry {
  if (filter.type === "none" || entry === TOMBSTONE || entry.length < EXPIRY_BYTES) return entry;
  const expiresAt = readSafeU64(entry, entry.length - EXPIRY_BYTES) ?? 0;
  return expiresAt !== 0 && expiresAt <= filter.nowSeconds ? TOMBSTONE : entry;
}
