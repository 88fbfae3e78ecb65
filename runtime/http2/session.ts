/**
 * The server's side of one HTTP/2 connection (RFC 9113), written for gRPC: every stream
 * is a request with a body and an answer with trailers; there is no push and no priority. All that
 * one turn of the event loop sends leaves in one write.
 *
 * A client that breaks the protocol ends its own connection, with a GOAWAY that says why.
 */
import type { Socket } from "node:net";
import * as frames from "./frames.ts";
import type { Frame } from "./frames.ts";
import { ConnectionError, unpadded } from "./connection-error.ts";
import { HeaderBlocks } from "./header-blocks.ts";
import type { HeaderBlock } from "./header-blocks.ts";
import { ServerStream } from "./stream.ts";
import type { Carrier } from "./stream.ts";

export interface SessionOptions {
  /** A new stream whose headers are complete. It answers now or later, and sets the listener. */
  readonly opened: (stream: ServerStream) => void;
  /** Once, when the connection is gone; every open stream was told before. */
  readonly closed: () => void;
  /** What a client may send before it must wait for us: a stream, and the connection. */
  readonly streamWindowBytes: number;
  readonly sessionWindowBytes: number;
  readonly maxStreams: number;
  readonly maxHeaderBytes: number;
}

/** Resets that a client may send in a second: those of calls with short deadlines, but no flood. */
const MAX_RESETS_A_SECOND = 20_000;
/** Answers to pings and settings that may wait for a client that does not read. */
const MAX_CONTROL_BACKLOG_BYTES = 16 << 20;

export class ServerSession implements Carrier {
  window: number = frames.DEFAULT_WINDOW;
  maxPayload: number = frames.DEFAULT_MAX_PAYLOAD;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #streams = new Map<number, ServerStream>();
  readonly #reader = new frames.FrameReader();
  readonly #blocks: HeaderBlocks;
  /** Streams that wait for the connection's window. */
  #blocked = new Set<ServerStream>();
  #preface = 0;
  #settled = false;
  #lastStream = 0;
  /** The client's INITIAL_WINDOW_SIZE. */
  #initialWindow = frames.DEFAULT_WINDOW;
  #taken = 0;
  #outgoing: Buffer[] = [];
  #flushing = false;
  #draining = false;
  #gone = false;
  #resets = 0;
  #resetsSince = 0;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#blocks = new HeaderBlocks(options.maxHeaderBytes);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => socket.destroy());
    // The client has closed its side: nothing that is under way can be asked for any more.
    socket.on("end", () => socket.destroy());
    socket.once("close", () => this.#lost());
    const settings = frames.settingsPayload([
      [frames.MAX_CONCURRENT_STREAMS, options.maxStreams],
      [frames.INITIAL_WINDOW_SIZE, options.streamWindowBytes],
      [frames.MAX_HEADER_LIST_SIZE, options.maxHeaderBytes],
    ]);
    this.push(frames.frameOf(frames.SETTINGS, 0, 0, settings));
    const more = options.sessionWindowBytes - frames.DEFAULT_WINDOW;
    this.push(frames.frameOf(frames.WINDOW_UPDATE, 0, 0, frames.words(more)));
  }

  get streams(): number {
    return this.#streams.size;
  }

  get backlog(): number {
    return this.#socket.writableLength;
  }

  push(bytes: Buffer): void {
    this.#outgoing.push(bytes);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  blocked(stream: ServerStream): void {
    this.#blocked.add(stream);
  }

