/**
 * Where a memtable keeps its values: behind one another in chunks that are only ever appended to,
 * so that snapshots may share them with whoever writes on.
 *
 *   | size of the value (4) | value | size of the next (4) | ...
 *
 * Values come as views of what arrived from the network or was read from the log; to keep those
 * would be to keep all that arrived with them. And a value that is an object of its own costs its
 * memory, and the collector its time: see docs/design/009-lsm.md, "What an entry costs".
 */
import { readU32, writeU32 } from "../../../base/big-endian.ts";
import { EMPTY_BYTES } from "../../../base/bytes.ts";
import { TOMBSTONE } from "../../table/types.ts";
import type { Entry } from "../../table/types.ts";

/** Mutable, and shared by all memtables that come of one another. */
export interface Arena {
  readonly chunks: Uint8Array[];
  /** The chunk that is being filled, and its bytes that are taken. */
  filling: number;
  used: number;
}

/** Where an arena has a value, or `TOMBSTONE`: a small integer, which costs nothing. */
export type Slot = number;

/** Positions count as if all chunks had this size. */
const CHUNK = 64 * 1024;
const FIRST_CHUNK = 4 * 1024;
/** A value of more bytes has a chunk of its own: it would leave too much of another unused. */
const LARGEST_SHARED = CHUNK / 8;
const SIZE_BYTES = 4;

export const newArena = (): Arena => ({ chunks: [EMPTY_BYTES], filling: 0, used: 0 });

/** What a value of this length takes. */
export const keptBytes = (length: number): number => SIZE_BYTES + length;

/** Copies `value`; the result is never `TOMBSTONE`. */
export function keep(arena: Arena, value: Uint8Array): Slot {
  const size = keptBytes(value.length);
  if (value.length > LARGEST_SHARED) {
    const index = arena.chunks.push(new Uint8Array(size)) - 1;
    return place(arena, index, 0, value);
  }
  if (arena.used + size > arena.chunks[arena.filling]!.length) addChunk(arena, size);
  const start = arena.used;
  arena.used = start + size;
  return place(arena, arena.filling, start, value);
}

/** A view of what lies there. */
export function entryAt(arena: Arena, slot: Slot): Entry {
  if (slot === TOMBSTONE) return TOMBSTONE;
  const position = slot - 1;
  const chunk = arena.chunks[Math.floor(position / CHUNK)]!;
  const start = position % CHUNK;
  return new Uint8Array(chunk.buffer, start + SIZE_BYTES, readU32(chunk, start));
}

function place(arena: Arena, index: number, start: number, value: Uint8Array): Slot {
  const chunk = arena.chunks[index]!;
  writeU32(value.length, chunk, start);
  chunk.set(value, start + SIZE_BYTES);
  return index * CHUNK + start + 1;
}

function addChunk(arena: Arena, atLeast: number): void {
  const doubled = 2 * arena.chunks[arena.filling]!.length;
  const size = Math.min(Math.max(doubled, FIRST_CHUNK, atLeast), CHUNK);
  arena.filling = arena.chunks.push(new Uint8Array(size)) - 1;
  arena.used = 0;
}
