/** What ends a connection, and the fault that any frame with padding can have. */
import * as frames from "./frames.ts";
import type { Frame } from "./frames.ts";

/** Thrown where a client breaks the protocol; the session catches it and says GOAWAY. */
export class ConnectionError extends Error {
  /** An error code of RFC 9113, section 7. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The payload without its padding. */
export function unpadded(frame: Frame): Buffer {
  if ((frame.flags & frames.PADDED) === 0) return frame.payload;
  const padding = frame.payload[0];
  if (padding === undefined || padding >= frame.payload.length) {
    throw new ConnectionError(frames.PROTOCOL_ERROR, "padding longer than its frame");
  }
  return frame.payload.subarray(1, frame.payload.length - padding);
}
