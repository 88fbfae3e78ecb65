/**
 * Data blocks, read: finding a key in one, and laying out a group of its entries for a cursor. The
 * format: `block.ts`. A block has passed its checksum when it comes here; what its numbers say is
 * checked all the same before it is followed.
 */
import { readU32 } from "../../base/big-endian.ts";
import { EMPTY_BYTES, keyFromRange } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { RESTARTS_AT, RESTART_BYTES } from "./block.ts";
import type { Resident } from "./clock.ts";
import type { Copies } from "./copies.ts";
import type { EntryHead } from "./entry-head.ts";

/** What a search in a block came to where it did not find an entry. */
export const ABSENT = -1;
export const CORRUPT = -2;

/**
 * About what a block takes in memory besides its bytes: this object, a typed array and its buffer
 * (measured: 430 bytes).
 */
const BLOCK_OVERHEAD = 430;

/** What a block with an array of so many bytes takes in memory. */
export const blockWeight = (bytes: number): number => bytes + BLOCK_OVERHEAD;

/** An unsealed block, and what the cache has to know of it. */
export class Block implements Resident {
  readonly bytes: Uint8Array;
  /** Where the values end. */
  readonly valuesEnd: number;
  /** Count of restarts. Group `g` is the entries from restart `g` up to the next. */
  readonly groups: number;
  readonly table: number;
  readonly ordinal: number;
  readonly weight: number;
  used = false;
  place = -1;
  /** How often something of it was copied for somebody outside the cache. */
  copies = 0;

  /** See `decodeBlock`. Keeps `bytes`. */
  constructor(
    table: number,
    ordinal: number,
    bytes: Uint8Array,
    valuesEnd: number,
    groups: number,
  ) {
    this.table = table;
    this.ordinal = ordinal;
    this.weight = blockWeight(bytes.length);
    this.bytes = bytes;
    this.valuesEnd = valuesEnd;
    this.groups = groups;
  }

  /** The same block in an array that `copies` makes. */
  copied(copies: Copies): Block {
    const { table, ordinal, bytes, valuesEnd, groups } = this;
    return new Block(table, ordinal, copies.of(bytes, 0, valuesEnd), valuesEnd, groups);
  }

  /** Where the heads of a group start. */
  headStart(group: number): number {
    return this.offsetAt(RESTARTS_AT + RESTART_BYTES * group);
  }

  headEnd(group: number): number {
    return group + 1 < this.groups ? this.headStart(group + 1) : this.valueStart(0);
  }

  /** Where the values of a group start. */
  valueStart(group: number): number {
    return this.offsetAt(RESTARTS_AT + RESTART_BYTES * group + 4);
  }

  valueEnd(group: number): number {
    return group + 1 < this.groups ? this.valueStart(group + 1) : this.valuesEnd;
  }

