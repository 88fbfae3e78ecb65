/**
 * Where a memtable keeps its values: behind one another in chunks that are only ever appended to,
 * so that snapshots may share them with whoever writes on.
 *
 *   | size of the value (4) | value | size of the next (4) | ...
 *
 * and some with their keys, for who comes without knowing whose value it is:
 *
 *   | key | size of the key (4) | size of the value (4) | value | ...
 *
 * Values come as views of what arrived from the network or was read from the log; to keep those
 * would be to keep all that arrived with them. And a value that is an object of its own costs its
 * memory, and the collector its time: see docs/design/009-lsm.md, "What an entry costs".
 */
import { readU32, writeU32 } from "../../../base/big-endian.ts";
import { assert } from "../../../base/assert.ts";
import { EMPTY_BYTES, keyFromRange, writeKey } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Entry } from "../../table/types.ts";
import { filterKeyBytes } from "../../view.ts";

/** Mutable, and shared by all memtables that come of one another. */
export interface Arena {
  readonly chunks: Uint8Array[];
  /** Of each chunk: to ask it for its buffer is a call out of compiled code. */
  readonly buffers: ArrayBufferLike[];
  /** The chunk that is being filled, and its bytes that are taken. */
  filling: number;
  used: number;
}

/** Where an arena has a value, or `TOMBSTONE`: a small integer, which costs nothing. */
export type Slot = number;

/** Positions count as if all chunks had this size. */
const CHUNK = 64 * 1024;
const FIRST_CHUNK = 4 * 1024;
/** What takes more bytes has a chunk of its own: it would leave too much of another unused. */
const LARGEST_SHARED = CHUNK / 8;
const SIZE_BYTES = 4;
/** The longest key that can be kept: its value begins where positions of its chunk are counted. */
export const MAX_KEPT_KEY: number = CHUNK - SIZE_BYTES - 1;

export const newArena = (): Arena => ({
  chunks: [EMPTY_BYTES],
  buffers: [EMPTY_BYTES.buffer],
  filling: 0,
  used: 0,
});

/** What a value of this length takes. */
export const keptBytes = (length: number): number => SIZE_BYTES + length;

/** What the key of a value takes that is kept with it. */
export const keptKeyBytes = (length: number): number => length + SIZE_BYTES;

/** Copies `value`; the result is never `TOMBSTONE`. */
export const keep = (arena: Arena, value: Uint8Array): Slot =>
  place(arena, room(arena, keptBytes(value.length)), value);

/** Copies `value`, and `key` before it, which is no longer than `MAX_KEPT_KEY`. */
export function keepWithKey(arena: Arena, key: Key, value: Uint8Array): Slot {
  assert(key.length <= MAX_KEPT_KEY, "a kept key ends in the first chunk's worth of bytes");
  const head = keptKeyBytes(key.length);
  const position = room(arena, head + keptBytes(value.length));
  const chunk = arena.chunks[Math.floor(position / CHUNK)]!;
  const end = writeKey(key, chunk, position % CHUNK);
  writeU32(key.length, chunk, end);
  return place(arena, position + head, value);
}

/**
 * Whether the filter key of the key that was kept with the value at `slot` is the first `length`
 * bytes of `key`.
 */
export function keptBeginsWith(arena: Arena, slot: Slot, key: Key, length: number): boolean {
  const position = slot - 1;
  const chunk = arena.chunks[Math.floor(position / CHUNK)]!;
  const end = (position % CHUNK) - SIZE_BYTES;
  const size = readU32(chunk, end);
  if (filterKeyBytes("write", size) !== length) return false;
  const start = end - size;
  for (let i = 0; i < length; i++) {
    if (chunk[start + i] !== key.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Whether the key that was kept with the value at `slot` comes before `key`, which has the same
 * first `length` bytes.
 */
export function keptPrecedes(arena: Arena, slot: Slot, key: Key, length: number): boolean {
  const position = slot - 1;
  const chunk = arena.chunks[Math.floor(position / CHUNK)]!;
  const end = (position % CHUNK) - SIZE_BYTES;
  const size = readU32(chunk, end);
  const start = end - size;
  for (let i = length; i < size && i < key.length; i++) {
    const difference = chunk[start + i]! - key.charCodeAt(i);
    if (difference !== 0) return difference < 0;
  }
  return size < key.length;
}

/** What the key that was kept with the value at `slot` has behind its first `length` bytes. */
export function keptRest(arena: Arena, slot: Slot, length: number): Key {
  const position = slot - 1;
  const chunk = arena.chunks[Math.floor(position / CHUNK)]!;
  const end = (position % CHUNK) - SIZE_BYTES;
  return keyFromRange(chunk, end - readU32(chunk, end) + length, end);
}

/** A view of what lies there. */
export function entryAt(arena: Arena, slot: Slot): Entry {
  if (slot === TOMBSTONE) return TOMBSTONE;
  const position = slot - 1;
  const index = Math.floor(position / CHUNK);
  const start = position % CHUNK;
  const size = readU32(arena.chunks[index]!, start);
  return new Uint8Array(arena.buffers[index]!, start + SIZE_BYTES, size);
}

/** Writes `value` where there is room for it. */
function place(arena: Arena, position: number, value: Uint8Array): Slot {
  const chunk = arena.chunks[Math.floor(position / CHUNK)]!;
  const start = position % CHUNK;
  writeU32(value.length, chunk, start);
  chunk.set(value, start + SIZE_BYTES);
  return position + 1;
}

/** Takes `size` bytes of a chunk; returns their position. */
function room(arena: Arena, size: number): number {
  if (size > LARGEST_SHARED) return addChunk(arena, size) * CHUNK;
  if (arena.used + size > arena.chunks[arena.filling]!.length) refill(arena, size);
  const start = arena.used;
  arena.used = start + size;
  return arena.filling * CHUNK + start;
}

function refill(arena: Arena, atLeast: number): void {
  const doubled = 2 * arena.chunks[arena.filling]!.length;
  const size = Math.min(Math.max(doubled, FIRST_CHUNK, atLeast), CHUNK);
  arena.filling = addChunk(arena, size);
  arena.used = 0;
}

/** Returns its index. */
function addChunk({ chunks, buffers }: Arena, size: number): number {
  const chunk = new Uint8Array(size);
  buffers.push(chunk.buffer);
  return chunks.push(chunk) - 1;
}
