/** Cuts a stream of bytes into frames: a length of four bytes, big-endian, and that many bytes. */

const LENGTH_BYTES = 4;

export class FrameSplitter {
  readonly #maxBytes: number;
  /** What is left over from earlier chunks, less than a frame. */
  #rest: Buffer[] = [];
  #size = 0;
  /** Bytes of the frame that has begun, with its length; 0 before the length is known. */
  #wanted = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Hands each whole frame to `take`, as a view of `chunk` or of a fresh buffer. Returns a sentence
   * where the stream is damaged: a frame is too long, or `take` returned false.
   */
  push(chunk: Buffer, take: (message: Uint8Array) => boolean): string | undefined {
    let data = chunk;
    if (this.#size > 0) {
      this.#rest.push(chunk);
      this.#size += chunk.length;
      // A large frame comes in many chunks: they are joined once, when the last is here.
      if (this.#size < this.#wanted) return undefined;
      data = Buffer.concat(this.#rest, this.#size);
    }
    this.#rest = [];
    this.#size = 0;
    this.#wanted = 0;
    let at = 0;
    while (data.length - at >= LENGTH_BYTES) {
      const length = data.readUInt32BE(at);
      if (length > this.#maxBytes) return `a frame of ${length} bytes is too long`;
      const end = at + LENGTH_BYTES + length;
      if (end > data.length) {
        this.#wanted = LENGTH_BYTES + length;
        break;
      }
      if (!take(data.subarray(at + LENGTH_BYTES, end))) return "a message is malformed";
      at = end;
    }
    if (at < data.length) {
      this.#rest = [data.subarray(at)];
      this.#size = data.length - at;
    }
    return undefined;
  }
}