  /** The last group whose first key is at most `key`; -1 where there is none. Uses `head`. */
  groupOf(key: Key, head: EntryHead): number {
    const { bytes } = this;
    let low = 0;
    let high = this.groups;
    while (low < high) {
      const middle = (low + high) >>> 1;
      head.read(bytes, this.headStart(middle), this.valuesEnd);
      if (head.compare(bytes, key, 0) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Looks for `key`. Where it is found `head` is at it: the offset of its value, which lies within
   * the block. Else a negative number that says why.
   */
  find(key: Key, head: EntryHead): number {
    const group = this.groupOf(key, head);
    if (group < 0) return ABSENT;
    const { bytes } = this;
    const end = this.headEnd(group);
    let value = this.valueStart(group);
    // Entries up to here are less than the key and agree with it in `matched` bytes.
    let matched = 0;
    for (let at = this.headStart(group); at < end; at = head.keyEnd) {
      if (!head.read(bytes, at, end)) return CORRUPT;
      // One that shares more is less for the reason that the one before was; one that shares less
      // has grown where the one before agreed with the key.
      if (head.shared < matched) return ABSENT;
      if (head.shared === matched) {
        const order = head.compare(bytes, key, matched);
        if (order === 0) return value + head.valueSize <= this.valueEnd(group) ? value : CORRUPT;
        if (order > 0) return ABSENT;
        matched = head.matched;
      }
      value += head.valueSize;
    }
    return ABSENT;
  }

  private offsetAt(at: number): number {
    const { bytes } = this;
    return (
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    );
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
  if (size < RESTARTS_AT) return undefined;
  const groups = readU32(bytes, 0);
  const headsAt = RESTARTS_AT + RESTART_BYTES * groups;
  if (groups === 0 || headsAt >= size) return undefined;
  const block = new Block(table, ordinal, bytes, size, groups);
  if (block.headStart(0) !== headsAt) return undefined;
  const headsEnd = block.valueStart(0);
  if (headsEnd > size) return undefined;
  for (let group = 0; group < groups; group++) {
    const start = block.headStart(group);
    const end = block.headEnd(group);
    if (start >= end || end > headsEnd) return undefined;
    const value = block.valueStart(group);
    if (value < headsEnd || value > block.valueEnd(group)) return undefined;
    if (!head.read(bytes, start, end) || head.shared !== 0) return undefined;
  }
  return block;
}

/** Numbers of one entry in a group. */
const STRIDE = 5;
const SHARED = 0;
const KEY_START = 1;
const KEY_END = 2;
const VALUE_START = 3;
/** -1 for a tombstone. */
const VALUE_END = 4;

/**
 * Where the entries of one group are. Used again for group after group. Keys are put together only
 * when they are asked for.
 */
export class Group {
  count = 0;
  private bytes: Uint8Array = EMPTY_BYTES;
  private readonly places: number[] = [];

  /** Where the value starts. */
  valueStart(i: number): number {
    return this.places[STRIDE * i + VALUE_START]!;
  }

  /** Where it ends; -1 for a tombstone. */
  valueEnd(i: number): number {
    return this.places[STRIDE * i + VALUE_END]!;
  }

  key(i: number): Key {
    const { places, bytes } = this;
    let at = STRIDE * i;
    let shared = places[at + SHARED]!;
    const start = places[at + KEY_START]!;
    const length = shared + places[at + KEY_END]! - start;
    if (shared === 0) return keyFromRange(bytes, start, start + length);
    // What is shared stands in entries before: each has some of it, the first has the rest.
    const key = new Uint8Array(length);
    for (let k = shared; k < length; k++) key[k] = bytes[start + k - shared]!;
    while (shared > 0) {
      at -= STRIDE;
      const own = places[at + SHARED]!;
      const ownStart = places[at + KEY_START]!;
      for (let k = own; k < shared; k++) key[k] = bytes[ownStart + k - own]!;
      shared = Math.min(shared, own);
    }
    return keyFromRange(key, 0, length);
  }

  /** Reads group `group` of `block`. False where its entries are not in order. */
  read(block: Block, group: number, head: EntryHead): boolean {
    const { bytes } = block;
    const { places } = this;
    const end = block.headEnd(group);
    const valueEnd = block.valueEnd(group);
    let value = block.valueStart(group);
    let place = 0;
    this.bytes = bytes;
    this.count = 0;
    for (let at = block.headStart(group); at < end; at = head.keyEnd) {
      if (!head.read(bytes, at, end)) return false;
      places[place + SHARED] = head.shared;
      places[place + KEY_START] = head.keyStart;
      places[place + KEY_END] = head.keyEnd;
      places[place + VALUE_START] = value;
      value += head.valueSize;
      places[place + VALUE_END] = head.isTombstone ? -1 : value;
      if (!this.ascends(this.count)) return false;
      this.count += 1;
      place += STRIDE;
    }
    return value === valueEnd;
  }

  /** The first entry of the group that was read last from `key` on; `count` where all are below. */
  lowerBound(key: Key, head: EntryHead): number {
    const { bytes, places } = this;
    let matched = 0;
    for (let i = 0; i < this.count; i++) {
      const shared = places[STRIDE * i + SHARED]!;
      // As in `Block.find`.
      if (shared < matched) return i;
      if (shared > matched) continue;
      head.keyStart = places[STRIDE * i + KEY_START]!;
      head.keyEnd = places[STRIDE * i + KEY_END]!;
      if (head.compare(bytes, key, matched) >= 0) return i;
      matched = head.matched;
    }
    return this.count;
  }

  /** Whether the key of entry `i` is above the one before, and shares with it all it can. */
  private ascends(i: number): boolean {
    const { places, bytes } = this;
    let at = STRIDE * i;
    const shared = places[at + SHARED]!;
    if (i === 0) return shared === 0;
    const start = places[at + KEY_START]!;
    if (start === places[at + KEY_END]!) return false;
    at -= STRIDE;
    const before = places[at + SHARED]! + places[at + KEY_END]! - places[at + KEY_START]!;
    if (shared >= before) return shared === before;
    // The byte in which they differ may stand in an entry further back.
    while (places[at + SHARED]! > shared) at -= STRIDE;
    return bytes[places[at + KEY_START]! + shared - places[at + SHARED]!]! < bytes[start]!;
  }
}
