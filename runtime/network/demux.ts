/**
 * One listening port for three protocols, told apart by a connection's first bytes: HTTP/2 (gRPC),
 * HTTP/1.1, and the transport between nodes of one kind. Where the node has certificates, the
 * first bytes within TLS, which the other side has to speak and to show a certificate for.
 */
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { formatAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { unwelcome } from "./tls.ts";
import type { NodeTls } from "./tls.ts";

/** Who takes over a connection. The bytes that were looked at are put back before. */
export interface Protocols {
  readonly http2?: (socket: Socket) => void;
  readonly http1?: (socket: Socket) => void;
  readonly peer?: (socket: Socket) => void;
  /** Called with a sentence for a connection that is none of the above, which is then closed. */
  readonly rejected?: (reason: string, remote: string) => void;
}

export interface Listener {
  /** The address with the port that was really taken. */
  readonly address: Address;
  /** Takes no more connections. Those that are open stay. */
  stop(): void;
}

export type Listening =
  | { readonly ok: true; readonly listener: Listener }
  /** `detail` is a sentence for people that names the address. */
  | { readonly ok: false; readonly detail: string };

/** The first bytes of the transport between nodes. No HTTP method begins like this. */
export const PEER_MAGIC = "RUTILE";
const HTTP2_PREFACE = "PRI * HTTP/2.0";
const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "the address is not of this machine",
  ENOTFOUND: "the host is not known",
};
/** Enough to tell the three apart; the shortest HTTP/1.1 request is far longer. */
const DECIDING_BYTES = 3;
/** A connection that says nothing for this long is closed. */
const SILENCE_MS = 10_000;

export function listen(address: Address, protocols: Protocols, tls?: NodeTls): Promise<Listening> {
  const server = serverOf(tls, protocols, (socket) => {
    // Errors before a protocol has taken over: the peer is gone, and so is the connection.
    const forget = (): void => void socket.destroy();
    socket.on("error", forget);
    const timer = setTimeout(forget, SILENCE_MS);
    socket.once("close", () => clearTimeout(timer));
    let head: Buffer = Buffer.alloc(0);
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < DECIDING_BYTES) return;
      socket.off("readable", look);
      socket.unshift(head);
      socket.off("error", forget);
      clearTimeout(timer);
      route(socket, head, protocols);
    };
    socket.on("readable", look);
  });
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve({ ok: false, detail: describeFailure(address, error) });
    });
    server.listen(address.port, address.host, () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        ok: true,
        listener: { address: { ...address, port }, stop: () => void server.close() },
      });
    });
  });
}

/** `accept` gets connections on which nothing but the protocol itself is to be read. */
function serverOf(
  tls: NodeTls | undefined,
  protocols: Protocols,
  accept: (socket: Socket) => void,
): Server {
  const options = { noDelay: true, keepAlive: true };
  if (tls === undefined) return createServer(options, accept);
  const { ca, cert, key } = tls;
  const server = createTlsServer(
    {
      ...options,
      ca,
      cert,
      key,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: SILENCE_MS,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
    },
    (socket) => {
      const reason = unwelcome(socket, tls);
      if (reason === undefined) accept(socket);
      else reject(socket, reason, protocols);
    },
  );
  server.on("tlsClientError", (error, socket) => {
    reject(socket, `TLS was not agreed on: ${error.message}`, protocols);
  });
  return server;
}

function route(socket: Socket, head: Buffer, protocols: Protocols): void {
  const start = head.toString("latin1", 0, HTTP2_PREFACE.length);
  const begins = (magic: string): boolean =>
    start.startsWith(magic.slice(0, Math.min(magic.length, start.length)));
  if (begins(HTTP2_PREFACE)) return hand(socket, protocols.http2, "HTTP/2", protocols);
  if (begins(PEER_MAGIC)) return hand(socket, protocols.peer, "the node transport", protocols);
  if (/^[A-Z]{3}/.test(start)) return hand(socket, protocols.http1, "HTTP/1.1", protocols);
  const reason =
    head[0] === 0x16
      ? "the connection speaks TLS, this port does not"
      : "the connection speaks no protocol of this port";
  return reject(socket, reason, protocols);
}

function hand(
  socket: Socket,
  to: ((socket: Socket) => void) | undefined,
  name: string,
  protocols: Protocols,
): void {
  if (to === undefined) reject(socket, `this port does not speak ${name}`, protocols);
  else to(socket);
}

function reject(socket: Socket, reason: string, protocols: Protocols): void {
  protocols.rejected?.(reason, `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`);
  socket.on("error", () => undefined);
  socket.destroy();
}

function describeFailure(address: Address, error: NodeJS.ErrnoException): string {
  const where = formatAddress(address);
  const reason = LISTEN_FAILURES[error.code ?? ""] ?? error.message;
  return `cannot listen on ${where}: ${reason}`;
}
