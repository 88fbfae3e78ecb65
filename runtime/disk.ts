/**
 * The disk port for real files: one store's directory. Effects are performed one after another in
 * the order they were given; reads are synchronous (a read from the page cache takes 1 to 5
 * microseconds, a hop to a thread and back 20).
 *
 * Small appends are written in place for the same reason, and only syncs, large writes and changes
 * of the directory go to the thread pool.
 */
import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncate,
  mkdirSync,
  open,
  openSync,
  readSync,
  readdirSync,
  rename,
  statSync,
  unlink,
  writev,
  writevSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { assert, unreachable } from "../engine/base/assert.ts";
import type {
  DiskFailure,
  DiskInput,
  DiskOperation,
  DiskRead,
  DiskReader,
  FileName,
  WriteEffect,
} from "../engine/storage/disk.ts";
import { CLAIM_PREFIX, lockDirectory } from "./lock.ts";
import type { Lock } from "./lock.ts";

export type OpenDisk =
  | { readonly ok: true; readonly disk: FileDisk }
  /** `detail` is a sentence for people. Nothing was touched. */
  | { readonly ok: false; readonly detail: string };

/** Called once for each effect, never before `perform` has returned. */
export type Done = (input: DiskInput) => void;

interface Handle {
  readonly fd: number;
  size: number;
  /** Cut since the last sync: the next one must write the file's metadata too. */
  cut: boolean;
}

interface Task {
  readonly effect: WriteEffect;
  readonly done: Done;
}

/** Appends of up to this many bytes are copied to the page cache at once. */
const INLINE_BYTES = 64 * 1024;
/** Files kept open. A store works on a segment and a checkpoint at a time. */
const MAX_HANDLES = 32;

/** Makes `directory` where it is missing, and takes it for this process. */
export function openDisk(directory: string): OpenDisk {
  try {
    makeDirectory(directory);
    const locked = lockDirectory(directory);
    if (!locked.ok) return locked;
    const fd = openSync(directory, constants.O_RDONLY);
    return { ok: true, disk: new FileDisk(directory, fd, locked.lock) };
  } catch (error) {
    const { message } = error as Error;
    return { ok: false, detail: `the data directory ${directory} cannot be used: ${message}` };
  }
}

export class FileDisk implements DiskReader {
  readonly #directory: string;
  readonly #directoryFd: number;
  readonly #lock: Lock;
  /** Least recently used first. */
  readonly #handles = new Map<FileName, Handle>();
  readonly #queue: Task[] = [];
  #running = false;
  #closed: (() => void) | undefined;

  constructor(directory: string, directoryFd: number, lock: Lock) {
    this.#directory = directory;
    this.#directoryFd = directoryFd;
    this.#lock = lock;
  }

  /** Performs `effect` behind all that were given before. */
  perform(effect: WriteEffect, done: Done): void {
    assert(this.#closed === undefined, "a closed disk is not written to");
    this.#queue.push({ effect, done });
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => this.#nextTask());
  }

  /** Performs what was given, closes all files and gives the directory back. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closed = () => {
        for (const { fd } of this.#handles.values()) closeSync(fd);
        this.#handles.clear();
        closeSync(this.#directoryFd);
        this.#lock.release();
        resolve();
      };
      if (!this.#running) this.#closed();
    });
  }

  list(): readonly FileName[] {
    return readdirSync(this.#directory)
      .filter((file) => /^[a-z0-9.-]+$/.test(file) && !file.startsWith(CLAIM_PREFIX))
      .sort((a, b) => (a < b ? -1 : 1));
  }

  size(file: FileName): number | undefined {
    const handle = this.#handles.get(file);
    if (handle !== undefined) return handle.size;
    return statSync(this.#path(file), { throwIfNoEntry: false })?.size;
  }

  read(file: FileName, offset: number, length: number): DiskRead {
    try {
      const { fd, size } = this.#handle(file);
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      let at = 0;
      while (at < bytes.length) {
        const count = readSync(fd, bytes, at, bytes.length - at, offset + at);
        if (count === 0) break;
        at += count;
      }
      return { ok: true, bytes: at < bytes.length ? bytes.slice(0, at) : bytes };
    } catch (error) {
      return { ok: false, reason: failureOf(error) };
    }
  }

  #nextTask(): void {
    const task = this.#queue.shift();
    if (task === undefined) {
      this.#running = false;
      this.#closed?.();
      return;
    }
    const { ticket } = task.effect;
    this.#nextOperation(task.effect.operations, 0, (error, file) => {
      this.#trim();
      task.done(
        error === undefined
          ? { type: "written", ticket }
          : { type: "write_failed", ticket, reason: failureOf(error), file },
      );
      this.#nextTask();
    });
  }

  /** Performs the operations from `at` on, then calls `done` with the first error and its file. */
  #nextOperation(
    operations: readonly DiskOperation[],
    at: number,
    done: (error: unknown, file: FileName) => void,
  ): void {
    const operation = operations[at];
    if (operation === undefined) return done(undefined, ".");
    const file = operation.type === "sync_directory" ? "." : operation.file;
    let count = 1;
    const after = (error?: unknown): void => {
      if (error === undefined || error === null) this.#nextOperation(operations, at + count, done);
      else done(error, file);
    };
    try {
      if (operation.type === "append") {
        const parts = consecutive(operations, at);
        count = parts.length;
        this.#append(operation.file, parts, after);
      } else {
        this.#start(operation, after);
      }
    } catch (error) {
      after(error);
    }
  }

