/**
 * Values that say what they are: each is a number that no other write of the run uses, followed by
 * bytes that follow from it. So a read tells which write it saw, and a damaged value is noticed.
 */
import { assert } from "../../engine/base/assert.ts";

/** Bytes of the number in front. */
const HEAD = 4;

/** The bytes that stand for value `id`, `size` of them (four at least). */
export function valueBytes(id: number, size: number): Uint8Array {
  assert(id > 0 && id < 0x100000000, "a value's number fits four bytes and is not 0");
  const bytes = new Uint8Array(Math.max(HEAD, size));
  bytes[0] = id >>> 24;
  bytes[1] = id >>> 16;
  bytes[2] = id >>> 8;
  bytes[3] = id;
  for (let i = HEAD; i < bytes.length; i++) bytes[i] = (id + i) * 31;
  return bytes;
}

/** The number of the value in `bytes`, or undefined where nobody has written them. */
export function valueId(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEAD) return undefined;
  const [a, b, c, d] = bytes as unknown as [number, number, number, number];
  const id = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  for (let i = HEAD; i < bytes.length; i++) {
    if (bytes[i] !== (((id + i) * 31) & 0xff)) return undefined;
  }
  return id;
}
