/** Reads of a directory of ours, positional and synchronous, from whatever thread. */
import { readSync, readdirSync, statSync, statfsSync } from "node:fs";
import type {
  DiskFailure,
  DiskFill,
  DiskOperation,
  DiskRead,
  DiskReader,
  FileName,
} from "../../engine/storage/disk.ts";
import { CLAIM_PREFIX } from "./lock.ts";
import { FilePool } from "./pool.ts";

/** Files that a reader of its own keeps open. */
const MAX_OPEN = 64;

/**
 * A second reader of a directory whose owner has it locked, or of one that nobody writes to: for
 * the worker's thread and for inspection. A file must not grow while it is read here.
 */
export class DirectoryReader implements DiskReader {
  readonly #directory: string;
  readonly #pool: FilePool;

  constructor(directory: string) {
    this.#directory = directory;
    this.#pool = new FilePool(directory, MAX_OPEN, "read");
  }

  list(): readonly FileName[] {
    return listFiles(this.#directory);
  }

  size(file: FileName): number | undefined {
    return sizeOf(this.#pool, file);
  }

  read(file: FileName, offset: number, length: number): DiskRead {
    return readFrom(this.#pool, file, offset, length);
  }

  readInto(file: FileName, offset: number, length: number, into: Uint8Array): DiskFill {
    return fillFrom(this.#pool, file, offset, length, into);
  }

  free(): number {
    return roomIn(this.#directory);
  }

  /** Forgets all that is open. */
  close(): void {
    this.#pool.closeAll();
  }
}

/** Bytes of the file system of `directory` that this process may still fill. */
export function roomIn(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** The files of a store in `directory`, in ascending order of name. */
export function listFiles(directory: string): readonly FileName[] {
  return readdirSync(directory)
    .filter((file) => /^[a-z0-9.-]+$/.test(file) && !file.startsWith(CLAIM_PREFIX))
    .sort((a, b) => (a < b ? -1 : 1));
}

export function sizeOf(pool: FilePool, file: FileName): number | undefined {
  return pool.size(file) ?? statSync(pool.path(file), { throwIfNoEntry: false })?.size;
}

export function readFrom(pool: FilePool, file: FileName, offset: number, length: number): DiskRead {
  try {
    const { fd, size } = pool.get(file);
    const bytes = roomFor(Math.max(0, Math.min(length, size - offset)));
    const filled = fill(fd, offset, bytes.length, bytes);
    return { ok: true, bytes: filled < bytes.length ? bytes.slice(0, filled) : bytes };
  } catch (error) {
    return { ok: false, reason: failureOf(error) };
  }
}

export function fillFrom(
  pool: FilePool,
  file: FileName,
  offset: number,
  length: number,
  into: Uint8Array,
): DiskFill {
  try {
    const { fd, size } = pool.get(file);
    const wanted = Math.max(0, Math.min(length, size - offset));
    return { ok: true, length: fill(fd, offset, wanted, into) };
  } catch (error) {
    return { ok: false, reason: failureOf(error) };
  }
}

/** Reads up to `length` bytes into `into`, and says how many there were. Throws as Node does. */
export function fill(fd: number, offset: number, length: number, into: Uint8Array): number {
  let at = 0;
  while (at < length) {
    const count = readSync(fd, into, at, length - at, offset + at);
    if (count === 0) break;
    at += count;
  }
  return at;
}

/** Above this size, memory is not cleared before it is read into: that costs less to avoid. */
const CLEARED_BYTES = 8 * 1024;

/** An array of its own, to be filled. */
function roomFor(length: number): Uint8Array {
  if (length <= CLEARED_BYTES) return new Uint8Array(length);
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** What an error of the system is to the engine, where it came from this operation or a read. */
export function failureOf(error: unknown, operation?: DiskOperation): DiskFailure {
  const { code } = error as NodeJS.ErrnoException;
  const syncs = operation?.type === "sync" || operation?.type === "sync_directory";
  if (code === "ENOSPC" || code === "EDQUOT") return syncs ? "io_error" : "no_space";
  return code === "ENOENT" ? "missing" : "io_error";
}