  closed(stream: ServerStream): void {
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
    if (this.#draining && this.#streams.size === 0) this.#socket.end();
  }

  /** Takes no more streams; the connection closes when those under way have ended. */
  drain(): void {
    if (this.#draining || this.#gone) return;
    this.#draining = true;
    const payload = frames.words(this.#lastStream, frames.NO_ERROR);
    this.push(frames.frameOf(frames.GOAWAY, 0, 0, payload));
    this.#flush();
    if (this.#streams.size === 0) this.#socket.end();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  #flush(): void {
    this.#flushing = false;
    const outgoing = this.#outgoing;
    if (outgoing.length === 0) return;
    this.#outgoing = [];
    if (!this.#socket.writable) return;
    this.#socket.write(outgoing.length === 1 ? outgoing[0]! : Buffer.concat(outgoing));
  }

  #lost(): void {
    if (this.#gone) return;
    this.#gone = true;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#blocked.clear();
    for (const stream of streams) stream.abort();
    this.#options.closed();
  }

  #receive(chunk: Buffer): void {
    if (this.#gone || this.#socket.destroyed) return;
    try {
      this.#reader.push(this.#checkPreface(chunk));
      for (;;) {
        const frame = this.#reader.next();
        if (frame === undefined) break;
        if (typeof frame === "number") {
          throw new ConnectionError(frames.FRAME_SIZE_ERROR, `a frame of ${frame} bytes`);
        }
        this.#onFrame(frame);
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#fail(error);
    }
  }

  /** What is behind the preface, which must be there to the byte. */
  #checkPreface(chunk: Buffer): Buffer {
    const { PREFACE } = frames;
    if (this.#preface === PREFACE.length) return chunk;
    const count = Math.min(PREFACE.length - this.#preface, chunk.length);
    const expected = PREFACE.subarray(this.#preface, this.#preface + count);
    if (!expected.equals(chunk.subarray(0, count))) {
      throw new ConnectionError(frames.PROTOCOL_ERROR, "the preface is not HTTP/2's");
    }
    this.#preface += count;
    return chunk.subarray(count);
  }

  #fail(error: ConnectionError): void {
    const text = Buffer.from(error.message, "utf8");
    const payload = Buffer.concat([frames.words(this.#lastStream, error.code), text]);
    this.push(frames.frameOf(frames.GOAWAY, 0, 0, payload));
    this.#flush();
    this.#socket.destroySoon();
    this.#lost();
  }

  #onFrame(frame: Frame): void {
    if (!this.#settled && frame.type !== frames.SETTINGS) {
      throw new ConnectionError(frames.PROTOCOL_ERROR, "the first frame is not SETTINGS");
    }
    const block = this.#blocks.take(frame);
    if (block !== undefined) return this.#onBlock(block);
    switch (frame.type) {
      case frames.DATA:
        return this.#onData(frame);
      case frames.RST_STREAM:
        return this.#onReset(frame);
      case frames.SETTINGS:
        return this.#onSettings(frame);
      case frames.PING:
        return this.#onPing(frame);
      case frames.WINDOW_UPDATE:
        return this.#onWindowUpdate(frame);
      case frames.PUSH_PROMISE:
        throw new ConnectionError(frames.PROTOCOL_ERROR, "a client cannot push");
      default:
        // PRIORITY, GOAWAY, the beginning of a header block, and what a later version may have.
        return undefined;
    }
  }

  #onData(frame: Frame): void {
    const { length } = frame.payload;
    // What is taken is given back by halves of a window, each far longer than a frame: a client
    // cannot send more than its windows allow, and there is nothing to check.
    this.#taken += length;
    if (2 * this.#taken >= this.#options.sessionWindowBytes) {
      this.#giveBack(0, this.#taken);
      this.#taken = 0;
    }
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined || stream.remoteEnded) return this.#onStray(frame);
    const data = unpadded(frame);
    const last = (frame.flags & frames.END_STREAM) !== 0;
    stream.taken += length;
    if (!last && 2 * stream.taken >= this.#options.streamWindowBytes) {
      this.#giveBack(stream.id, stream.taken);
      stream.taken = 0;
    }
    // Marked first: an answer that is given to the data must find that the client has said all.
    if (last) stream.remoteEnded = true;
    if (data.length > 0) stream.listener?.receive(data);
    if (last) this.#endRemote(stream);
  }

  #endRemote(stream: ServerStream): void {
    stream.endRemote();
    stream.listener?.receiveEnd();
  }

  #giveBack(stream: number, count: number): void {
    this.push(frames.frameOf(frames.WINDOW_UPDATE, 0, stream, frames.words(count)));
  }

  /** A frame of a stream that is not open: of one that has ended it is late, else it is a fault. */
  #onStray(frame: Frame): void {
    if (frame.stream === 0 || frame.stream > this.#lastStream) {
      throw new ConnectionError(frames.PROTOCOL_ERROR, "a frame for a stream that never was");
    }
  }

  /** A whole header block: a new stream, or the trailers of one. */
  #onBlock({ stream: id, ended, decoded }: HeaderBlock): void {
    const known = this.#streams.get(id);
    if (known !== undefined) {
      // Trailers of a request: nothing in them concerns us but that they are the end.
      if (!ended || known.remoteEnded) {
        throw new ConnectionError(frames.PROTOCOL_ERROR, "a second header block");
      }
      this.#endRemote(known);
      return;
    }
    if (id % 2 === 0)
      throw new ConnectionError(frames.PROTOCOL_ERROR, `stream ${id} is not a client's`);
    // Trailers may cross our reset of their stream; they are dropped, but were decoded for the
    // table.
    if (id <= this.#lastStream) return;
    this.#lastStream = id;
    if (this.#draining || this.#streams.size >= this.#options.maxStreams) {
      return this.push(resetFrame(id, frames.REFUSED_STREAM));
    }
    if (!decoded.ok) return this.push(resetFrame(id, frames.PROTOCOL_ERROR));
    const stream = new ServerStream(this, id, decoded.headers, ended, this.#initialWindow);
    this.#streams.set(id, stream);
    this.#options.opened(stream);
    if (ended) stream.listener?.receiveEnd();
  }

  #onReset(frame: Frame): void {
    if (frame.payload.length !== 4) {
      throw new ConnectionError(frames.FRAME_SIZE_ERROR, "RST_STREAM is not 4 bytes");
    }
    const now = performance.now();
    if (now - this.#resetsSince > 1000) [this.#resetsSince, this.#resets] = [now, 0];
    this.#resets += 1;
    if (this.#resets > MAX_RESETS_A_SECOND) {
      throw new ConnectionError(frames.ENHANCE_YOUR_CALM, "too many resets");
    }
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) return this.#onStray(frame);
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
    stream.abort();
    if (this.#draining && this.#streams.size === 0) this.#socket.end();
  }

  #onSettings({ flags, stream, payload }: Frame): void {
    this.#settled = true;
    if (stream !== 0) throw new ConnectionError(frames.PROTOCOL_ERROR, "SETTINGS of a stream");
    const ack = (flags & frames.ACK) !== 0;
    if (payload.length % 6 !== 0 || (ack && payload.length > 0)) {
      throw new ConnectionError(frames.FRAME_SIZE_ERROR, "SETTINGS of a wrong length");
    }
    if (ack) return;
    for (let at = 0; at < payload.length; at += 6) {
      this.#onSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#control(frames.frameOf(frames.SETTINGS, frames.ACK, 0, Buffer.alloc(0)));
  }

  #onSetting(id: number, value: number): void {
    if (id === frames.INITIAL_WINDOW_SIZE) {
      if (value > frames.MAX_WINDOW) {
        throw new ConnectionError(frames.FLOW_CONTROL_ERROR, "an initial window too large");
      }
      const change = value - this.#initialWindow;
      this.#initialWindow = value;
      for (const stream of this.#streams.values()) this.#widen(stream, change);
    } else if (id === frames.MAX_FRAME_SIZE) {
      if (value < frames.DEFAULT_MAX_PAYLOAD || value > 0xffffff) {
        throw new ConnectionError(frames.PROTOCOL_ERROR, "a frame size out of bounds");
      }
      this.maxPayload = value;
    }
  }

  #onPing({ flags, stream, payload }: Frame): void {
    if (stream !== 0) throw new ConnectionError(frames.PROTOCOL_ERROR, "PING of a stream");
    if (payload.length !== 8) {
      throw new ConnectionError(frames.FRAME_SIZE_ERROR, "PING is not 8 bytes");
    }
    if ((flags & frames.ACK) === 0) {
      this.#control(frames.frameOf(frames.PING, frames.ACK, 0, payload));
    }
  }

  #control(bytes: Buffer): void {
    if (this.backlog > MAX_CONTROL_BACKLOG_BYTES) {
      throw new ConnectionError(frames.ENHANCE_YOUR_CALM, "answers are not read");
    }
    this.push(bytes);
  }

  #onWindowUpdate(frame: Frame): void {
    if (frame.payload.length !== 4) {
      throw new ConnectionError(frames.FRAME_SIZE_ERROR, "WINDOW_UPDATE is not 4 bytes");
    }
    const more = frame.payload.readUInt32BE(0) & frames.MAX_WINDOW;
    if (more === 0) throw new ConnectionError(frames.PROTOCOL_ERROR, "a window update by nothing");
    if (frame.stream !== 0) {
      const stream = this.#streams.get(frame.stream);
      if (stream === undefined) return this.#onStray(frame);
      return this.#widen(stream, more);
    }
    this.window += more;
    if (this.window > frames.MAX_WINDOW) {
      throw new ConnectionError(frames.FLOW_CONTROL_ERROR, "a window too large");
    }
    const blocked = this.#blocked;
    this.#blocked = new Set();
    for (const stream of blocked) stream.flush();
  }

  #widen(stream: ServerStream, by: number): void {
    stream.window += by;
    if (stream.window > frames.MAX_WINDOW) {
      throw new ConnectionError(frames.FLOW_CONTROL_ERROR, "a stream's window too large");
    }
    if (by > 0) stream.flush();
  }
}

function resetFrame(stream: number, code: number): Buffer {
  return frames.frameOf(frames.RST_STREAM, 0, stream, frames.words(code));
}
