/**
 * What the command needs of the machine it runs on. The command itself is as pure as the rest of
 * the simulator; `runtime/cli/sim.ts` gives it Node.
 */
import type { CampaignHost } from "../campaign/files.ts";
import type { Drain } from "../model.ts";
import type { Workers } from "./workers.ts";

export type PictureWritten =
  { readonly ok: true; readonly bytes: number } | { readonly ok: false; readonly problem: string };

export type FileRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: string };

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
  /** Gives what is typed, line by line, to `answer`, until it says no or the input ends. */
  readLines(prompt: () => string, answer: (line: string) => Promise<boolean>): Promise<void>;
  /** Worker processes, at most so many at once. A worker that dies fails its job. */
  startWorkers(count: number): Workers;
  readFile(path: string): FileRead;
  /** What is wrong, where the file cannot be written. */
  writeFile(path: string, content: string | Uint8Array): string | undefined;
  /** Writes a page that shows a film (`film/codec.ts`); gives its size in bytes. */
  writePicture(path: string, title: string, film: Uint8Array): PictureWritten;
  /** Writes the playground's page as one file. */
  writeWeb(path: string): PictureWritten;
  /**
   * Serves the playground's page on a port of this machine, 0 for any, until the process is told to
   * stop. `onReady` is told the address. Resolves with what was wrong, if anything was.
   */
  serveWeb(port: number, onReady: (address: string) => void): Promise<string | undefined>;
  /** Directories of campaigns, and what else only they need. */
  readonly campaigns: CampaignHost;
}
