/**
 * Message framing of gRPC over a stream of bytes.
 *
 *     offset  size  field
 *     0       1     1 where the message is compressed, else 0
 *     1       4     length of the message, big-endian
 *     5       n     the message
 *
 * DATA frames of HTTP/2 split and join messages as they like.
 */

export const FRAME_HEADER_BYTES = 5;

/** What `MessageReader.next` found. */
export type Next =
  | { readonly type: "message"; readonly bytes: Uint8Array }
  /** Not all of a message is here yet. */
  | { readonly type: "partial" }
  /** Nothing is here. */
  | { readonly type: "empty" }
  | { readonly type: "compressed" }
  | { readonly type: "too_large"; readonly size: number };

const PARTIAL: Next = { type: "partial" };
const EMPTY: Next = { type: "empty" };
const COMPRESSED: Next = { type: "compressed" };

/**
 * Cuts a stream of chunks into messages. A message within one chunk is a view of it, else a copy.
 */
export class MessageReader {
  readonly #maxBytes: number;
  /** Bytes not yet read; the first from `#at` on. */
  #chunks: Uint8Array[] = [];
  #at = 0;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps `chunk`. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  next(): Next {
    if (this.#size === 0) return EMPTY;
    if (this.#size < FRAME_HEADER_BYTES) return PARTIAL;
    if (this.#headOf(0) !== 0) return COMPRESSED;
    const length =
      this.#headOf(1) * 0x1000000 +
      (this.#headOf(2) << 16) +
      (this.#headOf(3) << 8) +
      this.#headOf(4);
    if (length > this.#maxBytes) return { type: "too_large", size: length };
    if (this.#size < FRAME_HEADER_BYTES + length) return PARTIAL;
    this.#skip(FRAME_HEADER_BYTES);
    return { type: "message", bytes: this.#take(length) };
  }

  /** The unread byte at `offset`; there are more than that. */
  #headOf(offset: number): number {
    let at = this.#at + offset;
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at] ?? 0;
      at -= chunk.length;
    }
    return 0;
  }

  #skip(count: number): void {
    this.#size -= count;
    let left = count;
    while (left > 0) {
      const first = this.#chunks[0];
      if (first === undefined) return;
      const here = first.length - this.#at;
      if (left < here) {
        this.#at += left;
        return;
      }
      left -= here;
      this.#chunks.shift();
      this.#at = 0;
    }
  }

  #take(length: number): Uint8Array {
    const first = this.#chunks[0];
    if (length === 0 || first === undefined) return new Uint8Array(0);
    if (first.length - this.#at >= length) {
      const bytes = first.subarray(this.#at, this.#at + length);
      this.#skip(length);
      return bytes;
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(this.#at, this.#at + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#skip(part.length);
    }
    return bytes;
  }
}
