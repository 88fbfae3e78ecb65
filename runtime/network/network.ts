/**
 * The transport between nodes of one kind (stores, or placement members): messages of the engine,
 * as bytes, over one TCP connection a direction. It promises little, as the engine asks for little:
 * messages may be lost, never damaged or taken for another cluster's.
 *
 * A connection begins with a preamble, then carries frames:
 *
 *     preamble, 32 bytes                        frame
 *     offset  size  field                       offset  size  field
 *     0       6     "RUTILE"                    0       4     length n, big-endian
 *     6       1     's' store, 'p' placement    4       n     the message
 *     7       1     version of the format, 1
 *     8       8     cluster id, big-endian
 *     16      8     sender's id, big-endian
 *     24      8     receiver's id, big-endian
 */
import type { Socket } from "node:net";
import { formatAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { PEER_MAGIC } from "./demux.ts";
import { FrameSplitter } from "./frame.ts";
import { connectTo } from "./tls.ts";
import type { NodeTls } from "./tls.ts";
import type { Logger } from "../log.ts";

/** Who this node is. A node whose id is 0 does not know it yet, and neither sends nor receives. */
export interface Self {
  readonly kind: "store" | "placement";
  /** 0 where it is not known yet: a placement group learns it from its first leader. */
  readonly cluster: bigint;
  readonly id: number;
}

export interface TransportOptions {
  /** Asked whenever a connection begins, as a fresh store learns its id only after its start. */
  readonly self: () => Self;
  /** Where a node listens; undefined where nobody knows at the moment. */
  readonly resolve: (id: number) => Promise<Address | undefined>;
  /** `bytes` may be kept. False where they are no message, which closes the connection. */
  readonly received: (from: number, bytes: Uint8Array) => boolean;
  /** The connection to `id` broke or could not be made; what waited for it is lost. */
  readonly unreachable: (id: number) => void;
  /** Undefined where nothing is encrypted. */
  readonly tls: NodeTls | undefined;
  readonly logger: Logger;
}

export interface Transport {
  /**
   * Queues a message. Leaves at the end of the current turn, in one write with the others. Borrows
   * `bytes` until then.
   */
  send(to: number, bytes: Uint8Array): void;
  /** Takes over a connection that another node has made. */
  accept(socket: Socket): void;
  /** Bytes waiting to be sent and messages dropped, over all peers. */
  load(): { readonly queuedBytes: number; readonly dropped: number };
  close(): void;
}

export const PREAMBLE_BYTES = 32;
const VERSION = 1;
/** A frame longer than this is taken for garbage. Snapshots travel in chunks far below it. */
export const MAX_FRAME_BYTES: number = 64 << 20;
/**
 * A peer for which more than this waits is too slow: its new messages are dropped, and it is
 * reported.
 */
export const MAX_QUEUED_BYTES: number = 64 << 20;
const CONNECT_WITHIN_MS = 3000;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2000;
const LASTING_MS = 5000;

export function createTransport(options: TransportOptions): Transport {
  const peers = new Map<number, Peer>();
  const incoming = new Set<Socket>();
  let closed = false;
  return {
    send(to, bytes) {
      if (closed) return;
      let peer = peers.get(to);
      if (peer === undefined) {
        peer = new Peer(to, options);
        peers.set(to, peer);
      }
      peer.send(bytes);
    },
    accept(socket) {
      incoming.add(socket);
      socket.once("close", () => incoming.delete(socket));
      receiveFrom(socket, options);
    },
    load() {
      let queuedBytes = 0;
      let dropped = 0;
      for (const peer of peers.values()) {
        queuedBytes += peer.queuedBytes;
        dropped += peer.dropped;
      }
      return { queuedBytes, dropped };
    },
    close() {
      closed = true;
      for (const peer of peers.values()) peer.close();
      for (const socket of incoming) socket.destroy();
    },
  };
}

export function encodePreamble(self: Self, to: number): Buffer {
  const bytes = Buffer.alloc(PREAMBLE_BYTES);
  bytes.write(PEER_MAGIC, 0, "latin1");
  bytes.write(self.kind === "store" ? "s" : "p", 6, "latin1");
  bytes[7] = VERSION;
  bytes.writeBigUInt64BE(self.cluster, 8);
  bytes.writeBigUInt64BE(BigInt(self.id), 16);
  bytes.writeBigUInt64BE(BigInt(to), 24);
  return bytes;
}

/** The sender's id, or a sentence that says why the connection is not for this node. */
export function checkPreamble(bytes: Buffer, self: Self): number | string {
  if (bytes.toString("latin1", 0, 6) !== PEER_MAGIC) return "the preamble is malformed";
  const kind = bytes.toString("latin1", 6, 7) === "s" ? "store" : "placement";
  if (kind !== self.kind) return `a ${kind} node has called a ${self.kind} node`;
  if (bytes[7] !== VERSION) return `the peer's transport has version ${bytes[7]}, ours ${VERSION}`;
  const cluster = bytes.readBigUInt64BE(8);
  if (cluster !== 0n && self.cluster !== 0n && cluster !== self.cluster) {
    return `the peer is of cluster ${cluster}, not ${self.cluster}`;
  }
  const to = bytes.readBigUInt64BE(24);
  if (to !== BigInt(self.id)) return `the peer is looking for node ${to}, this is ${self.id}`;
  return Number(bytes.readBigUInt64BE(16));
}

/** The outgoing connection to one node, with what waits for it. */
class Peer {
  readonly #id: number;
  readonly #options: TransportOptions;
  #socket: Socket | undefined;
  #connecting = false;
  #connected = false;
  #closed = false;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #flushing = false;
  #connectedAt = 0;
  #backoffMs = 0;
  #retryAt = 0;
  #saturated = false;
  dropped = 0;

  constructor(id: number, options: TransportOptions) {
    this.#id = id;
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queued + (this.#socket?.writableLength ?? 0);
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.queuedBytes + bytes.length > MAX_QUEUED_BYTES) return this.#refuse();
    if (!this.#connected && performance.now() < this.#retryAt) {
      // The node was unreachable a moment ago, which the engine has been told.
      this.dropped += 1;
      return;
    }
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    if (this.#connected) this.#flushSoon();
    else if (!this.#connecting) void this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#socket?.destroy();
  }

  /** Reports once, until the queue has emptied. */
  #refuse(): void {
    this.dropped += 1;
    if (this.#saturated) return;
    this.#saturated = true;
    this.#options.logger.log("warn", "a peer takes messages too slowly", {
      peer: this.#id,
      queued_bytes: this.queuedBytes,
    });
    queueMicrotask(() => this.#options.unreachable(this.#id));
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const socket = this.#socket;
    if (!this.#connected || socket === undefined || this.#queue.length === 0) return;
    const bytes = Buffer.allocUnsafe(this.#queued + 4 * this.#queue.length);
    let at = 0;
    for (const message of this.#queue) {
      at = bytes.writeUInt32BE(message.length, at);
      bytes.set(message, at);
      at += message.length;
    }
    this.#queue = [];
    this.#queued = 0;
    socket.write(bytes);
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    const address = await this.#options.resolve(this.#id).catch(() => undefined);
    const self = this.#options.self();
    if (this.#closed) return;
    if (address === undefined || self.id === 0) return this.#lost("its address is not known");
    const { socket, ready } = connectTo(address, this.#options.tls);
    this.#socket = socket;
    const timer = setTimeout(() => socket.destroy(new Error("timed out")), CONNECT_WITHIN_MS);
    let reason = "the connection was closed";
    socket.once(ready, () => {
      clearTimeout(timer);
      this.#connecting = false;
      this.#connected = true;
      this.#connectedAt = performance.now();
      socket.write(encodePreamble(self, this.#id));
      this.#flush();
    });
    socket.on("drain", () => {
      this.#saturated = false;
    });
    socket.on("error", (error) => (reason = error.message));
    socket.once("close", () => {
      clearTimeout(timer);
      if (!this.#closed) this.#lost(`${reason} (${formatAddress(address)})`);
    });
    // The connection goes one way: data from the other side would be a mistake.
    socket.resume();
  }

  /** Forgets the connection and what waited for it, and waits before the next attempt. */
  #lost(reason: string): void {
    // A connection that has lasted forgives the failures before it; one that the peer refused does
    // not.
    const lasted = this.#connected && performance.now() - this.#connectedAt > LASTING_MS;
    if (lasted) this.#backoffMs = 0;
    if (this.#backoffMs === 0) {
      this.#options.logger.log("warn", "a peer is unreachable", { peer: this.#id, reason });
    }
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, Math.max(FIRST_BACKOFF_MS, this.#backoffMs * 2));
    this.#connecting = false;
    this.#connected = false;
    this.#socket = undefined;
    this.#saturated = false;
    this.dropped += this.#queue.length;
    this.#queue = [];
    this.#queued = 0;
    this.#retryAt = performance.now() + this.#backoffMs;
    this.#options.unreachable(this.#id);
  }
}

/** Reads the preamble and then frames from a connection that another node has made. */
function receiveFrom(socket: Socket, options: TransportOptions): void {
  const splitter = new FrameSplitter(MAX_FRAME_BYTES);
  let head: Buffer = Buffer.alloc(0);
  let from = 0;
  const refuse = (reason: string): void => {
    const remote = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    options.logger.log("warn", "closed a peer's connection", { peer: from, remote, reason });
    socket.destroy();
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    let data = chunk;
    if (from === 0) {
      head = Buffer.concat([head, chunk]);
      if (head.length < PREAMBLE_BYTES) return;
      const checked = checkPreamble(head, options.self());
      if (typeof checked === "string") return refuse(checked);
      from = checked;
      data = head.subarray(PREAMBLE_BYTES);
    }
    const failure = splitter.push(data, (message) => options.received(from, message));
    if (failure !== undefined) refuse(failure);
  });
}
