/**
 * The memory of blocks that the cache has dropped, kept for those that it reads next. A full cache
 * would else leave an array to the collector with every miss, which comes for them only when many
 * megabytes lie there, and leaves holes where they were.
 */
import { assert } from "../../base/assert.ts";

/** Sizes are multiples of this: blocks are about as large as each other, not just as large. */
const GRAIN = 256;
/** Larger ones are rare, and not worth keeping. */
const LARGEST = 64 << 10;
/** Bytes that may lie here at once. */
const KEPT_BYTES = 1 << 20;

export class Spares {
  private readonly bySize: Map<number, Uint8Array[]> = new Map();
  private bytes = 0;

  /** At least `size` bytes, with whatever was in them. */
  take(size: number): Uint8Array {
    const room = roomOf(size);
    const spare = this.bySize.get(room)?.pop();
    if (spare === undefined) return new Uint8Array(room);
    this.bytes -= room;
    return spare;
  }

  /** Nobody looks at `array` any more. It has a buffer of its own. */
  give(array: Uint8Array): void {
    const { length } = array;
    assert(length === array.buffer.byteLength, "what is given back is a whole buffer");
    if (length % GRAIN !== 0 || length > LARGEST || this.bytes + length > KEPT_BYTES) return;
    this.bytes += length;
    const same = this.bySize.get(length);
    if (same === undefined) this.bySize.set(length, [array]);
    else same.push(array);
  }
}

/** Bytes that `take` gives for `size`. */
export const roomOf = (size: number): number =>
  size > LARGEST ? size : Math.ceil(size / GRAIN) * GRAIN;
