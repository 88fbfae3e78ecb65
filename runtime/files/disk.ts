/**
 * The disk port for real files: one store's directory. Each lane performs its effects one after
 * another in the order they were given; the lanes, and the slices of jobs, run side by side. Reads
 * are synchronous (a read from the page cache takes 1 to 5 microseconds, a hop to a thread and back
 * 20).
 */
import { closeSync, constants, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { assert } from "../../engine/base/assert.ts";
import type {
  DiskFill,
  DiskInput,
  DiskOperation,
  DiskRead,
  DiskReader,
  FileName,
  Lane,
  WriteEffect,
} from "../../engine/storage/disk.ts";
import { performOperations } from "./operations.ts";
import type { OperationsDone } from "./operations.ts";
import { FilePool } from "./pool.ts";
import { fillFrom, listFiles, readFrom, roomIn, sizeOf } from "./reader.ts";
import { lockDirectory } from "./lock.ts";
import type { Lock } from "./lock.ts";

export type OpenDisk =
  | { readonly ok: true; readonly disk: FileDisk }
  /** `detail` is a sentence for people. Nothing was touched. */
  | { readonly ok: false; readonly detail: string };

/** Called once for each effect, never before `perform` has returned. */
export type Done = (input: DiskInput) => void;

/** Files kept open: the tables that are read from, and the few that are written. */
const MAX_OPEN = 256;

interface Task {
  readonly effect: WriteEffect;
  readonly done: Done;
}

interface LaneQueue {
  readonly tasks: Task[];
  running: boolean;
}

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
  readonly directory: string;
  readonly #directoryFd: number;
  readonly #lock: Lock;
  readonly #pool: FilePool;
  readonly #lanes: Readonly<Record<Lane, LaneQueue>> = {
    log: { tasks: [], running: false },
    table: { tasks: [], running: false },
  };
  /** Lanes and slices that are being performed. */
  #active = 0;
  #closed: (() => void) | undefined;

  constructor(directory: string, directoryFd: number, lock: Lock) {
    this.directory = directory;
    this.#directoryFd = directoryFd;
    this.#lock = lock;
    this.#pool = new FilePool(directory, MAX_OPEN, "write");
  }

  /** Performs `effect` behind all that were given to its lane before. */
  perform(effect: WriteEffect, done: Done): void {
    assert(this.#closed === undefined, "a closed disk is not written to");
    const lane = this.#lanes[effect.lane];
    lane.tasks.push({ effect, done });
    if (lane.running) return;
    lane.running = true;
    this.#active += 1;
    queueMicrotask(() => this.#nextTask(lane));
  }

  /**
   * Performs a slice of a job at once, beside the lanes. `done` is never called before this has
   * returned.
   */
  performSlice(operations: readonly DiskOperation[], done: OperationsDone): void {
    assert(this.#closed === undefined, "a closed disk is not written to");
    this.#active += 1;
    queueMicrotask(() =>
      performOperations(this.#pool, this.#directoryFd, operations, (failure) => {
        this.#active -= 1;
        done(failure);
        this.#endIfIdle();
      }),
    );
  }

  /** Performs what was given, closes all files and gives the directory back. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closed = () => {
        this.#pool.closeAll();
        closeSync(this.#directoryFd);
        this.#lock.release();
        resolve();
      };
      this.#endIfIdle();
    });
  }

  list(): readonly FileName[] {
    return listFiles(this.directory);
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

  /** Bytes of the file system that this process may still fill. */
  free(): number {
    return roomIn(this.directory);
  }

  #nextTask(lane: LaneQueue): void {
    const task = lane.tasks.shift();
    if (task === undefined) {
      lane.running = false;
      this.#active -= 1;
      this.#endIfIdle();
      return;
    }
    const { ticket, operations } = task.effect;
    performOperations(this.#pool, this.#directoryFd, operations, (failure) => {
      task.done(
        failure === undefined
          ? { type: "written", ticket }
          : { type: "write_failed", ticket, reason: failure.reason, file: failure.file },
      );
      this.#nextTask(lane);
    });
  }

  #endIfIdle(): void {
    if (this.#active === 0) this.#closed?.();
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
