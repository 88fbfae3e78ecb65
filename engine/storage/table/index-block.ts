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

/** An index as it is kept in memory. */
export class TableIndex {
  readonly starts: readonly Key[];
  /** Offset of each data block, and behind the last one the end of it. */
  readonly offsets: Uint32Array;
  /** What all starts have in common. */
  private readonly prefix: Key;
  /**
   * The next bytes of each start as a number: the search goes through these, which lie one beside
   * the other, and looks at keys only where they are equal.
   */
  private readonly digests: Float64Array;

  constructor(starts: readonly Key[], offsets: Uint32Array) {
    this.starts = starts;
    this.offsets = offsets;
    const first = starts[0] ?? EMPTY_KEY;
    this.prefix = first.slice(0, sharedLength(first, starts.at(-1) ?? EMPTY_KEY)) as Key;
    this.digests = new Float64Array(starts.length);
    for (const [i, start] of starts.entries()) this.digests[i] = digest(start, this.prefix.length);
  }

  get count(): number {
    return this.starts.length;
  }

  /** The block in which `key` is if it is in the table; -1 where it is before all blocks. */
  find(key: Key): number {
    const { prefix, digests, starts } = this;
    if (!key.startsWith(prefix)) return key < prefix ? -1 : starts.length - 1;
    const wanted = digest(key, prefix.length);
    let low = 0;
    let high = digests.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const is = digests[middle]!;
      if (is < wanted || (is === wanted && starts[middle]! <= key)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/**
 * A number that is less where the key is less, seen from byte `from` on; equal ones decide nothing.
 */
function digest(key: Key, from: number): number {
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

/** Reads the index of data blocks that take `dataSize` bytes; undefined where it is none. */
export function decodeIndex(
  bytes: Uint8Array,
  size: number,
  dataSize: number,
): TableIndex | undefined {
  const starts: Key[] = [];
  const sizes: number[] = [];
  let key: Uint8Array = new Uint8Array(64);
  let at = 0;
  let end = 0;
  while (at < size) {
    const shared = readVarint(bytes, at);
    if (!shared.ok) return undefined;
    const unshared = readVarint(bytes, shared.next);
    if (!unshared.ok) return undefined;
    const blockSize = readVarint(bytes, unshared.next);
    if (!blockSize.ok) return undefined;
    const last = starts.at(-1);
    const rest = blockSize.next;
    const length = shared.value + unshared.value;
    at = rest + unshared.value;
    end += blockSize.value;
    if (at > size || end > dataSize || shared.value > (last ?? EMPTY_KEY).length) return undefined;
    if (length > key.length) key = grown(key, key.length, length);
    key.set(bytes.subarray(rest, at), shared.value);
    const start = keyFromRange(key, 0, length);
    if (last !== undefined && start <= last) return undefined;
    starts.push(start);
    sizes.push(blockSize.value);
  }
  if (end !== dataSize) return undefined;
  const offsets = new Uint32Array(sizes.length + 1);
  for (const [i, blockSize] of sizes.entries()) offsets[i + 1] = offsets[i]! + blockSize;
  return new TableIndex(starts, offsets);
}
