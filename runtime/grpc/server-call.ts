/**
 * One gRPC call as its handler sees it, over one HTTP/2 stream. It upholds that a call ends exactly
 * once, and that what a handler sends within one turn of the event loop leaves in one DATA frame.
 */
import type { Headers } from "../http2/hpack.ts";
import { encodeHeaders } from "../http2/hpack.ts";
import type { ServerStream, StreamListener } from "../http2/stream.ts";
import { MessageReader } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { Method } from "./method.ts";
import * as status from "./status.ts";

/** What is called as a call goes on. All methods of a service may share one handler. */
export interface Handler {
  /** A message has arrived; of a unary call it is the only one. */
  message(call: ServerCall, message: unknown): void;
  /** The client sends no more. Only for streams. */
  halfClosed?(call: ServerCall): void;
  /**
   * The server is about to close: a stream may end as soon as nothing in it waits for an answer.
   */
  draining?(call: ServerCall): void;
  /**
   * The call was ended by the client, its deadline or the connection, before the handler ended it.
   */
  cancelled?(call: ServerCall): void;
}

/** A method with all that its calls have in common. */
export interface Route {
  readonly method: Method;
  readonly handler: Handler;
  readonly maxMessageBytes: number;
  /** Shared by all calls of the server. */
  readonly frames: FrameWriter;
  /** Told once a call, when it has ended. */
  readonly ended: (call: ServerCall, code: number) => void;
}

const RESPONSE_HEADERS = {
  ":status": "200",
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity",
};
const RESPONSE_BLOCK = encodeHeaders(RESPONSE_HEADERS);
const OK_TRAILERS = encodeHeaders({ "grpc-status": "0" });
/** The longest time a timer can wait; a longer deadline is as good as none. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/**
 * Deadlines are rounded up to a multiple of this, so that the timers of many calls share a list.
 */
const DEADLINE_GRAIN_MS = 16;

export class ServerCall implements StreamListener {
  readonly method: Method;
  /** The request's headers; metadata is among them. */
  readonly headers: Headers;
  /** Milliseconds of `performance.now()` when the call arrived. */
  readonly startedAt: number;
  /** Free for the handler: what it keeps of the call. */
  context: unknown = undefined;
  readonly #route: Route;
  readonly #stream: ServerStream;
  readonly #reader: MessageReader;
  #outgoing: Buffer[] = [];
  #flushing = false;
  #messages = 0;
  #headersSent = false;
  #ended = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(route: Route, stream: ServerStream) {
    this.method = route.method;
    this.headers = stream.headers;
    this.startedAt = performance.now();
    this.#route = route;
    this.#stream = stream;
    this.#reader = new MessageReader(route.maxMessageBytes);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Starts the clock of `timeoutMs`, as the client asked. */
  expireIn(timeoutMs: number): void {
    const rounded = Math.ceil(timeoutMs / DEADLINE_GRAIN_MS) * DEADLINE_GRAIN_MS;
    if (rounded > MAX_TIMER_MS) return;
    this.#deadline = setTimeout(expire, rounded, this);
  }

  /** Answers a unary call, or the one answer of a client's stream, with `message`. */
  reply(message: unknown): void {
    if (this.#ended) return;
    this.#flush();
    const { frames, method } = this.#route;
    this.#finish(status.OK);
    // The tables pair each method with its codec; here the types are erased.
    if (!this.#headersSent) {
      const view = frames.view(method.response, message);
      return this.#stream.answer(RESPONSE_BLOCK, view, OK_TRAILERS);
    }
    this.#stream.write(frames.frame(method.response, message));
    return this.#stream.end(OK_TRAILERS);
  }

  /** One message of a server's stream. Leaves at the end of the current turn. */
  send(message: unknown): void {
    if (this.#ended) return;
    const { frames, method } = this.#route;
    this.#outgoing.push(frames.frame(method.response, message));
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
  }

  /** Bytes sent and not yet taken by the client: a handler may wait where they grow. */
  get buffered(): number {
    return this.#stream.buffered;
  }

  /** Ends the call with a status. What was sent before arrives before. */
  end(code: number = status.OK, message = ""): void {
    if (this.#ended) return;
    this.#flush();
    this.#finish(code);
    this.#stream.end(endOf(code, message, this.#headersSent));
  }

  /** @internal The server is about to close. */
  drain(): void {
    if (!this.#ended) this.#route.handler.draining?.(this);
  }

  /** @internal Bytes arrived. */
  receive(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#reader.push(chunk);
    for (;;) {
      const next = this.#reader.next();
      switch (next.type) {
        case "empty":
        case "partial":
          return;
        case "compressed":
          this.end(status.INTERNAL, "a message is compressed, but no grpc-encoding was agreed");
          return;
        case "too_large":
          this.end(
            status.RESOURCE_EXHAUSTED,
            `the message has ${next.size} bytes, the limit is ${this.#route.maxMessageBytes}`,
          );
          return;
        case "message":
          this.#deliver(next.bytes);
          if (this.#ended) return;
      }
    }
  }

  /** @internal The client's half of the stream has ended. */
  receiveEnd(): void {
    if (this.#ended) return;
    if (this.#reader.next().type === "partial") {
      this.end(status.INTERNAL, "the stream ended within a message");
    } else if (this.method.clientStreaming) {
      this.#route.handler.halfClosed?.(this);
    } else if (this.#messages === 0) {
      this.end(status.INTERNAL, "the call has no request message");
    }
  }

  /** @internal The stream is gone, whatever the reason. */
  receiveClose(): void {
    if (this.#ended) return;
    this.#finish(status.CANCELLED);
    this.#route.handler.cancelled?.(this);
  }

  /** @internal */
  receiveExpiry(): void {
    if (this.#ended) return;
    this.end(status.DEADLINE_EXCEEDED, "deadline exceeded");
    this.#route.handler.cancelled?.(this);
  }

  #deliver(bytes: Uint8Array): void {
    this.#messages += 1;
    if (this.#messages > 1 && !this.method.clientStreaming) {
      this.end(status.INTERNAL, "the call has more than one request message");
      return;
    }
    const decoded = this.method.request.decode(bytes);
    if (decoded.ok) this.#route.handler.message(this, decoded.value);
    else this.end(status.INTERNAL, `the request is malformed: ${decoded.reason}`);
  }

  #respond(): void {
    if (this.#headersSent) return;
    this.#headersSent = true;
    this.#stream.respond(RESPONSE_BLOCK);
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#outgoing.length === 0 || this.#ended) return;
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    this.#respond();
    this.#stream.write(outgoing.length === 1 ? outgoing[0]! : Buffer.concat(outgoing));
  }

  #finish(code: number): void {
    this.#ended = true;
    if (this.#deadline !== undefined) clearTimeout(this.#deadline);
    this.#route.ended(this, code);
  }
}

function expire(call: ServerCall): void {
  call.receiveExpiry();
}

/** The block that ends a call: trailers, or all headers where none were sent before. */
function endOf(code: number, message: string, headersSent: boolean): Buffer {
  if (headersSent && code === status.OK && message === "") return OK_TRAILERS;
  return encodeHeaders({
    ...(headersSent ? {} : RESPONSE_HEADERS),
    "grpc-status": String(code),
    ...(message === "" ? {} : { "grpc-message": status.encodeStatusMessage(message) }),
  });
}
