/** Directories that do not outlive the process, however it ends. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

/** A directory, and how to be rid of it sooner. */
export interface Scratch {
  readonly path: string;
  remove(): void;
}

/** Makes a new directory within `parent`, which is made too where there is none. */
export function scratchDirectory(parent: string, prefix: string): Scratch {
  const root = resolve(parent);
  mkdirSync(root, { recursive: true });
  const path = mkdtempSync(join(root, prefix));
  // Servers that were told to end at once may still write for some milliseconds.
  const remove = (): void =>
    rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  process.once("exit", remove);
  return {
    path,
    remove: () => {
      process.off("exit", remove);
      remove();
    },
  };
}
