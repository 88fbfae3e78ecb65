/**
 * Messages as they leave: encoded into one buffer that is used again and again, behind their
 * header, so that nothing is allocated but what is sent.
 */
import { writeU32 } from "../../engine/base/big-endian.ts";
import { createWriter, reserve, writtenView } from "../../engine/protocol/writer.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { Codec } from "./method.ts";

/** Room for the answers to a batch of commands. */
const FIRST_BYTES = 64 << 10;
/** A buffer that has grown beyond this for one message is not kept for the next. */
const KEPT_BYTES = 1 << 20;

export class FrameWriter {
  #writer = createWriter(FIRST_BYTES);

  /** The message with its header in front: a view that holds until the next message. */
  view<T>(codec: Codec<T>, message: T): Uint8Array {
    if (this.#writer.buffer.length > KEPT_BYTES) this.#writer = createWriter(FIRST_BYTES);
    const writer = this.#writer;
    writer.size = 0;
    codec.write(writer, message);
    const length = writer.size;
    const at = reserve(writer, FRAME_HEADER_BYTES);
    writer.buffer[at] = 0;
    writeU32(length, writer.buffer, at + 1);
    return writtenView(writer);
  }

  /** The message with its header in front, fresh. */
  frame<T>(codec: Codec<T>, message: T): Buffer {
    const view = this.view(codec, message);
    const bytes = Buffer.allocUnsafe(view.length);
    bytes.set(view);
    return bytes;
  }
}
