/**
 * Data blocks, read: finding a key in one, and laying out a group of its entries for a cursor. The
 * format: `block.ts`. A block has passed its checksum when it comes here; what its numbers say is
 * checked all the same before it is followed.
 */
import { readU32 } from "../../base/big-endian.ts";
import type { Key } from "../../base/bytes.ts";
import type { Resident } from "./clock.ts";
import type { EntryHead } from "./entry-head.ts";

/** What a search in a block came to. */
export type Found = "found" | "absent" | "corrupt";

/**
 * About what a block takes in memory besides its bytes: this object, a typed array and its buffer
 * (measured: 430 bytes).
 */
const BLOCK_OVERHEAD = 430;

/** An unsealed block, and what the cache has to know of it. */
export class Block implements Resident {
  readonly bytes: Uint8Array;
  /** Where the entries end and the restarts begin. */
  readonly entriesEnd: number;
  /** Count of restarts. Group `g` is the entries from restart `g` up to the next. */
  readonly groups: number;
  readonly table: number;
  readonly ordinal: number;
  readonly weight: number;
  used = false;
  place = -1;

  /** See `decodeBlock`. Keeps `bytes`. */
  constructor(
    table: number,
    ordinal: number,
    bytes: Uint8Array,
    entriesEnd: number,
    groups: number,
  ) {
    this.table = table;
    this.ordinal = ordinal;
    this.weight = bytes.buffer.byteLength + BLOCK_OVERHEAD;
    this.bytes = bytes;
    this.entriesEnd = entriesEnd;
    this.groups = groups;
  }

  groupStart(group: number): number {
    const { bytes } = this;
    const at = this.entriesEnd + 4 * group;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  groupEnd(group: number): number {
    return group + 1 < this.groups ? this.groupStart(group + 1) : this.entriesEnd;
  }

  /** The last group whose first key is at most `key`; -1 where there is none. Keeps to `head`. */
  groupOf(key: Key, head: EntryHead): number {
    const { bytes } = this;
    let low = 0;
    let high = this.groups;
    while (low < high) {
      const middle = (low + high) >>> 1;
      head.read(bytes, this.groupStart(middle), this.entriesEnd);
      if (head.compare(bytes, key, 0) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Looks for `key`; where it is found, `head` is at it. */
  find(key: Key, head: EntryHead): Found {
    const group = this.groupOf(key, head);
    if (group < 0) return "absent";
    const { bytes } = this;
    const end = this.groupEnd(group);
    // Entries up to here are less than the key and agree with it in `matched` bytes.
    let matched = 0;
    for (let at = this.groupStart(group); at < end; at = head.valueEnd) {
      if (!head.read(bytes, at, end)) return "corrupt";
      // It goes on as the one before did where that was less already.
      if (head.shared > matched) continue;
      // It has grown where the one before agreed with the key.
      if (head.shared < matched) return "absent";
      const order = head.compare(bytes, key, matched);
      if (order === 0) return "found";
      if (order > 0) return "absent";
      matched = head.matched;
    }
    return "absent";
  }
}

/**
 * The block in `part` (kept), data block `ordinal` of table `table`; undefined where its restarts
 * are not in their places. Uses `head`.
 */
export function decodeBlock(
  table: number,
  ordinal: number,
  part: { readonly bytes: Uint8Array; readonly size: number },
  head: EntryHead,
): Block | undefined {
  const { bytes, size } = part;
  if (size < 8) return undefined;
  const groups = readU32(bytes, size - 4);
  const entriesEnd = size - 4 - 4 * groups;
  if (groups === 0 || entriesEnd <= 0) return undefined;
  const block = new Block(table, ordinal, bytes, entriesEnd, groups);
  if (block.groupStart(0) !== 0) return undefined;
  for (let group = 0; group < groups; group++) {
    const start = block.groupStart(group);
    const end = block.groupEnd(group);
    if (start < 0 || start >= end || end > entriesEnd) return undefined;
    if (!head.read(bytes, start, end) || head.shared !== 0) return undefined;
  }
  return block;
}

/** The entries of one group, with whole keys. Used again for group after group. */
export class Group {
  /** Whole keys one behind the other. */
  keys: Uint8Array = new Uint8Array(1024);
  count = 0;
  private keyEnds: Int32Array = new Int32Array(16);
  private valueStarts: Int32Array = new Int32Array(16);
  /** -1 for a tombstone. */
  private valueEnds: Int32Array = new Int32Array(16);

  keyStart(i: number): number {
    return i === 0 ? 0 : this.keyEnds[i - 1]!;
  }

  keyEnd(i: number): number {
    return this.keyEnds[i]!;
  }

  valueStart(i: number): number {
    return this.valueStarts[i]!;
  }

  valueEnd(i: number): number {
    return this.valueEnds[i]!;
  }

  /** Lays out group `group` of `block`. False where the entries are not in order. */
  read(block: Block, group: number, head: EntryHead): boolean {
    const { bytes } = block;
    const end = block.groupEnd(group);
    this.count = 0;
    let keyStart = 0;
    let keyEnd = 0;
    for (let at = block.groupStart(group); at < end; at = head.valueEnd) {
      if (!head.read(bytes, at, end)) return false;
      const { shared } = head;
      const length = shared + head.keyEnd - head.keyStart;
      const next = keyEnd + length;
      if (next > this.keys.length) this.growKeys(next);
      const { keys } = this;
      if (this.count > 0) {
        if (shared > keyEnd - keyStart || length === shared) return false;
        const differs = keyStart + shared;
        if (differs < keyEnd && bytes[head.keyStart]! <= keys[differs]!) return false;
      } else if (shared !== 0) {
        return false;
      }
      for (let i = 0; i < shared; i++) keys[keyEnd + i] = keys[keyStart + i]!;
      let to = keyEnd + shared;
      for (let i = head.keyStart; i < head.keyEnd; i++) keys[to++] = bytes[i]!;
      keyStart = keyEnd;
      keyEnd = next;
      this.push(keyEnd, head);
    }
    return true;
  }

  /** The first entry from `key` on; `count` where all are below. */
  lowerBound(key: Key): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isBelow(middle, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private isBelow(i: number, key: Key): boolean {
    const { keys } = this;
    const start = this.keyStart(i);
    const length = this.keyEnd(i) - start;
    const common = Math.min(length, key.length);
    for (let k = 0; k < common; k++) {
      const difference = keys[start + k]! - key.charCodeAt(k);
      if (difference !== 0) return difference < 0;
    }
    return length < key.length;
  }

  private push(keyEnd: number, head: EntryHead): void {
    const i = this.count++;
    if (i === this.keyEnds.length) {
      this.keyEnds = grown(this.keyEnds);
      this.valueStarts = grown(this.valueStarts);
      this.valueEnds = grown(this.valueEnds);
    }
    this.keyEnds[i] = keyEnd;
    this.valueStarts[i] = head.keyEnd;
    this.valueEnds[i] = head.isTombstone ? -1 : head.valueEnd;
  }

  private growKeys(needed: number): void {
    const keys = new Uint8Array(2 * needed);
    keys.set(this.keys);
    this.keys = keys;
  }
}

function grown(numbers: Int32Array): Int32Array {
  const more = new Int32Array(2 * numbers.length);
  more.set(numbers);
  return more;
}