  #start(
    operation: Exclude<DiskOperation, { type: "append" }>,
    after: (error?: unknown) => void,
  ): void {
    switch (operation.type) {
      case "create":
        return this.#create(operation.file, after);
      case "truncate": {
        const handle = this.#handle(operation.file);
        return ftruncate(handle.fd, operation.size, (error) => {
          if (error === null) Object.assign(handle, { size: operation.size, cut: true });
          after(error);
        });
      }
      case "sync": {
        const handle = this.#handle(operation.file);
        // A new size that the data need is written by fdatasync; a smaller one is metadata.
        const flush = handle.cut ? fsync : fdatasync;
        handle.cut = false;
        return flush(handle.fd, after);
      }
      case "rename": {
        const { file, to } = operation;
        return rename(this.#path(file), this.#path(to), (error) => {
          if (error !== null) return after(error);
          this.#drop(to);
          const handle = this.#handles.get(file);
          this.#handles.delete(file);
          if (handle !== undefined) this.#handles.set(to, handle);
          after();
        });
      }
      case "remove":
        return unlink(this.#path(operation.file), (error) => {
          if (error === null) this.#drop(operation.file);
          after(error);
        });
      case "sync_directory":
        return fsync(this.#directoryFd, after);
      default:
        return unreachable(operation);
    }
  }

  #create(file: FileName, after: (error?: unknown) => void): void {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
    this.#drop(file);
    open(this.#path(file), flags, 0o644, (error, fd) => {
      if (error === null) this.#handles.set(file, { fd, size: 0, cut: true });
      after(error);
    });
  }

  #append(file: FileName, parts: readonly Uint8Array[], after: (error?: unknown) => void): void {
    const handle = this.#handle(file);
    let total = 0;
    for (const part of parts) total += part.length;
    let rest = parts;
    if (total <= INLINE_BYTES) {
      while (rest.length > 0) {
        const written = writevSync(handle.fd, rest, handle.size);
        handle.size += written;
        rest = behind(rest, written);
      }
      return after();
    }
    const next = (): void => {
      if (rest.length === 0) return after();
      writev(handle.fd, rest, handle.size, (error, written) => {
        if (error !== null) return after(error);
        handle.size += written;
        rest = behind(rest, written);
        next();
      });
    };
    next();
  }

  /** The open file, opened now where it is not. Throws where it cannot be. */
  #handle(file: FileName): Handle {
    const known = this.#handles.get(file);
    if (known !== undefined) {
      this.#handles.delete(file);
      this.#handles.set(file, known);
      return known;
    }
    const fd = openSync(this.#path(file), constants.O_RDWR);
    // What a killed process has done to the file before is not known: sync it whole.
    const handle: Handle = { fd, size: fstatSync(fd).size, cut: true };
    this.#handles.set(file, handle);
    return handle;
  }

  #drop(file: FileName): void {
    const handle = this.#handles.get(file);
    if (handle === undefined) return;
    this.#handles.delete(file);
    // Freeing the blocks of a large file takes long: not on this thread, and nobody waits for it.
    close(handle.fd, () => undefined);
  }

  /**
   * Closes files that were not used for long. Between effects only: a write may be under way on
   * any.
   */
  #trim(): void {
    for (const file of this.#handles.keys()) {
      if (this.#handles.size <= MAX_HANDLES) return;
      this.#drop(file);
    }
  }

  #path(file: FileName): string {
    assert(/^[a-z0-9.-]+$/.test(file) && !file.startsWith("."), "a file name is plain");
    return join(this.#directory, file);
  }
}

/** Makes the directory and those above it, durably. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let at = dirname(resolve(directory)); ; at = dirname(at)) {
    const fd = openSync(at, constants.O_RDONLY);
    fsyncSync(fd);
    closeSync(fd);
    if (at === top) return;
  }
}

/** The bytes of the append at `at` and of those to the same file right behind it. */
function consecutive(operations: readonly DiskOperation[], at: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const first = operations[at];
  for (let i = at; i < operations.length; i++) {
    const operation = operations[i]!;
    if (operation.type !== "append" || first?.type !== "append") break;
    if (operation.file !== first.file) break;
    parts.push(operation.bytes);
  }
  return parts;
}

/** What remains of `parts` behind their first `written` bytes. */
function behind(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (skip < part.length) return [part.subarray(skip), ...parts.slice(i + 1)];
    skip -= part.length;
  }
  return [];
}

function failureOf(error: unknown): DiskFailure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return "no_space";
  return code === "ENOENT" ? "missing" : "io_error";
}
