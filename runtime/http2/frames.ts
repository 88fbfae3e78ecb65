/**
 * Frames of HTTP/2 (RFC 9113, section 4) as bytes.
 *
 *     offset  size  field
 *     0       3     length of the payload
 *     3       1     type
 *     4       1     flags
 *     5       4     stream, without the first bit; 0 is the connection
 *     9       n     payload
 */

export const FRAME_HEADER_BYTES = 9;
/** What clients send before their first frame. */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/** The largest payload unless the receiver announces more; we never do. */
export const DEFAULT_MAX_PAYLOAD = 16_384;
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 0x7fffffff;

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const HAS_PRIORITY = 0x20;

export const HEADER_TABLE_SIZE = 1;
export const MAX_CONCURRENT_STREAMS = 3;
export const INITIAL_WINDOW_SIZE = 4;
export const MAX_FRAME_SIZE = 5;
export const MAX_HEADER_LIST_SIZE = 6;

export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const FLOW_CONTROL_ERROR = 3;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const COMPRESSION_ERROR = 9;
export const ENHANCE_YOUR_CALM = 11;

/** Writes a frame header and returns where the payload begins. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  target[at] = length >>> 16;
  target[at + 1] = length >>> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  target.writeUInt32BE(stream, at + 5);
  return at + FRAME_HEADER_BYTES;
}

/** A whole frame in a buffer of its own. */
export function frameOf(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, stream);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** A payload of big-endian 32-bit numbers. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

/** The payload of SETTINGS. */
export function settingsPayload(settings: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.allocUnsafe(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    bytes.writeUInt16BE(id, 6 * index);
    bytes.writeUInt32BE(value, 6 * index + 2);
  }
  return bytes;
}

/** A frame as it came in. The payload is a view of the bytes that were pushed. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts a connection's bytes into frames. */
export class FrameReader {
  /** The beginning of a frame whose end is not here yet. */
  #partial: Buffer | undefined;
  #have = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Keeps `chunk`. All frames of the chunk before must have been read. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next frame, undefined where more bytes are needed, or the length of one that is too long.
   */
  next(): Frame | number | undefined {
    const partial = this.#partial;
    if (partial !== undefined) return this.#complete(partial);
    const left = this.#chunk.length - this.#at;
    if (left >= FRAME_HEADER_BYTES) {
      const length = this.#chunk.readUIntBE(this.#at, 3);
      if (length > DEFAULT_MAX_PAYLOAD) return length;
      const size = FRAME_HEADER_BYTES + length;
      if (left >= size) {
        const frame = frameAt(this.#chunk, this.#at, size);
        this.#at += size;
        return frame;
      }
    }
    if (left > 0) {
      this.#partial = Buffer.allocUnsafe(FRAME_HEADER_BYTES + DEFAULT_MAX_PAYLOAD);
      this.#have = this.#chunk.copy(this.#partial, 0, this.#at);
      this.#at = this.#chunk.length;
    }
    return undefined;
  }

  /** Goes on with a frame that an earlier chunk began. */
  #complete(partial: Buffer): Frame | number | undefined {
    if (this.#have < FRAME_HEADER_BYTES) this.#fill(partial, FRAME_HEADER_BYTES);
    if (this.#have < FRAME_HEADER_BYTES) return undefined;
    const length = partial.readUIntBE(0, 3);
    if (length > DEFAULT_MAX_PAYLOAD) return length;
    const size = FRAME_HEADER_BYTES + length;
    this.#fill(partial, size);
    if (this.#have < size) return undefined;
    this.#partial = undefined;
    return frameAt(partial, 0, size);
  }

  #fill(partial: Buffer, size: number): void {
    const count = Math.min(size - this.#have, this.#chunk.length - this.#at);
    if (count <= 0) return;
    this.#chunk.copy(partial, this.#have, this.#at, this.#at + count);
    this.#have += count;
    this.#at += count;
  }
}

function frameAt(bytes: Buffer, at: number, size: number): Frame {
  return {
    type: bytes[at + 3]!,
    flags: bytes[at + 4]!,
    stream: bytes.readUInt32BE(at + 5) & MAX_WINDOW,
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, at + size),
  };
}
