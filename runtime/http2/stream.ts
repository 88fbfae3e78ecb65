/**
 * One stream of a server's connection: what its owner sends, within what the client's windows
 * allow. Headers wait for nothing but what was sent before them; data waits for both windows.
 */
import type { Headers } from "./hpack.ts";
import * as frames from "./frames.ts";

/** Who is told of what the client does. */
export interface StreamListener {
  /** Keeps `chunk`. */
  receive(chunk: Buffer): void;
  /** The client sends no more. */
  receiveEnd(): void;
  /** The stream is gone before both sides had ended it. */
  receiveClose(): void;
}

/** What a stream needs of its connection. */
export interface Carrier {
  /** Bytes of data that the client takes on the whole connection. */
  window: number;
  /** Largest payload of a frame that the client takes. */
  readonly maxPayload: number;
  /** Puts bytes behind all that leaves at the end of this turn. Keeps them. */
  push(bytes: Buffer): void;
  /** Bytes that the connection has taken and the client has not. */
  readonly backlog: number;
  /** The stream waits for the connection's window. */
  blocked(stream: ServerStream): void;
  /** Both sides have ended it, or it was reset: it is forgotten. */
  closed(stream: ServerStream): void;
}

/** A block that waits behind data. */
interface Tail {
  readonly block: Buffer;
}

export class ServerStream {
  readonly id: number;
  readonly headers: Headers;
  listener: StreamListener | undefined;
  /** Bytes of data that the client takes on this stream. May be negative (RFC 9113, 6.9.2). */
  window: number;
  /** Bytes of data that were taken and not yet given back to the client's window. */
  taken = 0;
  remoteEnded: boolean;
  localEnded = false;
  readonly #carrier: Carrier;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #tail: Tail | undefined;

  constructor(carrier: Carrier, id: number, headers: Headers, ended: boolean, window: number) {
    this.#carrier = carrier;
    this.id = id;
    this.headers = headers;
    this.remoteEnded = ended;
    this.window = window;
  }

  /** Bytes sent here and not yet taken by the client. */
  get buffered(): number {
    return this.#waitingBytes + this.#carrier.backlog;
  }

  /** The answer's headers, as an encoded block. */
  respond(block: Buffer): void {
    if (this.localEnded) return;
    this.#carrier.push(frames.frameOf(frames.HEADERS, frames.END_HEADERS, this.id, block));
  }

  /** Keeps `bytes`. */
  write(bytes: Buffer): void {
    if (this.localEnded || this.#tail !== undefined) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.flush();
  }

  /** Ends the stream with trailers behind all data; or with headers alone, if none were sent. */
  end(block: Buffer): void {
    if (this.localEnded || this.#tail !== undefined) return;
    this.#tail = { block };
    this.flush();
  }

  /**
   * Headers, data and trailers at once: the whole answer of a unary call, in one buffer. Copies
   * `body`.
   */
  answer(head: Buffer, body: Uint8Array, trailers: Buffer): void {
    if (this.localEnded) return;
    const fits = Math.min(this.window, this.#carrier.window, this.#carrier.maxPayload);
    if (this.#waitingBytes > 0 || body.length > fits) {
      this.respond(head);
      this.write(Buffer.from(body));
      this.end(trailers);
      return;
    }
    this.window -= body.length;
    this.#carrier.window -= body.length;
    const size = 3 * frames.FRAME_HEADER_BYTES + head.length + body.length + trailers.length;
    const bytes = Buffer.allocUnsafe(size);
    const { id } = this;
    let at = frames.writeFrameHeader(bytes, 0, head.length, frames.HEADERS, frames.END_HEADERS, id);
    bytes.set(head, at);
    at = frames.writeFrameHeader(bytes, at + head.length, body.length, frames.DATA, 0, id);
    bytes.set(body, at);
    const last = frames.END_HEADERS | frames.END_STREAM;
    at = frames.writeFrameHeader(
      bytes,
      at + body.length,
      trailers.length,
      frames.HEADERS,
      last,
      id,
    );
    bytes.set(trailers, at);
    this.#carrier.push(bytes);
    this.#finish();
  }

  /** Ends the stream at once, with an error code. Nothing is told to the listener. */
  reset(code: number): void {
    if (this.localEnded && this.remoteEnded) return;
    this.#carrier.push(frames.frameOf(frames.RST_STREAM, 0, this.id, frames.words(code)));
    this.localEnded = true;
    this.remoteEnded = true;
    this.#forget();
    this.#carrier.closed(this);
  }

  /** Sends what waits, as far as the windows allow. */
  flush(): void {
    while (this.#waitingBytes > 0) {
      const room = Math.min(this.window, this.#carrier.window, this.#carrier.maxPayload);
      if (room <= 0) {
        if (this.window > 0) this.#carrier.blocked(this);
        return;
      }
      const part = this.#take(room);
      this.window -= part.length;
      this.#carrier.window -= part.length;
      this.#carrier.push(frames.frameOf(frames.DATA, 0, this.id, part));
    }
    const tail = this.#tail;
    if (tail === undefined || this.localEnded) return;
    const flags = frames.END_HEADERS | frames.END_STREAM;
    this.#carrier.push(frames.frameOf(frames.HEADERS, flags, this.id, tail.block));
    this.#finish();
  }

  /** The connection is gone, or the client has reset the stream. */
  abort(): void {
    this.localEnded = true;
    this.remoteEnded = true;
    this.#forget();
    this.listener?.receiveClose();
  }

  /** The client has sent its last. */
  endRemote(): void {
    this.remoteEnded = true;
    if (this.localEnded) this.#carrier.closed(this);
  }

  /** At most `room` bytes of the first that wait. */
  #take(room: number): Buffer {
    const first = this.#waiting[0]!;
    const part = first.subarray(0, room);
    if (part.length === first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(room);
    this.#waitingBytes -= part.length;
    return part;
  }

  #finish(): void {
    this.localEnded = true;
    if (this.remoteEnded) return this.#carrier.closed(this);
    // A client that is still sending is told that nobody listens (RFC 9113, section 8.1), unless
    // its end is in what has arrived already.
    queueMicrotask(() => {
      if (!this.remoteEnded) this.reset(frames.NO_ERROR);
    });
  }

  #forget(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#tail = undefined;
  }
}
