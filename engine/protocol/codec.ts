/**
 * What every generated message offers. Decoding never throws: bytes come from other machines, so
 * what is wrong with them is a value. Encoding a value of the right type cannot fail.
 */
import { createReader } from "./reader.ts";
import type { Reader } from "./reader.ts";
import { createWriter, writtenBytes } from "./writer.ts";
import type { Writer } from "./writer.ts";

/** A decoded value, or a sentence that says what is wrong with the bytes and where. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** How one message type is made, written and read. */
export interface MessageCodec<T> {
  /** The full protobuf name, as `kvrpcpb.RawPutRequest`. */
  readonly name: string;
  /** A message with the given fields and defaults for the rest. */
  make(partial?: Partial<T>): T;
  /** The bytes of `value`, fresh. */
  encode(value: T): Uint8Array;
  /**
   * The message in `bytes`. Fields of type `bytes` are views of the argument (borrowed): copy them
   * before the buffer is used again. Unknown fields are skipped; where a singular field comes twice
   * the last one stands.
   */
  decode(bytes: Uint8Array): Decoded<T>;
  /**
   * Puts `value` in front of what `writer` already holds. For nested messages and pooled buffers.
   */
  write(writer: Writer, value: T): void;
  /** Reads up to offset `end`. For nested messages; a failure shows in `reader.failure`. */
  read(reader: Reader, end: number): T;
}

/** The codec built from the three generated functions of a message. */
export function messageCodec<T>(
  name: string,
  make: (partial?: Partial<T>) => T,
  read: (reader: Reader, end: number) => T,
  write: (writer: Writer, value: T) => void,
): MessageCodec<T> {
  return {
    name,
    make,
    encode: (value) => {
      const writer = createWriter();
      write(writer, value);
      return writtenBytes(writer);
    },
    decode: (bytes) => {
      const reader = createReader(bytes);
      const value = read(reader, bytes.length);
      return reader.failure === undefined
        ? { ok: true, value }
        : { ok: false, reason: `${name}: ${reader.failure}` };
    },
    write,
    read,
  };
}

/** The name of `value` in `values`, or its decimal digits: enums are open. */
export function enumName(values: Readonly<Record<string, number>>, value: number): string {
  for (const [name, number] of Object.entries(values)) {
    if (number === value) return name;
  }
  return String(value);
}

/** What a repeated field has when nothing is in it. Shared, so it is frozen. */
export const NO_ITEMS: readonly never[] = Object.freeze([]);

/** What a map field has when nothing is in it. Shared; nothing may add to it. */
export const NO_ENTRIES: ReadonlyMap<never, never> = new Map<never, never>();
