/** Keys and values as users give and get them. */
import { type Key, keyFromBytes, keyToBytes } from "../base/bytes.ts";
import { utf8Size, writeUtf8 } from "../protocol/utf8.ts";

/** Bytes, or text that stands for its UTF-8 bytes. */
export type BytesLike = Uint8Array | string;

export function bytesOf(value: BytesLike): Uint8Array {
  if (typeof value !== "string") return value;
  const bytes = new Uint8Array(utf8Size(value));
  writeUtf8(value, bytes, 0);
  return bytes;
}

export const keyOf = (key: BytesLike): Key => keyFromBytes(bytesOf(key));

/** A key and its value, as reads give them. */
export interface KeyValue {
  /** As it was given, never encoded. */
  readonly key: Uint8Array;
  /** Empty where only keys were asked for. */
  readonly value: Uint8Array;
}

export const keyValue = (key: Key, value: Uint8Array): KeyValue => ({
  key: keyToBytes(key),
  value,
});
