/** Who runs seeds side by side. */
import type { Job, Summary } from "./summary.ts";

export interface Workers {
  /** How many jobs may be under way at once; others wait. */
  readonly count: number;
  /** `done` is called once, also where the worker has died, which fails the job. */
  run(job: Job, done: (summary: Summary) => void): void;
  /** No more jobs come. */
  end(): void;
  /** Ends them at once: what is under way is never done, and nobody is told. */
  stop(): void;
}
