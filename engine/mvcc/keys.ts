/**
 * The keys of transactional data. A user's key is stored memcomparable (`base/memcomparable.ts`);
 * its versions have a timestamp behind it, descending, so that the newest comes first:
 *
 *   lock      encoded key                                 one lock at most
 *   write     encoded key, commit timestamp (8)           who wrote, and when it became visible
 *   default   encoded key, start timestamp (8)            values too long for a lock or write record
 *
 * No encoded key is a prefix of another, so the versions of one key are all that starts with it.
 */
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import {
  SUFFIX_BYTES,
  decodeMemcomparable,
  descendingSuffix,
  encodeMemcomparable,
  readDescendingSuffix,
} from "../base/memcomparable.ts";
import type { Timestamp } from "../base/timestamp.ts";
import type { Bounds } from "../storage/view.ts";

/** Behind the oldest version that a key can have. */
const AFTER_VERSIONS = `${"\xff".repeat(SUFFIX_BYTES)}\0`;

/** A user's key as it is stored. */
export const encodeKey = (user: Key): Key => encodeMemcomparable(user);

/** The end of a range of user keys as it is stored; empty is no bound. */
export const encodeEnd = (user: Key): Key => (user === EMPTY_KEY ? EMPTY_KEY : encodeKey(user));

/** The user's key that `encoded` is the form of; undefined where it is none. */
export function decodeKey(encoded: Key): Key | undefined {
  const decoded = decodeMemcomparable(encoded);
  return decoded.ok && decoded.end === encoded.length ? decoded.key : undefined;
}

/** Where the version of `encoded` at `timestamp` is stored. */
export const versionKey = (encoded: Key, timestamp: Timestamp): Key =>
  (encoded + descendingSuffix(timestamp)) as Key;

/** The encoded key that `stored` is a version of. */
export const keyOfVersion = (stored: Key): Key => stored.slice(0, -SUFFIX_BYTES) as Key;

/** The timestamp of the version stored at `stored`; undefined where that is too short for one. */
export const timestampOfVersion = (stored: Key): Timestamp | undefined =>
  readDescendingSuffix(stored, stored.length - SUFFIX_BYTES) as Timestamp | undefined;

/** Behind every version of `encoded`, before the next key. */
export const afterVersions = (encoded: Key): Key => (encoded + AFTER_VERSIONS) as Key;

/** The versions of `encoded` in the `write` family. */
export const versionsOf = (encoded: Key): Bounds => ({
  lower: encoded,
  upper: afterVersions(encoded),
  filterKey: encoded,
});
