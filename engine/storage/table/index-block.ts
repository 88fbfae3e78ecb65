/**
 * A table's index: for each data block where it lies and a key that parts it from the block before.
 *
 * ```
 * index, one for each data block, in their order
 *  varint  bytes of the start shared with the start before
 *  varint  bytes of the start that follow
 *  varint  size of the data block, sealed
 *          rest of the start
 * ```
 *
 * The *start* of a block is the shortest key above all keys before the block that begins its first
 * key; that of the first block is its first key. So a block's keys lie in [its start, next start).
 * The first data block lies at offset 0, each other behind the one before.
 */
import { EMPTY_KEY, keyFromRange } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { MAX_VARINT_BYTES, readVarint, writeVarint } from "../../base/varint.ts";
import { grown, sharedLength } from "./block.ts";

/** Bytes of a key that are compared as one number. */
const DIGEST_BYTES = 6;

export class IndexBuilder {
  private bytes: Uint8Array = new Uint8Array(1024);
  private end = 0;
  private lastStart: Key = EMPTY_KEY;

  get size(): number {
    return this.end;
  }

  add(start: Key, size: number): void {
    const shared = sharedLength(this.lastStart, start);
    const most = this.end + 3 * MAX_VARINT_BYTES + start.length;
    if (most > this.bytes.length) this.bytes = grown(this.bytes, this.end, most);
    let at = writeVarint(shared, this.bytes, this.end);
    at = writeVarint(start.length - shared, this.bytes, at);
    at = writeVarint(size, this.bytes, at);
    for (let i = shared; i < start.length; i++) this.bytes[at++] = start.charCodeAt(i);
    this.end = at;
    this.lastStart = start;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.end);
  }
}

/** The start of a block between the last key before it and its first key. */
export const blockStart = (last: Key, first: Key): Key =>
  first.slice(0, sharedLength(last, first) + 1) as Key;

/** What a data block takes of the memory of an open table besides the bytes of its start. */
const BYTES_PER_BLOCK = 4 + 4 + 8;

/**
 * An index as it is kept in memory: in a few arrays, as there is a start for every few KiB of all
 * data that is in use, and a string for each would take three times as much.
 */
export class TableIndex {
  /** Offset of each data block, and behind the last one the end of it. */
  readonly offsets: Uint32Array;
  /** What all starts have in common. */
  private readonly prefix: Key;
  /** The starts without it, one behind the other, and where each begins and the last one ends. */
  private readonly rests: Uint8Array;
  private readonly places: Uint32Array;
  /**
   * The first bytes of each rest as a number: the search goes through these, which lie one beside
   * the other, and looks at rests only where they are equal.
   */
  private readonly digests: Float64Array;

  constructor(prefix: Key, rests: Uint8Array, places: Uint32Array, offsets: Uint32Array) {
    this.offsets = offsets;
    this.prefix = prefix;
    this.rests = rests;
    this.places = places;
    this.digests = new Float64Array(places.length - 1);
    for (let i = 0; i < this.digests.length; i++) {
      this.digests[i] = digestOfRange(rests, places[i]!, places[i + 1]!);
    }
  }

  get count(): number {
    return this.digests.length;
  }

  /** About what it takes in memory, in bytes. */
  get weight(): number {
    return this.rests.length + BYTES_PER_BLOCK * this.count;
  }

  /** The start of a block; undefined behind the last one. */
  start(ordinal: number): Key | undefined {
    const { prefix, rests, places } = this;
    if (ordinal >= this.count) return undefined;
    return (prefix + keyFromRange(rests, places[ordinal]!, places[ordinal + 1]!)) as Key;
  }

