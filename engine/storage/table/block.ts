/**
 * Data blocks, written: entries in ascending order, each key without the bytes it shares with the
 * one before. At a *restart* a key is whole, so that a reader can search among the restarts and
 * has only the entries of one group to walk through.
 *
 * ```
 * block                                         entry
 *  entries                                       varint  bytes of the key shared with the one before
 *  4 × restarts  offset of each restart          varint  bytes of the key that follow
 *  4             count of restarts               varint  0 a tombstone, else size of the value + 1
 *                                                        rest of the key, value
 * ```
 *
 * A restart shares nothing; any other key shares as much as it can, which readers rely on. Integers
 * are big-endian. How a block is sealed: `seal.ts`.
 */
import { assert } from "../../base/assert.ts";
import { writeU32 } from "../../base/big-endian.ts";
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { MAX_VARINT_BYTES, writeVarint } from "../../base/varint.ts";
import { TOMBSTONE } from "./types.ts";
import type { Entry } from "./types.ts";

/** Below this size a loop copies faster than a call. */
const SMALL_COPY = 24;

export class BlockBuilder {
  private readonly restartInterval: number;
  private bytes: Uint8Array = new Uint8Array(4096);
  private end = 0;
  private readonly restarts: number[] = [];
  private sinceRestart = 0;
  private lastKey: Key = EMPTY_KEY;

  constructor(restartInterval: number) {
    assert(restartInterval >= 1, "a restart is an entry");
    this.restartInterval = restartInterval;
  }

  get isEmpty(): boolean {
    return this.end === 0;
  }

  /** Bytes of the block if it ended here. */
  get size(): number {
    return this.end + 4 * this.restarts.length + 4;
  }

  /** `key` is greater than those before; the caller sees to it. Borrows `entry`. */
  add(key: Key, entry: Entry): void {
    const isRestart = this.end === 0 || this.sinceRestart === this.restartInterval;
    if (isRestart) {
      this.restarts.push(this.end);
      this.sinceRestart = 0;
    }
    this.sinceRestart += 1;
    const shared = isRestart ? 0 : sharedLength(this.lastKey, key);
    const valueSize = entry === TOMBSTONE ? 0 : entry.length;
    this.reserve(3 * MAX_VARINT_BYTES + key.length + valueSize);
    const { bytes } = this;
    let at = writeVarint(shared, bytes, this.end);
    at = writeVarint(key.length - shared, bytes, at);
    at = writeVarint(entry === TOMBSTONE ? 0 : valueSize + 1, bytes, at);
    for (let i = shared; i < key.length; i++) bytes[at++] = key.charCodeAt(i);
    if (entry !== TOMBSTONE) copy(entry, bytes, at);
    this.end = at + valueSize;
    this.lastKey = key;
  }

  /** The block, lent until the next `add`; the builder begins a new one. */
  finish(): Uint8Array {
    const { size, restarts } = this;
    this.reserve(size - this.end);
    let at = this.end;
    for (const restart of restarts) at = writeU32(restart, this.bytes, at);
    writeU32(restarts.length, this.bytes, at);
    this.end = 0;
    restarts.length = 0;
    return this.bytes.subarray(0, size);
  }

  private reserve(more: number): void {
    const needed = this.end + more;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    bytes.set(this.bytes.subarray(0, this.end));
    this.bytes = bytes;
  }
}

/** How many bytes at their starts two keys have in common. */
export function sharedLength(a: Key, b: Key): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}

function copy(value: Uint8Array, target: Uint8Array, offset: number): void {
  if (value.length > SMALL_COPY) target.set(value, offset);
  else for (let i = 0; i < value.length; i++) target[offset + i] = value[i]!;
}
