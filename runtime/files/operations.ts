/**
 * Performs a list of disk operations in order on a thread that has better things to do: small
 * appends are written in place (a hop to a thread and back takes 20 microseconds, the write 3), and
 * only syncs, large writes and changes of the directory go to the thread pool.
 */
import { constants, fdatasync, fsync, ftruncate, open, rename, unlink, writev } from "node:fs";
import { writevSync } from "node:fs";
import { unreachable } from "../../engine/base/assert.ts";
import type { DiskFailure, DiskOperation, FileName } from "../../engine/storage/disk.ts";
import type { FilePool, OpenFile } from "./pool.ts";
import { failureOf } from "./reader.ts";

/** Which operation failed and how. */
export interface OperationFailure {
  readonly reason: DiskFailure;
  readonly file: FileName;
}

/** Called once, perhaps before the function that takes it has returned. */
export type OperationsDone = (failure: OperationFailure | undefined) => void;

/** Appends of up to this many bytes are copied to the page cache at once. */
const INLINE_BYTES = 64 * 1024;

type After = (error?: unknown) => void;

/**
 * Performs `operations` one after another up to the first failure. `directoryFd` is what
 * `sync_directory` syncs.
 */
export function performOperations(
  pool: FilePool,
  directoryFd: number,
  operations: readonly DiskOperation[],
  done: OperationsDone,
): void {
  const next = (at: number): void => {
    const operation = operations[at];
    if (operation === undefined) return done(undefined);
    const parts = operation.type === "append" ? consecutive(operations, at) : [];
    const after: After = (error) => {
      if (error === undefined || error === null) return next(at + Math.max(1, parts.length));
      const file = operation.type === "sync_directory" ? "." : operation.file;
      return done({ reason: failureOf(error, operation), file });
    };
    try {
      if (operation.type === "append") append(pool, operation.file, parts, after);
      else start(pool, directoryFd, operation, after);
    } catch (error) {
      after(error);
    }
  };
  next(0);
}

function start(
  pool: FilePool,
  directoryFd: number,
  operation: Exclude<DiskOperation, { type: "append" }>,
  after: After,
): void {
  switch (operation.type) {
    case "create":
      return create(pool, operation.file, after);
    case "truncate": {
      const file = pool.get(operation.file);
      return ftruncate(
        file.fd,
        operation.size,
        holding(pool, file, (error) => {
          if (error === null) Object.assign(file, { size: operation.size, cut: true });
          after(error);
        }),
      );
    }
    case "sync": {
      const file = pool.get(operation.file);
      // A new size that the data need is written by fdatasync; a smaller one is metadata.
      const flush = file.cut ? fsync : fdatasync;
      file.cut = false;
      return flush(file.fd, holding(pool, file, after));
    }
    case "rename":
      return rename(pool.path(operation.file), pool.path(operation.to), (error) => {
        if (error === null) pool.renamed(operation.file, operation.to);
        after(error);
      });
    case "remove":
      return unlink(pool.path(operation.file), (error) => {
        if (error === null) pool.drop(operation.file);
        after(error);
      });
    case "sync_directory":
      return fsync(directoryFd, after);
    default:
      return unreachable(operation);
  }
}

/** Opens or makes the file empty. */
export const CREATE_FLAGS: number = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
export const CREATE_MODE = 0o644;

function create(pool: FilePool, file: FileName, after: After): void {
  pool.drop(file);
  open(pool.path(file), CREATE_FLAGS, CREATE_MODE, (error, fd) => {
    if (error === null) pool.add(file, fd);
    after(error);
  });
}

function append(pool: FilePool, name: FileName, parts: readonly Uint8Array[], after: After): void {
  const file = pool.get(name);
  let total = 0;
  for (const part of parts) total += part.length;
  let rest = parts;
  if (total <= INLINE_BYTES) {
    while (rest.length > 0) {
      const written = writevSync(file.fd, rest, file.size);
      file.size += written;
      rest = behind(rest, written);
    }
    return after();
  }
  const ended = holding(pool, file, after);
  const next = (): void => {
    if (rest.length === 0) return ended(null);
    writev(file.fd, rest, file.size, (error, written) => {
      if (error !== null) return ended(error);
      file.size += written;
      rest = behind(rest, written);
      next();
    });
  };
  next();
}

/** `after`, until which `file` stays open. */
function holding(
  pool: FilePool,
  file: OpenFile,
  after: (error: unknown) => void,
): (error: NodeJS.ErrnoException | null) => void {
  pool.hold(file);
  return (error) => {
    pool.release(file);
    after(error);
  };
}

/** The bytes of the append at `at` and of those to the same file right behind it. */
export function consecutive(operations: readonly DiskOperation[], at: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const first = operations[at];
  for (let i = at; i < operations.length && parts.length < MAX_PARTS; i++) {
    const operation = operations[i]!;
    if (operation.type !== "append" || first?.type !== "append") break;
    if (operation.file !== first.file) break;
    parts.push(operation.bytes);
  }
  return parts;
}

/** What one call of `writev` takes. */
const MAX_PARTS = 1024;

/** What remains of `parts` behind their first `written` bytes. */
export function behind(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (skip < part.length) return [part.subarray(skip), ...parts.slice(i + 1)];
    skip -= part.length;
  }
  return [];
}
