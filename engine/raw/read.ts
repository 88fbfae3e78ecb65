/**
 * Raw reads on one instant of a store's state. Every read stays inside the range it is given; an
 * expired value is as absent as one that was never written.
 */
import { crc64 } from "../base/checksum.ts";
import { EMPTY_BYTES, type Key, keyToBytes } from "../base/bytes.ts";
import type { ColumnFamily } from "../storage/types.ts";
import type { KvView } from "../storage/view.ts";
import type { RawMode } from "./command.ts";
import { expiryOf, isLive, userValue } from "./value.ts";

/** What a read looks at: an instant, and the reader's clock in seconds of the Unix epoch. */
export interface RawView {
  readonly data: KvView;
  readonly mode: RawMode;
  readonly nowSeconds: number;
}

export interface RawPair {
  readonly key: Key;
  readonly value: Uint8Array;
}

export interface RawScan {
  readonly cf: ColumnFamily;
  /** Inclusive. */
  readonly lower: Key;
  /** Exclusive; empty: no bound. */
  readonly upper: Key;
  readonly limit: number;
  readonly keyOnly: boolean;
  /** From `upper` downwards. */
  readonly reverse: boolean;
}

/** The user's value, or undefined. A view of what is stored. */
export function get(view: RawView, cf: ColumnFamily, key: Key): Uint8Array | undefined {
  const stored = live(view, cf, key);
  return stored === undefined ? undefined : userValue(stored, view.mode.ttlEnabled);
}

/** Seconds until the value expires, 0 for never; undefined where there is none. */
export function timeToLive(view: RawView, cf: ColumnFamily, key: Key): number | undefined {
  const stored = live(view, cf, key);
  if (stored === undefined) return undefined;
  const expiresAt = expiryOf(stored, view.mode.ttlEnabled);
  return expiresAt === 0 ? 0 : expiresAt - view.nowSeconds;
}

/** Live pairs in the scan's order, at most its limit. */
export function scan(view: RawView, what: RawScan): readonly RawPair[] {
  const pairs: RawPair[] = [];
  if (what.limit === 0) return pairs;
  const cursor = view.data.cursor(what.cf, { lower: what.lower, upper: what.upper });
  if (what.reverse) cursor.seekBefore(what.upper);
  else cursor.seek(what.lower);
  while (cursor.valid) {
    if (isLive(cursor.value, view.mode.ttlEnabled, view.nowSeconds)) {
      const value = what.keyOnly ? EMPTY_BYTES : userValue(cursor.value, view.mode.ttlEnabled);
      pairs.push({ key: cursor.key, value });
      if (pairs.length === what.limit) break;
    }
    if (what.reverse) cursor.previous();
    else cursor.next();
  }
  return pairs;
}

export interface RawSum {
  /** Exclusive or of the CRC-64/XZ of each key followed by its value. */
  readonly checksum: bigint;
  readonly pairs: number;
  readonly bytes: number;
}

/** Adds the live pairs in [lower, upper) of the default column family to `sum`. */
export function checksum(view: RawView, lower: Key, upper: Key, sum: RawSum): RawSum {
  let { checksum: digest, pairs, bytes } = sum;
  const cursor = view.data.cursor("default", { lower, upper });
  for (cursor.seek(lower); cursor.valid; cursor.next()) {
    if (!isLive(cursor.value, view.mode.ttlEnabled, view.nowSeconds)) continue;
    const value = userValue(cursor.value, view.mode.ttlEnabled);
    digest ^= crc64(value, 0, value.length, crc64(keyToBytes(cursor.key)));
    pairs += 1;
    bytes += cursor.key.length + value.length;
  }
  return { checksum: digest, pairs, bytes };
}

function live(view: RawView, cf: ColumnFamily, key: Key): Uint8Array | undefined {
  const stored = view.data.get(cf, key);
  if (stored === undefined) return undefined;
  return isLive(stored, view.mode.ttlEnabled, view.nowSeconds) ? stored : undefined;
}
