/**
 * What leaves the cache: copies, as the cache reads new blocks where dropped ones were. They lie
 * one behind the other in chunks, since an array of its own for each costs more than to fill it.
 * Who keeps one keeps its chunk.
 */
import { EMPTY_BYTES } from "../../base/bytes.ts";

/** Bytes of a chunk: of the first, and at most. */
const FIRST_CHUNK = 4 << 10;
const CHUNK_BYTES = 32 << 10;
/** A copy above this size gets an array of its own. */
const LARGEST = CHUNK_BYTES / 4;
/** Up to here a loop is faster than a call. */
const FEW = 32;

export class Copies {
  private chunk: Uint8Array = EMPTY_BYTES;
  private filled = 0;

  /** A copy of `bytes[start, end)`. */
  of(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    if (length > LARGEST) return bytes.slice(start, end);
    if (this.filled + length > this.chunk.length) {
      const doubled = Math.min(Math.max(2 * this.chunk.length, FIRST_CHUNK), CHUNK_BYTES);
      this.chunk = new Uint8Array(Math.max(doubled, length));
      this.filled = 0;
    }
    const { chunk, filled } = this;
    this.filled += length;
    if (length > FEW)
      chunk.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), filled);
    else for (let i = 0; i < length; i++) chunk[filled + i] = bytes[start + i]!;
    return new Uint8Array(chunk.buffer, filled, length);
  }
}
