/** One file by its path as a disk that has nothing else, for readers that know files by name. */
import { basename } from "node:path";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { DiskRead, DiskReader, FileName } from "../../engine/storage/disk.ts";
import { failureOf } from "../files/reader.ts";

export class OneFile implements DiskReader {
  readonly #name: FileName;
  readonly #fd: number;
  readonly #size: number;

  /** Throws where the file cannot be opened. */
  constructor(path: string) {
    this.#name = basename(path);
    this.#fd = openSync(path, "r");
    this.#size = fstatSync(this.#fd).size;
  }

  close(): void {
    closeSync(this.#fd);
  }

  list(): readonly FileName[] {
    return [this.#name];
  }

  /** Whatever name is asked for: a copy of a table may be called anything. */
  size(): number {
    return this.#size;
  }

  read(_file: FileName, offset: number, length: number): DiskRead {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)));
    try {
      let at = 0;
      while (at < bytes.length) {
        const count = readSync(this.#fd, bytes, at, bytes.length - at, offset + at);
        if (count === 0) break;
        at += count;
      }
      return { ok: true, bytes: bytes.subarray(0, at) };
    } catch (error) {
      return { ok: false, reason: failureOf(error) };
    }
  }

  /** Nothing is written here. */
  free(): number {
    return 0;
  }
}
