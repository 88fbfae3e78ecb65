/**
 * What the command needs of the machine it runs on. The command itself is as pure as the rest of
 * the simulator; `runtime/cli/sim.ts` gives it Node.
 */
import type { Drain } from "../model.ts";
import type { Job, Summary } from "./summary.ts";

export type PictureWritten =
  { readonly ok: true; readonly bytes: number } | { readonly ok: false; readonly problem: string };

export interface Host {
  write(text: string): void;
  writeError(text: string): void;
  /** Whether what is written is seen as it comes, and may be written over. */
  readonly isTerminal: boolean;
  /** Characters in a line of the terminal. */
  readonly columns: number;
  /** Milliseconds of a clock that goes forward: for `wall=` only. */
  elapsedMs(): number;
  /** A turn of the host's own loop, behind everything that waits for settled promises. */
  readonly drain: Drain;
  /**
   * Runs `jobs` on `count` worker processes. `onSummary` is called once for each job, in any order;
   * `onDone` at the end. A worker that dies fails its job.
   */
  runJobs(
    jobs: readonly Job[],
    count: number,
    onSummary: (summary: Summary) => void,
    onDone: () => void,
  ): void;
  /** What is wrong, where the file cannot be written. */
  writeFile(path: string, text: string): string | undefined;
  /** Writes a page that shows a film (`film/codec.ts`); gives its size in bytes. */
  writePicture(path: string, title: string, film: Uint8Array): PictureWritten;
}
