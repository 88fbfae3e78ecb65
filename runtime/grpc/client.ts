/**
 * The gRPC client: unary calls and streams to one address over one HTTP/2 connection, with TLS or
 * without, which is made when first needed and again after it broke. Every outcome is a status;
 * nothing throws or rejects.
 */
import { connect, constants } from "node:http2";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
} from "node:http2";
import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import { MessageReader } from "./frame.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { Method } from "./method.ts";
import * as status from "./status.ts";
import type { Status } from "./status.ts";
import { formatTimeout } from "./timeout.ts";

export interface CallOptions {
  /**
   * Ends the call with DEADLINE_EXCEEDED, here and at the server. Without it the call waits for
   * ever.
   */
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels a unary call. */
  readonly signal?: AbortSignal;
}

export type UnaryResult<Response> =
  { readonly ok: true; readonly response: Response } | ({ readonly ok: false } & Status);

/** The client's side of a stream. */
export interface ClientStream<Request> {
  /** Leaves at the end of the current turn, together with what else was sent in it. */
  send(message: Request): void;
  halfClose(): void;
  cancel(): void;
}

export interface StreamEvents<Response> {
  readonly message: (message: Response) => void;
  /** Once, as the last event. */
  readonly ended: (status: Status) => void;
}

export interface GrpcClient {
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<UnaryResult<Response>>;
  stream<Request, Response>(
    method: Method<Request, Response>,
    events: StreamEvents<Response>,
    options?: CallOptions,
  ): ClientStream<Request>;
  /** Cancels what is under way. */
  close(): void;
}

const WINDOW_BYTES = 16 << 20;
const MAX_MESSAGE_BYTES = 256 << 20;
/** A connection that answers no ping within this time is broken. */
const PING_EVERY_MS = 10_000;
const PING_WITHIN_MS = 5000;

/** How to speak TLS: what is not given is the system's. All in PEM. */
export interface TlsOptions {
  /** Certificates of those who vouch for servers. */
  readonly ca?: string | Buffer;
  /** What the client shows where servers ask for it. */
  readonly cert?: string | Buffer;
  /** Of `cert`. */
  readonly key?: string | Buffer;
  /** The name that certificates are proved against, instead of the host's. */
  readonly serverName?: string;
}

/** `address` is `host:port`, without a scheme. Without `tls` nothing is encrypted. */
export function createGrpcClient(address: string, tls?: TlsOptions): GrpcClient {
  const frames = new FrameWriter();
  let session: ClientHttp2Session | undefined;

  const sessionNow = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = openSession(address, tls);
    return session;
  };

  const open = <Request, Response>(
    method: Method<Request, Response>,
    events: StreamEvents<Response>,
    options: CallOptions,
  ): ClientStream<Request> => {
    const call = new ClientCall(method, events, frames);
    call.start(sessionNow(), address, options);
    return call;
  };

  return {
    stream: (method, events, options = {}) => open(method, events, options),
    unary<Request, Response>(
      method: Method<Request, Response>,
      request: Request,
      options: CallOptions = {},
    ) {
      return new Promise<UnaryResult<Response>>((resolve) => {
        const answer: Response[] = [];
        const cancel = (): void => call.cancel();
        const ended = (end: Status): void => {
          options.signal?.removeEventListener("abort", cancel);
          const [response] = answer;
          if (end.code !== status.OK) resolve({ ok: false, ...end });
          else if (response !== undefined) resolve({ ok: true, response });
          else resolve({ ok: false, code: status.INTERNAL, message: "the answer has no message" });
        };
        const message = (response: Response): void => void answer.push(response);
        const call = open(method, { message, ended }, options);
        options.signal?.addEventListener("abort", cancel);
        call.send(request);
        call.halfClose();
      });
    },
    close() {
      session?.destroy();
      session = undefined;
    },
  };
}

function openSession(address: string, tls: TlsOptions | undefined): ClientHttp2Session {
  const session = connect(`${tls === undefined ? "http" : "https"}://${address}`, {
    settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    maxSessionMemory: 1024,
    createConnection: (url) => openSocket(url, tls),
  });
  session.once("connect", () => session.setLocalWindowSize(WINDOW_BYTES));
  // Each stream hears of it by its own "error" and "close".
  session.on("error", () => session.destroy());
  session.once("goaway", () => session.close());
  const timer = setInterval(() => ping(session), PING_EVERY_MS);
  timer.unref();
  session.once("close", () => clearInterval(timer));
  return session;
}

