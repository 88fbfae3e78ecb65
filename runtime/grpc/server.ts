/**
 * The gRPC server: HTTP/2 sessions over sockets that somebody else accepted, and the way from a
 * stream's path to the handler of its method. It upholds that no request, however malformed, ends
 * more than its own call.
 */
import { constants, createServer } from "node:http2";
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session } from "node:http2";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Method, Service } from "./method.ts";
import { ServerCall } from "./server-call.ts";
import type { Handler, Route } from "./server-call.ts";
import * as status from "./status.ts";
import { parseTimeout } from "./timeout.ts";

export interface ServedService {
  readonly service: Service;
  readonly handler: Handler;
}

export interface GrpcServerOptions {
  readonly services: readonly ServedService[];
  /** A request message longer than this many bytes is refused with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  /** Told of every call that has ended, with its status and how long it took. */
  readonly observe?: (method: Method, code: number, milliseconds: number) => void;
}

export interface GrpcServer {
  /** Speaks HTTP/2 on `socket`, whose bytes must not have been consumed. */
  accept(socket: Socket): void;
  /** Takes no more calls, waits up to `withinMs` for those under way, then cuts what is left. */
  close(withinMs: number): Promise<void>;
  /** Connections and calls at this moment. */
  load(): { readonly sessions: number; readonly calls: number };
}

/** Flow control: what a peer may send before it must wait for us, a stream and a connection. */
const STREAM_WINDOW_BYTES = 1 << 20;
const SESSION_WINDOW_BYTES = 16 << 20;
const MAX_STREAMS = 1 << 20;

/** The call of a stream, kept on it, so that the listeners of all streams are the same functions. */
const CALL = Symbol("call");
type Stream = ServerHttp2Stream & { [CALL]?: ServerCall };

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const sessions = new Set<ServerHttp2Session>();
  let calls = 0;
  let idle: (() => void) | undefined;
  const ended = (call: ServerCall, code: number): void => {
    calls -= 1;
    options.observe?.(call.method, code, performance.now() - call.startedAt);
    if (calls === 0) idle?.();
  };
  const routes = routesOf(options, ended);
  const server = createHttp2Server();

  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.once("close", () => sessions.delete(session));
    // A broken connection is told to each of its streams by their "close".
    session.on("error", () => session.destroy());
    session.on("stream", (stream: Stream, headers: IncomingHttpHeaders) => {
      const call = openCall(routes, stream, headers);
      if (call === undefined) return;
      calls += 1;
      stream[CALL] = call;
      stream.on("data", onData);
      stream.on("end", onEnd);
      // A cancelled stream closes only once all of its data is read; "aborted" comes at once.
      stream.on("aborted", onClose);
      stream.on("close", onClose);
      stream.on("error", ignore);
      stream.on("wantTrailers", onWantTrailers);
      startDeadline(call, headers);
    });
  });

  return {
    accept: (socket) => void server.emit("connection", socket),
    load: () => ({ sessions: sessions.size, calls }),
    async close(withinMs) {
      for (const session of sessions) session.close();
      if (calls > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, withinMs);
          idle = () => {
            clearTimeout(timer);
            // The answers of the last turn still have to leave.
            setTimeout(resolve, 20);
          };
        });
      }
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

/** Clients with short deadlines cancel many calls: that is no attack. Not in Node's types yet. */
const RESET_LIMITS = { streamResetBurst: 100_000, streamResetRate: 10_000 };

function createHttp2Server(): Http2Server {
  return createServer({
    ...RESET_LIMITS,
    settings: {
      enablePush: false,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: 64 << 10,
    },
    // In megabytes; the default of 10 refuses streams of a busy client.
    maxSessionMemory: 1024,
  });
}

function routesOf(
  options: GrpcServerOptions,
  ended: (call: ServerCall, code: number) => void,
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const { service, handler } of options.services) {
    for (const method of Object.values(service.methods)) {
      routes.set(method.path, {
        method,
        handler,
        maxMessageBytes: options.maxMessageBytes,
        ended,
      });
    }
  }
  return routes;
}

/** The call of a fresh stream, or undefined where the stream was refused and answered here. */
function openCall(
  routes: ReadonlyMap<string, Route>,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): ServerCall | undefined {
  if (headers[":method"] !== "POST") return refuseHttp(stream, 405);
  const type = headers["content-type"];
  if (type === undefined || !/^application\/grpc(\+proto)?($|;)/.test(type)) {
    return refuseHttp(stream, 415);
  }
  const path = headers[":path"] ?? "";
  const route = routes.get(path);
  if (route === undefined) {
    return refuse(stream, status.UNIMPLEMENTED, `unknown method ${path}`);
  }
  const encoding = headers["grpc-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return refuse(
      stream,
      status.UNIMPLEMENTED,
      `message encoding ${String(encoding)} is not supported; supported: identity`,
    );
  }
  const timeout = headers["grpc-timeout"];
  if (timeout !== undefined && parseTimeout(String(timeout)) === undefined) {
    return refuse(stream, status.INTERNAL, `malformed grpc-timeout ${String(timeout)}`);
  }
  return new ServerCall(route, stream, headers);
}

function startDeadline(call: ServerCall, headers: IncomingHttpHeaders): void {
  const timeout = headers["grpc-timeout"];
  if (timeout === undefined) return;
  const milliseconds = parseTimeout(String(timeout));
  if (milliseconds !== undefined) call.expireIn(milliseconds);
}

function refuseHttp(stream: ServerHttp2Stream, httpStatus: number): undefined {
  stream.on("error", ignore);
  stream.respond({ ":status": httpStatus }, { endStream: true });
  stream.resume();
  stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
}

function refuse(stream: ServerHttp2Stream, code: number, message: string): undefined {
  stream.on("error", ignore);
  stream.respond(
    {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-accept-encoding": "identity",
      "grpc-status": String(code),
      "grpc-message": status.encodeStatusMessage(message),
    },
    { endStream: true },
  );
  stream.resume();
}

function onData(this: Stream, chunk: Buffer): void {
  this[CALL]?.receive(chunk);
}

function onEnd(this: Stream): void {
  this[CALL]?.receiveEnd();
}

function onClose(this: Stream): void {
  this[CALL]?.receiveClose();
}

function onWantTrailers(this: Stream): void {
  this[CALL]?.sendTrailers();
}

function ignore(): void {
  // The stream's "close" follows and tells the call.
}
