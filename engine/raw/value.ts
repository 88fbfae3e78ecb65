/**
 * The stored form of a raw value. Where time to live is enabled (TiKV's "V1TTL"), eight bytes
 * follow the user's value: the second of the Unix epoch at which it expires, big-endian, 0 for
 * never. Where it is not, the stored form is the value itself.
 *
 *   | user's value (n bytes) | expiry (u64 BE, seconds) |
 */
import { assert } from "../base/assert.ts";

const SUFFIX = 8;
const HIGH = 2 ** 32;

/** `expiresAt` in seconds of the Unix epoch; 0 for never. May be `value` itself. */
export function encodeValue(value: Uint8Array, expiresAt: number, ttlEnabled: boolean): Uint8Array {
  if (!ttlEnabled) return value;
  const stored = new Uint8Array(value.length + SUFFIX);
  stored.set(value);
  const view = new DataView(stored.buffer);
  view.setUint32(value.length, Math.floor(expiresAt / HIGH));
  view.setUint32(value.length + 4, expiresAt % HIGH);
  return stored;
}

/** The user's value; a view of `stored`. */
export function userValue(stored: Uint8Array, ttlEnabled: boolean): Uint8Array {
  return ttlEnabled ? stored.subarray(0, stored.length - SUFFIX) : stored;
}

/** The second of the Unix epoch at which `stored` expires; 0 for never. */
export function expiryOf(stored: Uint8Array, ttlEnabled: boolean): number {
  if (!ttlEnabled) return 0;
  assert(stored.length >= SUFFIX, "a stored raw value ends in its expiry");
  const view = new DataView(stored.buffer, stored.byteOffset + stored.length - SUFFIX, SUFFIX);
  return view.getUint32(0) * HIGH + view.getUint32(4);
}

/** Whether a reader at `nowSeconds` still sees `stored`. */
export function isLive(stored: Uint8Array, ttlEnabled: boolean, nowSeconds: number): boolean {
  if (!ttlEnabled) return true;
  const expiresAt = expiryOf(stored, ttlEnabled);
  return expiresAt === 0 || expiresAt > nowSeconds;
}