function openSocket(url: URL, tls: TlsOptions | undefined): Socket {
  // A URL has IPv6 addresses in brackets.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(url.port), noDelay: true };
  if (tls === undefined) return connectTcp(to);
  const { serverName, ...given } = tls;
  const name = serverName ?? host;
  // No server name is sent for an address, but the certificate must be the address's.
  const sni = isIP(name) === 0 ? { servername: name } : {};
  const options = { ...to, ...given, ...sni, ALPNProtocols: ["h2"] };
  return connectTls({
    ...options,
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  });
}

function ping(session: ClientHttp2Session): void {
  if (session.destroyed || session.connecting) return;
  const timer = setTimeout(() => session.destroy(), PING_WITHIN_MS);
  timer.unref();
  session.ping(() => clearTimeout(timer));
}

class ClientCall<Request, Response> implements ClientStream<Request> {
  readonly #method: Method<Request, Response>;
  readonly #events: StreamEvents<Response>;
  readonly #reader = new MessageReader(MAX_MESSAGE_BYTES);
  #stream: ClientHttp2Stream | undefined;
  readonly #frames: FrameWriter;
  #outgoing: Buffer[] = [];
  #flushing = false;
  #halfClosed = false;
  #ended = false;
  #status: Status | undefined;
  #failure = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(
    method: Method<Request, Response>,
    events: StreamEvents<Response>,
    frames: FrameWriter,
  ) {
    this.#method = method;
    this.#events = events;
    this.#frames = frames;
  }

  start(session: ClientHttp2Session, authority: string, options: CallOptions): void {
    const headers: Record<string, string> = {
      ":method": "POST",
      ":path": this.#method.path,
      ":authority": authority,
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "rutile",
      ...options.metadata,
    };
    if (options.timeoutMs !== undefined) {
      headers["grpc-timeout"] = formatTimeout(options.timeoutMs);
      this.#timer = setTimeout(
        () => this.#abort({ code: status.DEADLINE_EXCEEDED, message: "deadline exceeded" }),
        options.timeoutMs,
      );
    }
    const stream = session.request(headers);
    this.#stream = stream;
    stream.on("response", (answer) => this.#onHeaders(answer));
    stream.on("trailers", (trailers) => this.#onTrailers(trailers as IncomingHttpHeaders));
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("error", (error) => (this.#failure = error.message));
    stream.on("close", () => this.#onClose());
  }

  send(message: Request): void {
    if (this.#ended || this.#halfClosed) return;
    this.#outgoing.push(this.#frames.frame(this.#method.request, message));
    this.#flushSoon();
  }

  halfClose(): void {
    if (this.#ended || this.#halfClosed) return;
    this.#halfClosed = true;
    this.#flushSoon();
  }

  cancel(): void {
    this.#abort({ code: status.CANCELLED, message: "cancelled" });
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const stream = this.#stream;
    if (this.#ended || stream === undefined || stream.destroyed) return;
    const outgoing = this.#outgoing;
    if (outgoing.length > 0) {
      const bytes = outgoing.length === 1 ? outgoing[0]! : Buffer.concat(outgoing);
      this.#outgoing = [];
      if (this.#halfClosed) stream.end(bytes);
      else stream.write(bytes);
    } else if (this.#halfClosed) {
      stream.end();
    }
  }

  #onHeaders(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    const httpStatus = headers[":status"] ?? 0;
    if (headers["grpc-status"] !== undefined) {
      this.#onTrailers(headers);
    } else if (httpStatus !== 200) {
      const message = `the server answered with HTTP status ${httpStatus}`;
      this.#status = { code: status.codeOfHttpStatus(httpStatus), message };
    }
  }

  #onTrailers(headers: IncomingHttpHeaders): void {
    const code = Number(headers["grpc-status"]);
    const message = status.decodeStatusMessage(String(headers["grpc-message"] ?? ""));
    this.#status = { code: Number.isInteger(code) ? code : status.UNKNOWN, message };
  }

  #onData(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#reader.push(chunk);
    for (;;) {
      const next = this.#reader.next();
      if (next.type === "empty" || next.type === "partial") return;
      if (next.type !== "message") {
        this.#abort({ code: status.INTERNAL, message: `the answer is ${next.type}` });
        return;
      }
      const decoded = this.#method.response.decode(next.bytes);
      if (!decoded.ok) {
        this.#abort({ code: status.INTERNAL, message: `malformed answer: ${decoded.reason}` });
        return;
      }
      this.#events.message(decoded.value);
      // The listener may have cancelled the call.
      if (this.#isEnded()) return;
    }
  }

  #isEnded(): boolean {
    return this.#ended;
  }

  #onClose(): void {
    const message = this.#failure === "" ? "the connection was closed" : this.#failure;
    this.#finish(this.#status ?? { code: status.UNAVAILABLE, message });
  }

  #abort(end: Status): void {
    if (this.#ended) return;
    this.#finish(end);
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #finish(end: Status): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#events.ended(end);
  }
}
