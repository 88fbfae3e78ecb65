/**
 * Reading one entry of a block where it lies, without making anything. Blocks have passed their
 * checksum; still nothing is read beyond `limit`, whatever the sizes say.
 */
import type { Key } from "../../base/bytes.ts";

/** Where the parts of an entry are. Used again for entry after entry. */
export class EntryHead {
  /** Bytes of the key that are those of the entry before. */
  shared = 0;
  /** The rest of the key, from `keyStart` to `keyEnd`. */
  keyStart = 0;
  keyEnd = 0;
  isTombstone = false;
  /** The value, from `keyEnd` to `valueEnd`, where the next entry starts. */
  valueEnd = 0;
  /** What `compare` found to be equal, in bytes from the start of the key. */
  matched = 0;
  private at = 0;

  /** Reads the entry at `offset`. False where it does not end by `limit`. */
  read(bytes: Uint8Array, offset: number, limit: number): boolean {
    // Nearly all of these three are below 128; bytes that are missing fail in the last line.
    let at = offset;
    let shared = bytes[at++]!;
    let unshared = bytes[at++]!;
    let size = bytes[at++]!;
    if (shared > 0x7f || unshared > 0x7f || size > 0x7f) {
      this.at = offset;
      shared = this.varint(bytes);
      unshared = this.varint(bytes);
      size = this.varint(bytes);
      at = this.at;
    }
    this.shared = shared;
    this.keyStart = at;
    this.keyEnd = at + unshared;
    this.isTombstone = size === 0;
    this.valueEnd = size === 0 ? this.keyEnd : this.keyEnd + size - 1;
    return this.valueEnd <= limit;
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
