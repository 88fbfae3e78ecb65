/**
 * The open files of one directory: each is opened once, and those that were not used for long are
 * closed when there are more than the pool may keep. A file in the middle of an operation is never
 * closed under it.
 */
import { close, closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../engine/base/assert.ts";
import type { FileName } from "../../engine/storage/disk.ts";

export interface OpenFile {
  readonly fd: number;
  size: number;
  /** Cut since the last sync: the next one must write the file's metadata too. */
  cut: boolean;
  /** Operations under way that a thread of libuv performs. */
  busy: number;
  /** No longer in the pool: closed when it is not busy any more. */
  dropped: boolean;
  /** When it was last asked for, by the pool's count of questions. */
  used: number;
}

export class FilePool {
  readonly #directory: string;
  readonly #limit: number;
  readonly #flags: number;
  readonly #files = new Map<FileName, OpenFile>();
  #questions = 0;

  /** Keeps about `limit` files open. `access` is what they are opened for. */
  constructor(directory: string, limit: number, access: "read" | "write") {
    this.#directory = directory;
    this.#limit = limit;
    this.#flags = access === "read" ? constants.O_RDONLY : constants.O_RDWR;
  }

  /** The open file, opened now where it is not. Throws where it cannot be. */
  get(file: FileName): OpenFile {
    this.#questions += 1;
    const known = this.#files.get(file);
    if (known === undefined) return this.#opened(file);
    known.used = this.#questions;
    return known;
  }

  /** Size of an open file; undefined where it is not open. */
  size(file: FileName): number | undefined {
    return this.#files.get(file)?.size;
  }

  /** Takes a file that was made with `fd` and is empty. */
  add(file: FileName, fd: number): void {
    this.drop(file);
    this.#add(file, fd, 0);
  }

  /** The file has a new name, and the one that had it is gone. */
  renamed(file: FileName, to: FileName): void {
    this.drop(to);
    const handle = this.#files.get(file);
    if (handle === undefined) return;
    this.#files.delete(file);
    this.#files.set(to, handle);
  }

  /** Closes the file, as soon as nothing is under way on it. */
  drop(file: FileName): void {
    const handle = this.#files.get(file);
    if (handle === undefined) return;
    this.#files.delete(file);
    handle.dropped = true;
    if (handle.busy === 0) closeInBackground(handle.fd);
  }

  /** Something begins on the file that must not lose it. */
  hold(file: OpenFile): void {
    file.busy += 1;
  }

  release(file: OpenFile): void {
    assert(file.busy > 0, "what is released was held");
    file.busy -= 1;
    if (file.busy === 0 && file.dropped) closeInBackground(file.fd);
  }

  /** Closes everything; nothing is under way any more. */
  closeAll(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  path(file: FileName): string {
    assert(/^[a-z0-9.-]+$/.test(file) && !file.startsWith("."), "a file name is plain");
    return join(this.#directory, file);
  }

  #opened(file: FileName): OpenFile {
    const fd = openSync(this.path(file), this.#flags);
    return this.#add(file, fd, fstatSync(fd).size);
  }

  #add(file: FileName, fd: number, size: number): OpenFile {
    // What a killed process has done to the file before is not known: sync it whole.
    const used = this.#questions;
    const handle: OpenFile = { fd, size, cut: true, busy: 0, dropped: false, used };
    if (this.#files.size >= this.#limit) this.#trim();
    this.#files.set(file, handle);
    return handle;
  }

  /** Makes room for some more files at once, as it looks at all of them. */
  #trim(): void {
    const idle = [...this.#files].filter(([, { busy }]) => busy === 0);
    idle.sort(([, a], [, b]) => a.used - b.used);
    for (const [file] of idle.slice(0, Math.ceil(this.#limit / 8))) this.drop(file);
  }
}

/** Freeing the blocks of a large removed file takes long: on a thread, and nobody waits for it. */
function closeInBackground(fd: number): void {
  close(fd, () => undefined);
}
