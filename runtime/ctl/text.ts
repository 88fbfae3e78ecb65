/** How bytes and sizes are shown to people. */
import type { Key } from "../../engine/base/bytes.ts";
import { keyFromBytes } from "../../engine/base/bytes.ts";

/** Printable letters as they are, all other bytes as `\xNN`, as TiKV's tools print keys. */
export function escaped(bytes: Uint8Array | Key): string {
  const text: string = typeof bytes === "string" ? bytes : keyFromBytes(bytes);
  return text.replaceAll(/[^ -[\]-~]/g, (letter) =>
    letter === "\\" ? "\\\\" : `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `3.4 MiB` */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
