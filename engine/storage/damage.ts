/** What `open` says of a directory it cannot use, and the reading of whole files. */
import type { DiskReader, FileName } from "./disk.ts";

/** Bad or unreadable bytes, with their place. */
export interface Damage {
  readonly ok: false;
  readonly reason: "corrupt" | "unreadable";
  readonly file: FileName;
  readonly offset: number;
  /** A sentence for people. */
  readonly detail: string;
}

export const corrupt = (file: FileName, offset: number, detail: string): Damage => ({
  ok: false,
  reason: "corrupt",
  file,
  offset,
  detail,
});

export const unreadable = (file: FileName, offset: number, detail: string): Damage => ({
  ok: false,
  reason: "unreadable",
  file,
  offset,
  detail,
});

/** Exactly `length` bytes from `offset` of a file that has them. */
export function readExactly(
  reader: DiskReader,
  file: FileName,
  offset: number,
  length: number,
): { readonly ok: true; readonly bytes: Uint8Array } | Damage {
  const read = reader.read(file, offset, length);
  if (!read.ok) return unreadable(file, offset, `the disk answers ${read.reason}`);
  if (read.bytes.length < length) {
    const end = offset + read.bytes.length;
    return unreadable(file, end, `the disk gives ${read.bytes.length} of ${length} bytes`);
  }
  return read;
}
