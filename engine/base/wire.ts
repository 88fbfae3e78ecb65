/**
 * The codec of every byte we own: msgpack, of nothing but numbers, big integers, strings, booleans,
 * nil, byte strings, arrays and plain objects. Messages and records are arrays ("tuples") on the
 * wire and objects in memory; the room that owns a type maps one to the other, with the readers
 * below on the way in.
 *
 * A number comes back a number and a bigint a bigint: integers below 2^32 take 1 to 5 bytes, other
 * numbers 9 as a float (exact for safe integers), every bigint 9. `undefined` becomes nil.
 *
 * Readers throw `Malformed`, which never leaves `decodeWith`: one handler for each message instead
 * of a result to unwrap for each field.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import { AssertionError, assert } from "./assert.ts";
import { keyFromBytes } from "./bytes.ts";
import type { Key } from "./bytes.ts";
import { Timestamp } from "./timestamp.ts";

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  /** `reason` is for people: what was expected and where, or what the codec found. */
  | { readonly ok: false; readonly reason: string };

/** An encoder and a decoder, to be kept and reused by their owner. */
export interface Wire {
  /** `value` as fresh bytes. What is not wire data is a failed assertion. */
  readonly encode: (value: unknown) => Uint8Array;
  /** The same bytes in the encoder's own buffer, which the next value overwrites. */
  readonly encodeBriefly: (value: unknown) => Uint8Array;
  /**
   * The one value that `bytes` are. Byte strings in it are views of `bytes`: copy what is kept
   * longer.
   */
  readonly decode: (bytes: Uint8Array) => Decoded<unknown>;
  /**
   * What `read` makes of the value that `bytes` are. `read` checks it with the readers of this
   * file. Byte strings are views of `bytes`.
   */
  readonly decodeWith: <T>(bytes: Uint8Array, read: (value: unknown) => T) => Decoded<T>;
}

/** Longest array and largest object accepted: a few bad bytes must not reserve gigabytes. */
export const MAX_WIRE_ITEMS: number = 1 << 20;

export function createWire(): Wire {
  const encoder = new Encoder({ extensionCodec: WIRE_DATA, useBigInt64: true });
  const decoder = new Decoder({
    extensionCodec: WIRE_DATA,
    useBigInt64: true,
    maxArrayLength: MAX_WIRE_ITEMS,
    maxMapLength: MAX_WIRE_ITEMS,
    // The default one is shared by all decoders of the process.
    keyDecoder: null,
  });
  const decodeWith = <T>(bytes: Uint8Array, read: (value: unknown) => T): Decoded<T> => {
    let value: unknown;
    try {
      value = decoder.decode(plain(bytes));
    } catch (error) {
      return { ok: false, reason: `not wire data: ${messageOf(error)}` };
    }
    try {
      return { ok: true, value: read(value) };
    } catch (error) {
      if (error instanceof Malformed) return { ok: false, reason: error.message };
      throw error;
    }
  };
  return {
    encode: (value) => encoder.encode(value),
    encodeBriefly: (value) => encoder.encodeSharedRef(value),
    decode: (bytes) => decodeWith(bytes, (value) => value),
    decodeWith,
  };
}

/** Ends the reading of a malformed message with this reason. For use within `decodeWith` only. */
export function malformed(reason: string): never {
  throw new Malformed(reason);
}

/** An array of exactly `length` items. `what` names it in the reason, here and below. */
export function expectTuple(value: unknown, length: number, what: string): readonly unknown[] {
  if (Array.isArray(value) && value.length === length) return value;
  return malformed(`${what}: not a tuple of ${length}`);
}

/** An array of any length, each item read by `read`. */
export function expectList<T>(
  value: unknown,
  read: (item: unknown, what: string) => T,
  what: string,
): T[] {
  if (!Array.isArray(value)) return malformed(`${what}: not a list`);
  const items: T[] = [];
  for (let i = 0; i < value.length; i++) items.push(read(value[i], what));
  return items;
}

/** A safe integer that is not negative: ids, terms, indexes, counts, sizes. */
export function expectCount(value: unknown, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  return malformed(`${what}: not a count`);
}

/** Any number but NaN. */
export function expectNumber(value: unknown, what: string): number {
  if (typeof value === "number" && !Number.isNaN(value)) return value;
  return malformed(`${what}: not a number`);
}

export function expectBigint(value: unknown, what: string): bigint {
  return typeof value === "bigint" ? value : malformed(`${what}: not a bigint`);
}

export function expectTimestamp(value: unknown, what: string): Timestamp {
  const read = expectBigint(value, what);
  return read >= 0n ? Timestamp(read) : malformed(`${what}: negative`);
}

export function expectBoolean(value: unknown, what: string): boolean {
  return typeof value === "boolean" ? value : malformed(`${what}: not a boolean`);
}

export function expectString(value: unknown, what: string): string {
  return typeof value === "string" ? value : malformed(`${what}: not a string`);
}

/** One of `choices`. */
export function expectChoice<T extends string | number>(
  value: unknown,
  choices: readonly T[],
  what: string,
): T {
  const index = (choices as readonly unknown[]).indexOf(value);
  return choices[index] ?? malformed(`${what}: none of ${choices.join(", ")}`);
}

/** A view of the bytes that were decoded. */
export function expectBytes(value: unknown, what: string): Uint8Array {
  return value instanceof Uint8Array ? value : malformed(`${what}: not bytes`);
}

/** A key, which on the wire is a byte string. */
export function expectKey(value: unknown, what: string): Key {
  return keyFromBytes(expectBytes(value, what));
}

/** A key that was sent as a string: every character must be a byte. */
export function expectKeyText(value: unknown, what: string): Key {
  const text = expectString(value, what);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) return malformed(`${what}: not one character a byte`);
  }
  return text as Key;
}

/** `undefined` where the wire has nil, else what `read` makes of it. */
export function expectOptional<T>(
  value: unknown,
  read: (value: unknown, what: string) => T,
  what: string,
): T | undefined {
  return value === null || value === undefined ? undefined : read(value, what);
}

/** Lives between a reader and the `decodeWith` around it. */
class Malformed extends Error {}

/**
 * Refuses what msgpack would encode as something else: a `Map` as {}, a `Date` as an extension, a
 * `Buffer` as bytes.
 */
const WIRE_DATA = {
  tryToEncode(value: unknown): null {
    const shape: unknown = Object.getPrototypeOf(value);
    assert(
      shape === Array.prototype || shape === Uint8Array.prototype || shape === Object.prototype,
      "only plain objects, arrays and Uint8Array go on the wire",
    );
    return null;
  },
  decode(): never {
    throw new Malformed("extension types are not part of the wire format");
  },
};

/** The same bytes as an exact `Uint8Array`, so that views of them are exact ones too. */
function plain(bytes: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(bytes) === Uint8Array.prototype) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function messageOf(error: unknown): string {
  if (error instanceof AssertionError) throw error;
  return error instanceof Error ? error.message : String(error);
}
