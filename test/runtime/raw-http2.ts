/** A connection that says what a test wants byte by byte, where a real client would never. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import * as frames from "../../runtime/http2/frames.ts";
import type { Frame } from "../../runtime/http2/frames.ts";
import { HeaderDecoder, encodeHeaders } from "../../runtime/http2/hpack.ts";
import type { Headers } from "../../runtime/http2/hpack.ts";

/** The request headers of a call of the echo service. */
export const REQUEST: Headers = {
  ":method": "POST",
  ":scheme": "http",
  ":path": "/test.Echo/Unary",
  "content-type": "application/grpc",
  te: "trailers",
};

export const SETTINGS: Buffer = frames.frameOf(frames.SETTINGS, 0, 0, Buffer.alloc(0));

/** HEADERS that open a stream. */
export function headersFrame(stream: number, headers: Headers = REQUEST, flags = 0): Buffer {
  const all = frames.END_HEADERS | flags;
  return frames.frameOf(frames.HEADERS, all, stream, encodeHeaders(headers));
}

/** DATA with one message, and the end of the stream. */
export function messageFrame(stream: number, text: string): Buffer {
  const message = Buffer.from(`\0\0\0\0\0${text}`, "latin1");
  message.writeUInt32BE(text.length, 1);
  return frames.frameOf(frames.DATA, frames.END_STREAM, stream, message);
}

export class RawConnection {
  readonly received: Frame[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #reader = new frames.FrameReader();
  readonly #decoder = new HeaderDecoder(4096, 1 << 16);
  #changed: () => void = () => undefined;

  constructor(address: string) {
    const [host, port] = address.split(":");
    this.#socket = connect(Number(port), host);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.closed = true;
      this.#changed();
    });
    this.#socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (;;) {
        const frame = this.#reader.next();
        if (frame === undefined || typeof frame === "number") break;
        this.received.push(frame);
      }
      this.#changed();
    });
  }

  send(...parts: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** The preface with empty settings, and what follows. */
  open(...parts: readonly Buffer[]): void {
    this.send(frames.PREFACE, SETTINGS, ...parts);
  }

  /** Waits for a frame for which `matches`, and takes all up to it away. */
  async until(matches: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const at = this.received.findIndex(matches);
      if (at >= 0) return this.received.splice(0, at + 1).at(-1)!;
      if (this.closed) throw new Error("the connection was closed");
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** The error code of the GOAWAY that must come, and that the connection closes behind it. */
  async goaway(): Promise<number> {
    const frame = await this.until(({ type }) => type === frames.GOAWAY);
    while (!this.closed) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return frame.payload.readUInt32BE(4);
  }

  /** The text of the answer of `stream` and its status. */
  async answer(stream: number): Promise<{ readonly text: string; readonly status: string }> {
    let body = Buffer.alloc(0);
    for (;;) {
      const frame = await this.until((one) => one.stream === stream);
      if (frame.type === frames.DATA) body = Buffer.concat([body, frame.payload]);
      if (frame.type === frames.RST_STREAM) return { text: "", status: "reset" };
      if (frame.type === frames.HEADERS && (frame.flags & frames.END_STREAM) !== 0) {
        const decoded = this.#decoder.decode(frame.payload);
        const status = decoded.ok ? decoded.headers["grpc-status"] : undefined;
        return { text: body.subarray(5).toString("latin1"), status: status ?? "none" };
      }
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
