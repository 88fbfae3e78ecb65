/**
 * The gRPC server: HTTP/2 sessions over sockets that somebody else accepted, and the way from a
 * stream's path to the handler of its method. It upholds that no request, however malformed, ends
 * more than its own call.
 */
import type { Socket } from "node:net";
import { encodeHeaders } from "../http2/hpack.ts";
import type { Headers } from "../http2/hpack.ts";
import { ServerSession } from "../http2/session.ts";
import type { ServerStream } from "../http2/stream.ts";
import type { Method, Service } from "./method.ts";
import { FrameWriter } from "./frame-writer.ts";
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
const MAX_HEADER_BYTES = 64 << 10;

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const sessions = new Set<ServerSession>();
  /** Calls that may last: they are told when the server closes. */
  const streams = new Set<ServerCall>();
  let calls = 0;
  let idle: (() => void) | undefined;
  const ended = (call: ServerCall, code: number): void => {
    calls -= 1;
    if (isStream(call.method)) streams.delete(call);
    options.observe?.(call.method, code, performance.now() - call.startedAt);
    if (calls === 0) idle?.();
  };
  const routes = routesOf(options, ended);
  const opened = (stream: ServerStream): void => {
    const call = openCall(routes, stream);
    if (call === undefined) return;
    calls += 1;
    if (isStream(call.method)) streams.add(call);
    stream.listener = call;
    startDeadline(call, stream.headers);
  };

  return {
    accept(socket) {
      const session = new ServerSession(socket, {
        opened,
        closed: () => void sessions.delete(session),
        streamWindowBytes: STREAM_WINDOW_BYTES,
        sessionWindowBytes: SESSION_WINDOW_BYTES,
        maxStreams: MAX_STREAMS,
        maxHeaderBytes: MAX_HEADER_BYTES,
      });
      sessions.add(session);
    },
    load: () => ({ sessions: sessions.size, calls }),
    async close(withinMs) {
      for (const session of sessions) session.drain();
      for (const call of streams) call.drain();
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
    },
  };
}

const isStream = ({ clientStreaming, serverStreaming }: Method): boolean =>
  clientStreaming || serverStreaming;

function routesOf(
  options: GrpcServerOptions,
  ended: (call: ServerCall, code: number) => void,
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  const frames = new FrameWriter();
  for (const { service, handler } of options.services) {
    for (const method of Object.values(service.methods)) {
      routes.set(method.path, {
        method,
        handler,
        maxMessageBytes: options.maxMessageBytes,
        frames,
        ended,
      });
    }
  }
  return routes;
}

/** The call of a fresh stream, or undefined where the stream was refused and answered here. */
function openCall(
  routes: ReadonlyMap<string, Route>,
  stream: ServerStream,
): ServerCall | undefined {
  const { headers } = stream;
  if (headers[":method"] !== "POST") return refuseHttp(stream, 405);
  const type = headers["content-type"];
  if (type === undefined || !isGrpc(type)) return refuseHttp(stream, 415);
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
      `message encoding ${encoding} is not supported; supported: identity`,
    );
  }
  const timeout = headers["grpc-timeout"];
  if (timeout !== undefined && parseTimeout(timeout) === undefined) {
    return refuse(stream, status.INTERNAL, `malformed grpc-timeout ${timeout}`);
  }
  return new ServerCall(route, stream);
}

const isGrpc = (type: string): boolean =>
  type === "application/grpc" || /^application\/grpc(\+proto)?($|;)/.test(type);

function startDeadline(call: ServerCall, headers: Headers): void {
  const timeout = headers["grpc-timeout"];
  if (timeout === undefined) return;
  const milliseconds = parseTimeout(timeout);
  if (milliseconds !== undefined) call.expireIn(milliseconds);
}

function refuseHttp(stream: ServerStream, httpStatus: number): undefined {
  stream.end(encodeHeaders({ ":status": String(httpStatus) }));
}

function refuse(stream: ServerStream, code: number, message: string): undefined {
  stream.end(
    encodeHeaders({
      ":status": "200",
      "content-type": "application/grpc",
      "grpc-accept-encoding": "identity",
      "grpc-status": String(code),
      "grpc-message": status.encodeStatusMessage(message),
    }),
  );
}
