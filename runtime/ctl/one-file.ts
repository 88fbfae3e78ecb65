/** One file by its path as a disk that has nothing else, for readers that know files by name. */
import { basename } from "node:path";
import { closeSync, fstatSync, openSync } from "node:fs";
import type { DiskFill, DiskRead, DiskReader, FileName } from "../../engine/storage/disk.ts";
import { failureOf, fill } from "../files/reader.ts";

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
      return { ok: true, bytes: bytes.subarray(0, fill(this.#fd, offset, bytes.length, bytes)) };
    } catch (error) {
      return { ok: false, reason: failureOf(error) };
    }
  }

  readInto(_file: FileName, offset: number, length: number, into: Uint8Array): DiskFill {
    try {
      return { ok: true, length: fill(this.#fd, offset, length, into) };
    } catch (error) {
      return { ok: false, reason: failureOf(error) };
    }
  }

  /** Nothing is written here. */
  free(): number {
    return 0;
  }
}
