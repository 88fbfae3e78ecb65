/**
 * The disk port. The engine changes a disk only by `write` effects and by the slices of its jobs,
 * and reads it synchronously through `DiskReader`. Effects of one lane are performed one after
 * another in the order they were given; the two lanes and the jobs run side by side, and touch
 * different files.
 *
 * A store's directory is flat: a file name is one or more of `a-z 0-9 . -`.
 *
 * What a crash leaves: any subset of the sectors written since a file's last completed `sync`,
 * each old, new or torn; any subset of the creations, renames and removals since the last
 * completed `sync_directory`.
 */
import type { Ticket } from "../base/ids.ts";

export type FileName = string;

export type DiskOperation =
  /** Makes an empty file, or empties an existing one. */
  | { readonly type: "create"; readonly file: FileName }
  /** Writes behind the end. Keeps `bytes`. */
  | { readonly type: "append"; readonly file: FileName; readonly bytes: Uint8Array }
  | { readonly type: "truncate"; readonly file: FileName; readonly size: number }
  /** Makes contents and size durable. */
  | { readonly type: "sync"; readonly file: FileName }
  /** Atomic; replaces `to`. */
  | { readonly type: "rename"; readonly file: FileName; readonly to: FileName }
  | { readonly type: "remove"; readonly file: FileName }
  /** Makes creations, renames and removals durable. */
  | { readonly type: "sync_directory" };

/**
 * Perform `operations` in order; then input `written` with the ticket, or `write_failed` at the
 * first failure (the rest is then not attempted).
 */
export interface WriteEffect {
  readonly type: "write";
  readonly lane: Lane;
  /** Of one counter for both lanes. */
  readonly ticket: Ticket;
  readonly operations: readonly DiskOperation[];
}

/**
 * `no_space` never comes from a sync: what a sync cannot write for want of room is lost like any
 * other, an `io_error`. After `io_error` from a `sync` nothing written to that file since the last
 * sync may be trusted (the page cache may have dropped it).
 */
export type DiskFailure = "no_space" | "io_error" | "missing";

/** The log must not wait behind tables. */
export type Lane = "log" | "table";

export type DiskInput =
  | { readonly type: "written"; readonly ticket: Ticket }
  | {
      readonly type: "write_failed";
      readonly ticket: Ticket;
      readonly reason: DiskFailure;
      readonly file: FileName;
    };

export type DiskRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: DiskFailure };

/** `length` bytes are there now. */
export type DiskFill =
  | { readonly ok: true; readonly length: number }
  | { readonly ok: false; readonly reason: DiskFailure };

/** Synchronous reads of one store's directory. */
export interface DiskReader {
  /** All files, in ascending order of name. */
  list(): readonly FileName[];
  /** Size in bytes, or undefined where there is no such file. */
  size(file: FileName): number | undefined;
  /**
   * Up to `length` bytes from `offset`; fewer only at the end of the file. The caller may keep
   * them.
   */
  read(file: FileName, offset: number, length: number): DiskRead;
  /** As `read`, into the first `length` bytes of `into`, which is of the caller and kept by it. */
  readInto(file: FileName, offset: number, length: number, into: Uint8Array): DiskFill;
  /** Bytes of room. Others may share it. */
  free(): number;
}
