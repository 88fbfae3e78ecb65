/**
 * What the gRPC layer needs to know of a method: its path, how its messages are encoded, and which
 * sides stream. The service tables of `engine/protocol` have this shape.
 */
import type { Writer } from "../../engine/protocol/writer.ts";

/** A decoded message, or what is wrong with the bytes. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** How one message type travels. */
export interface Codec<T> {
  /** Puts `message` in front of what `writer` holds. */
  write(writer: Writer, message: T): void;
  /** May keep views of `bytes`. */
  decode(bytes: Uint8Array): Decoded<T>;
}

export interface Method<Request = unknown, Response = unknown> {
  /** For example `/tikvpb.Tikv/RawGet`. */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
}

/** A service: its methods by their short names. */
export interface Service {
  /** For example `tikvpb.Tikv`. */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}
