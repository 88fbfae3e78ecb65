/**
 * Reading the head of one entry of a block where it lies, without making anything. Blocks have
 * passed their checksum; still nothing is read beyond `limit`, whatever the sizes say.
 */
import type { Key } from "../../base/bytes.ts";

/** No size: its varint has more than two bytes. */
const LONG = -1;

/** What one head says. Used again for entry after entry. */
export class EntryHead {
  /** Bytes of the key that are those of the entry before. */
  shared = 0;
  /** The rest of the key, from `keyStart` to `keyEnd`, where the next head starts. */
  keyStart = 0;
  keyEnd = 0;
  isTombstone = false;
  valueSize = 0;
  /** What `compare` found to be equal, in bytes from the start of the key. */
  matched = 0;
  private at = 0;

  /** Reads the head at `offset`. False where it does not end by `limit`. */
  read(bytes: Uint8Array, offset: number, limit: number): boolean {
    // Nearly all sizes of keys are below 128; bytes that are missing fail in the last line.
    const shared = bytes[offset]!;
    const unshared = bytes[offset + 1]!;
    let size = bytes[offset + 2]!;
    let at = offset + 3;
    if (size > 0x7f) {
      const more = bytes[at++]!;
      size = more > 0x7f ? LONG : (size & 0x7f) | (more << 7);
    }
    if (shared > 0x7f || unshared > 0x7f || size === LONG) {
      return this.readLong(bytes, offset, limit);
    }
    this.shared = shared;
    this.keyStart = at;
    this.keyEnd = at + unshared;
    this.isTombstone = size === 0;
    this.valueSize = size === 0 ? 0 : size - 1;
    return this.keyEnd <= limit;
  }

  /**
   * Compares the entry's key with `key` from byte `from` on, before which they are known to be
   * equal and which is where the entry's own bytes begin. Negative, zero or positive as the entry's
   * is less, equal or greater.
   */
  compare(bytes: Uint8Array, key: Key, from: number): number {
    const { keyStart, keyEnd } = this;
    const { length } = key;
    let i = from;
    for (let at = keyStart; at < keyEnd && i < length; at++, i++) {
      const difference = bytes[at]! - key.charCodeAt(i);
      if (difference !== 0) {
        this.matched = i;
        return difference;
      }
    }
    this.matched = i;
    return keyEnd - keyStart - (length - from);
  }

  private readLong(bytes: Uint8Array, offset: number, limit: number): boolean {
    this.at = offset;
    this.shared = this.varint(bytes);
    const unshared = this.varint(bytes);
    const size = this.varint(bytes);
    this.keyStart = this.at;
    this.keyEnd = this.at + unshared;
    this.isTombstone = size === 0;
    this.valueSize = size === 0 ? 0 : size - 1;
    // Not so where any of them is not a number.
    return this.keyEnd + this.shared + this.valueSize >= 0 && this.keyEnd <= limit;
  }

  private varint(bytes: Uint8Array): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < 8; i++) {
      const byte = bytes[this.at++];
      // Not a number: no comparison with a limit holds.
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
    return Number.NaN;
  }
}
