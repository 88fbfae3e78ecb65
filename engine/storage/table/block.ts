/**
 * Data blocks, written: entries in ascending order, each key without the bytes it shares with the
 * one before. At a *restart* a key is whole, so that a reader can search among the restarts and
 * has only the entries of one group to walk through. Keys and values lie apart: whoever searches
 * touches a fifth of the memory, and misses the processor's caches so much less.
 *
 * ```
 * block                                         head of an entry
 *  4             count of restarts               varint  bytes of the key shared with the one before
 *  8 × restarts  offsets of the first head       varint  bytes of the key that follow
 *                and the first value             varint  0 a tombstone, else size of the value + 1
 *  heads                                                 rest of the key
 *  values
 * ```
 *
 * A restart shares nothing; any other key shares as much as it can, which readers rely on. Integers
 * are big-endian. How a block is sealed: `seal.ts`.
 */
import { assert } from "../../base/assert.ts";
import { writeU32 } from "../../base/big-endian.ts";
import { EMPTY_BYTES, EMPTY_KEY } from "../../base/bytes.ts";
import type { Key } from "../../base/bytes.ts";
import { MAX_VARINT_BYTES, writeVarint } from "../../base/varint.ts";
import { TOMBSTONE } from "./types.ts";
import type { Entry } from "./types.ts";

/** Where the restarts of a block start, and how many bytes each takes. */
export const RESTARTS_AT = 4;
export const RESTART_BYTES = 8;

/** Below this size a loop copies faster than a call. */
const SMALL_COPY = 24;
/** Room that heads and values have at first. */
const FIRST_ROOM = 512;

export class BlockBuilder {
  private readonly restartInterval: number;
  private heads: Uint8Array = new Uint8Array(FIRST_ROOM);
  private headsEnd = 0;
  private values: Uint8Array = new Uint8Array(FIRST_ROOM);
  private valuesEnd = 0;
  private finished: Uint8Array = EMPTY_BYTES;
  /** Two for each: places of the head among the heads, of the value among the values. */
  private readonly restarts: number[] = [];
  private sinceRestart = 0;
  private lastKey: Key = EMPTY_KEY;

  constructor(restartInterval: number) {
    assert(restartInterval >= 1, "a restart is an entry");
    this.restartInterval = restartInterval;
  }

  get isEmpty(): boolean {
    return this.headsEnd === 0;
  }

  /** Bytes of the block if it ended here. */
  get size(): number {
    return RESTARTS_AT + 4 * this.restarts.length + this.headsEnd + this.valuesEnd;
  }

  /** `key` is greater than those before; the caller sees to it. Borrows `entry`. */
  add(key: Key, entry: Entry): void {
    const isRestart = this.headsEnd === 0 || this.sinceRestart === this.restartInterval;
    if (isRestart) {
      this.restarts.push(this.headsEnd, this.valuesEnd);
      this.sinceRestart = 0;
    }
    this.sinceRestart += 1;
    const shared = isRestart ? 0 : sharedLength(this.lastKey, key);
    const most = this.headsEnd + 3 * MAX_VARINT_BYTES + key.length;
    if (most > this.heads.length) this.heads = grown(this.heads, this.headsEnd, most);
    const { heads } = this;
    let at = writeVarint(shared, heads, this.headsEnd);
    at = writeVarint(key.length - shared, heads, at);
    at = writeVarint(entry === TOMBSTONE ? 0 : entry.length + 1, heads, at);
    for (let i = shared; i < key.length; i++) heads[at++] = key.charCodeAt(i);
    this.headsEnd = at;
    if (entry !== TOMBSTONE) this.addValue(entry);
    this.lastKey = key;
  }

  /** The block, good until the next one is finished; the builder begins a new one. */
  finish(): Uint8Array {
    const { headsEnd, valuesEnd, restarts, size } = this;
    if (this.finished.length < size) this.finished = grown(this.finished, 0, size);
    const block = this.finished;
    const headsAt = RESTARTS_AT + 4 * restarts.length;
    const valuesAt = headsAt + headsEnd;
    let at = writeU32(restarts.length / 2, block, 0);
    for (let i = 0; i < restarts.length; i += 2) {
      at = writeU32(headsAt + restarts[i]!, block, at);
      at = writeU32(valuesAt + restarts[i + 1]!, block, at);
    }
    block.set(this.heads.subarray(0, headsEnd), headsAt);
    block.set(this.values.subarray(0, valuesEnd), valuesAt);
    this.headsEnd = 0;
    this.valuesEnd = 0;
    restarts.length = 0;
    return block.subarray(0, size);
  }

  private addValue(value: Uint8Array): void {
    const { valuesEnd } = this;
    const end = valuesEnd + value.length;
    if (end > this.values.length) this.values = grown(this.values, valuesEnd, end);
    if (value.length > SMALL_COPY) this.values.set(value, valuesEnd);
    else for (let i = 0; i < value.length; i++) this.values[valuesEnd + i] = value[i]!;
    this.valuesEnd = end;
  }
}

/** A longer array with the first `end` bytes of this one, for `needed` and more. */
export function grown(bytes: Uint8Array, end: number, needed: number): Uint8Array {
  const longer = new Uint8Array(Math.max(needed, 2 * bytes.length));
  longer.set(bytes.subarray(0, end));
  return longer;
}

/** How many bytes at their starts two keys have in common. */
export function sharedLength(a: Key, b: Key): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
