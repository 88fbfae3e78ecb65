/**
 * Where a memtable keeps the bytes of its values: behind one another in chunks that are only ever
 * appended to, so no view of a chunk changes, and snapshots may share it with whoever writes on.
 *
 * Values come as views of what arrived from the network or was read from the log. Keeping those
 * would keep all that arrived with them; a copy with a buffer of its own costs more than its bytes
 * (see docs/design/009-lsm.md, "What an entry costs").
 */
import { EMPTY_BYTES } from "../../base/bytes.ts";

/** Mutable, and shared by all memtables that come of one another. */
export interface Arena {
  chunk: Uint8Array;
  /** Bytes of the chunk that are taken. */
  used: number;
}

const FIRST_CHUNK = 4 * 1024;
const LARGEST_CHUNK = 64 * 1024;
/** A value of more bytes has a buffer of its own: it would leave too much of a chunk unused. */
const LARGEST_SHARED = LARGEST_CHUNK / 8;

export const newArena = (): Arena => ({ chunk: EMPTY_BYTES, used: 0 });

/** A copy of `value`. */
export function keep(arena: Arena, value: Uint8Array): Uint8Array {
  const { length } = value;
  if (length === 0) return EMPTY_BYTES;
  if (length > LARGEST_SHARED) return value.slice();
  if (arena.used + length > arena.chunk.length) addChunk(arena, length);
  const start = arena.used;
  arena.used = start + length;
  arena.chunk.set(value, start);
  // Half the time of `subarray`.
  return new Uint8Array(arena.chunk.buffer, start, length);
}

/** Whether the memory of a kept value of this length is free again when nobody refers to it. */
export const isFreedAlone = (length: number): boolean => length > LARGEST_SHARED;

function addChunk(arena: Arena, atLeast: number): void {
  const size = Math.min(Math.max(2 * arena.chunk.length, FIRST_CHUNK), LARGEST_CHUNK);
  arena.chunk = new Uint8Array(Math.max(size, atLeast));
  arena.used = 0;
}
