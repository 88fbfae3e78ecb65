/**
 * Header blocks of one connection, from a HEADERS frame and the CONTINUATION frames behind it.
 * Every block is decoded, whatever becomes of its stream: it may change the table that the next one
 * needs.
 */
import { ConnectionError, unpadded } from "./connection-error.ts";
import * as frames from "./frames.ts";
import type { Frame } from "./frames.ts";
import { HeaderDecoder } from "./hpack.ts";
import type { Headers } from "./hpack.ts";

export interface HeaderBlock {
  readonly stream: number;
  /** The client sends nothing more on this stream. */
  readonly ended: boolean;
  /** The fields, or why they are no valid list: then the stream fails, the connection lives. */
  readonly decoded:
    | { readonly ok: true; readonly headers: Headers }
    | { readonly ok: false; readonly reason: string };
}

/** A block of which more is to come. */
interface Pieces {
  readonly stream: number;
  readonly ended: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/** The size that we announce by saying nothing of it. */
const TABLE_BYTES = 4096;
const PRIORITY_BYTES = 5;

export class HeaderBlocks {
  readonly #decoder: HeaderDecoder;
  readonly #maxBytes: number;
  #pieces: Pieces | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#decoder = new HeaderDecoder(TABLE_BYTES, maxBytes);
  }

  /** The block that `frame` completes, if it is of a block and its last. */
  take(frame: Frame): HeaderBlock | undefined {
    if (frame.type === frames.CONTINUATION) return this.#continue(frame);
    if (this.#pieces !== undefined) {
      throw new ConnectionError(frames.PROTOCOL_ERROR, "a header block was interrupted");
    }
    return frame.type === frames.HEADERS ? this.#begin(frame) : undefined;
  }

  #begin(frame: Frame): HeaderBlock | undefined {
    let block = unpadded(frame);
    if ((frame.flags & frames.HAS_PRIORITY) !== 0) {
      if (block.length < PRIORITY_BYTES) {
        throw new ConnectionError(
          frames.FRAME_SIZE_ERROR,
          "HEADERS without the priority it announces",
        );
      }
      block = block.subarray(PRIORITY_BYTES);
    }
    const { stream } = frame;
    const ended = (frame.flags & frames.END_STREAM) !== 0;
    if ((frame.flags & frames.END_HEADERS) !== 0) return this.#decode(stream, ended, block);
    this.#pieces = { stream, ended, parts: [block], bytes: block.length };
    return undefined;
  }

  #continue(frame: Frame): HeaderBlock | undefined {
    const pieces = this.#pieces;
    if (pieces === undefined || pieces.stream !== frame.stream) {
      throw new ConnectionError(frames.PROTOCOL_ERROR, "CONTINUATION of nothing");
    }
    pieces.parts.push(frame.payload);
    // Empty frames count too, or there could be any number of them.
    pieces.bytes += frame.payload.length + frames.FRAME_HEADER_BYTES;
    if (pieces.bytes > this.#maxBytes) {
      throw new ConnectionError(frames.ENHANCE_YOUR_CALM, "a header block without end");
    }
    if ((frame.flags & frames.END_HEADERS) === 0) return undefined;
    this.#pieces = undefined;
    return this.#decode(pieces.stream, pieces.ended, Buffer.concat(pieces.parts));
  }

  #decode(stream: number, ended: boolean, block: Buffer): HeaderBlock {
    const decoded = this.#decoder.decode(block);
    if (!decoded.ok && decoded.broken === "compression") {
      throw new ConnectionError(frames.COMPRESSION_ERROR, decoded.reason);
    }
    return { stream, ended, decoded };
  }
}