  /** The block in which `key` is if it is in the table; -1 where it is before all blocks. */
  find(key: Key): number {
    const { prefix, digests } = this;
    if (!key.startsWith(prefix)) return key < prefix ? -1 : digests.length - 1;
    const wanted = digestOfKey(key, prefix.length);
    let low = 0;
    let high = digests.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const is = digests[middle]!;
      if (is < wanted || (is === wanted && this.isReached(middle, key))) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Whether the start of a block, whose digest is the key's, is at most `key`. */
  private isReached(ordinal: number, key: Key): boolean {
    const { rests, places } = this;
    const end = places[ordinal + 1]!;
    let i = this.prefix.length;
    for (let at = places[ordinal]!; at < end; at++, i++) {
      if (i === key.length) return false;
      const difference = rests[at]! - key.charCodeAt(i);
      if (difference !== 0) return difference < 0;
    }
    return true;
  }
}

/**
 * A number that is less where the key is less, seen from byte `from` on; equal ones decide nothing.
 */
function digestOfKey(key: Key, from: number): number {
  const { length } = key;
  if (from + DIGEST_BYTES <= length) {
    return (
      (key.charCodeAt(from) * 0x10000 +
        ((key.charCodeAt(from + 1) << 8) | key.charCodeAt(from + 2))) *
        0x1000000 +
      ((key.charCodeAt(from + 3) << 16) |
        (key.charCodeAt(from + 4) << 8) |
        key.charCodeAt(from + 5))
    );
  }
  let value = 0;
  for (let i = from; i < from + DIGEST_BYTES; i++) {
    value = value * 256 + (i < length ? key.charCodeAt(i) : 0);
  }
  return value;
}

/** The same of a key without what comes before `from`. */
function digestOfRange(rests: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let i = from; i < from + DIGEST_BYTES; i++) value = value * 256 + (i < end ? rests[i]! : 0);
  return value;
}

/** Reads the index of data blocks that take `dataSize` bytes; undefined where it is none. */
export function decodeIndex(
  bytes: Uint8Array,
  size: number,
  dataSize: number,
): TableIndex | undefined {
  const starts = new Starts();
  const offsets: number[] = [0];
  let at = 0;
  let end = 0;
  while (at < size) {
    const shared = readVarint(bytes, at);
    if (!shared.ok) return undefined;
    const unshared = readVarint(bytes, shared.next);
    if (!unshared.ok) return undefined;
    const blockSize = readVarint(bytes, unshared.next);
    if (!blockSize.ok) return undefined;
    const rest = blockSize.next;
    at = rest + unshared.value;
    end += blockSize.value;
    if (at > size || end > dataSize) return undefined;
    if (!starts.add(shared.value, bytes, rest, at)) return undefined;
    offsets.push(end);
  }
  if (end !== dataSize) return undefined;
  return starts.finish(Uint32Array.from(offsets));
}

/** Starts as they are read, whole, one behind the other. */
class Starts {
  private bytes: Uint8Array = new Uint8Array(4096);
  private readonly places: number[] = [0];

  /**
   * Adds the one that has `shared` bytes of the start before and goes on with `from[begin, end)`.
   * False where it is not above that one, or cannot share so much.
   */
  add(shared: number, from: Uint8Array, begin: number, end: number): boolean {
    const { places } = this;
    const at = places.at(-1)!;
    const last = places.length === 1 ? at : places.at(-2)!;
    if (shared > at - last) return false;
    const length = shared + end - begin;
    if (at + length > this.bytes.length) this.bytes = grown(this.bytes, at, at + length);
    const { bytes } = this;
    bytes.copyWithin(at, last, last + shared);
    for (let i = begin; i < end; i++) bytes[at + shared + i - begin] = from[i]!;
    if (places.length > 1 && !this.ascends(last, at, at + length, shared)) return false;
    places.push(at + length);
    return true;
  }

  /** Leaves out what all have in common. */
  finish(offsets: Uint32Array): TableIndex {
    const { bytes, places } = this;
    const count = places.length - 1;
    const keyAt = (i: number): Key => keyFromRange(bytes, places[i]!, places[i + 1]!);
    const prefix = count === 0 ? 0 : sharedLength(keyAt(0), keyAt(count - 1));
    const rests = new Uint8Array(places[count]! - count * prefix);
    const restsAt = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) {
      let to = restsAt[i]!;
      for (let at = places[i]! + prefix; at < places[i + 1]!; at++) rests[to++] = bytes[at]!;
      restsAt[i + 1] = to;
    }
    return new TableIndex(keyFromRange(bytes, 0, prefix), rests, restsAt, offsets);
  }

  /** Whether the start in `[middle, end)` is above the one in `[from, middle)`. */
  private ascends(from: number, middle: number, end: number, shared: number): boolean {
    const { bytes } = this;
    for (let i = shared; ; i++) {
      if (middle + i === end) return false;
      if (from + i === middle) return true;
      const difference = bytes[middle + i]! - bytes[from + i]!;
      if (difference !== 0) return difference > 0;
    }
  }
}
