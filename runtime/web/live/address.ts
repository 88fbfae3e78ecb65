/** The page's address behind `#`: a play, and the moment that is looked at. */
import { type Play, type ReadPlay, readPlay, writePlay } from "../../../sim/live/play.ts";

/** Longer addresses are cut off by some programs; such a play is shared as text. */
export const MOST_ADDRESS = 60_000;

export const addressOf = (play: Play, atUs: number): string =>
  `at=${Math.round(atUs)}&play=${encode(writePlay(play))}`;

export type ReadAddress =
  | { readonly type: "nothing" }
  | { readonly type: "play"; readonly read: ReadPlay; readonly atUs: number };

export function readAddress(address: string): ReadAddress {
  const fields = new URLSearchParams(address);
  const packed = fields.get("play");
  if (packed === null) return { type: "nothing" };
  const at = fields.get("at") ?? "";
  const atUs = /^\d{1,15}$/.test(at) ? Number(at) : 0;
  const text = decode(packed);
  const read: ReadPlay =
    text === undefined ? { ok: false, problem: "the address is damaged" } : readPlay(text);
  return { type: "play", read, atUs };
}

/** Text as base64 in the alphabet of addresses. */
function encode(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(packed: string): string | undefined {
  try {
    const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (one) => one.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
