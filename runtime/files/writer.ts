/**
 * Performs operations on a directory of ours synchronously: for a thread that has nothing better to
 * do. It writes only files that nobody else knows yet.
 */
import {
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import { unreachable } from "../../engine/base/assert.ts";
import type { DiskOperation, FileName } from "../../engine/storage/disk.ts";
import { CREATE_FLAGS, CREATE_MODE, behind, consecutive } from "./operations.ts";
import type { OperationFailure } from "./operations.ts";
import { FilePool } from "./pool.ts";
import { failureOf } from "./reader.ts";

/** A job writes a table at a time. */
const MAX_OPEN = 8;

export class DirectoryWriter {
  readonly #directoryFd: number;
  readonly #pool: FilePool;

  /** Throws where the directory cannot be opened. */
  constructor(directory: string) {
    this.#directoryFd = openSync(directory, constants.O_RDONLY);
    this.#pool = new FilePool(directory, MAX_OPEN, "write");
  }

  /** Performs `operations` in order, up to the first failure. */
  perform(operations: readonly DiskOperation[]): OperationFailure | undefined {
    for (let at = 0; at < operations.length;) {
      const operation = operations[at]!;
      const parts = operation.type === "append" ? consecutive(operations, at) : [];
      try {
        if (operation.type === "append") this.#append(operation.file, parts);
        else this.#perform(operation);
      } catch (error) {
        const file = operation.type === "sync_directory" ? "." : operation.file;
        return { reason: failureOf(error, operation), file };
      }
      at += Math.max(1, parts.length);
    }
    return undefined;
  }

  /** Closes the files; one that is written to again is opened again. */
  closeFiles(): void {
    this.#pool.closeAll();
  }

  #perform(operation: Exclude<DiskOperation, { type: "append" }>): void {
    switch (operation.type) {
      case "create": {
        const { file } = operation;
        return this.#pool.add(file, openSync(this.#pool.path(file), CREATE_FLAGS, CREATE_MODE));
      }
      case "truncate": {
        const file = this.#pool.get(operation.file);
        ftruncateSync(file.fd, operation.size);
        Object.assign(file, { size: operation.size, cut: true });
        return undefined;
      }
      case "sync": {
        const file = this.#pool.get(operation.file);
        const flush = file.cut ? fsyncSync : fdatasyncSync;
        file.cut = false;
        return flush(file.fd);
      }
      case "rename":
        renameSync(this.#pool.path(operation.file), this.#pool.path(operation.to));
        return this.#pool.renamed(operation.file, operation.to);
      case "remove":
        unlinkSync(this.#pool.path(operation.file));
        return this.#pool.drop(operation.file);
      case "sync_directory":
        return fsyncSync(this.#directoryFd);
      default:
        return unreachable(operation);
    }
  }

  #append(name: FileName, parts: readonly Uint8Array[]): void {
    const file = this.#pool.get(name);
    let rest = parts;
    while (rest.length > 0) {
      const written = writevSync(file.fd, rest, file.size);
      file.size += written;
      rest = behind(rest, written);
    }
  }
}
