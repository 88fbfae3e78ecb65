/**
 * Ids as keys of the persistent tree: seven bytes, big-endian, so that they are in ascending order.
 */
import type { Key } from "../base/bytes.ts";

const BYTES = 7;

export function idKey(id: number): Key {
  let text = "";
  let rest = id;
  for (let i = 0; i < BYTES; i++) {
    text = String.fromCharCode(rest % 256) + text;
    rest = Math.floor(rest / 256);
  }
  return text as Key;
}
