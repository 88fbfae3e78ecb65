/**
 * Runs the jobs of one store. A flush reads a persistent tree, which cannot leave this thread, so
 * its slices run here, one a turn of the event loop at most; compaction and extraction read and
 * write tables only, and go to a worker thread, which is started with the first of them.
 *
 * A job that cannot be finished (the disk refuses, the worker dies) has failed and leaves files
 * that nothing names. Closing cuts off what is under way, without an outcome.
 */
import { Worker } from "node:worker_threads";
import { assert } from "../../engine/base/assert.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import type { Job } from "../../engine/storage/lsm/types.ts";
import type { FileDisk } from "../files/disk.ts";
import { endedWith, failed, refused } from "./code.ts";
import type { JobCode, JobOrder, JobEnded, JobSlices } from "./code.ts";
import { Pace, bytesOf } from "./pace.ts";
import { describeError } from "../node/node.ts";

export interface JobRunnerOptions {
  readonly disk: FileDisk;
  /** Runs on this thread, for flushes. */
  readonly code: JobCode;
  /** The module that serves jobs on a worker's thread with the same code. */
  readonly worker: URL;
  /** Called once for each job, never before `run` has returned. */
  readonly ended: (outcome: JobEnded) => void;
  /** The code of a flush is wrong: an assertion failed. */
  readonly failed: (error: unknown) => void;
}

/** Counts for the metrics, since the start, by type of job. */
export type JobCounts = { readonly [T in Job["type"]]: JobCount };

export interface JobCount {
  done: number;
  failed: number;
  /** Under way. */
  running: number;
  readBytes: number;
  writtenBytes: number;
  /** From order to outcome. */
  milliseconds: number;
}

interface Running {
  readonly job: Job;
  readonly begun: number;
}

/** Megabytes of heap of the worker: far above what merging a few tables needs. */
const WORKER_HEAP_MB = 512;
/**
 * Megabytes of it for what is young: hardly anything that a merge makes lives longer than a slice,
 * so that a small one costs no time, and what it leaves to the collector is memory of the process.
 */
const WORKER_YOUNG_MB = 12;

export class JobRunner {
  readonly counts: JobCounts = { flush: zero(), compaction: zero(), extract: zero() };
  /** The longest a slice of a flush has held up the event loop, in milliseconds. */
  longestSliceMs = 0;
  readonly #options: JobRunnerOptions;
  readonly #running = new Map<Ticket, Running>();
  #worker: Worker | undefined;
  #closed = false;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  run(ticket: Ticket, job: Job): void {
    assert(!this.#closed, "a closed runner begins nothing");
    assert(!this.#running.has(ticket), "a job is begun once");
    this.#running.set(ticket, { job, begun: performance.now() });
    this.counts[job.type].running += 1;
    if (job.type === "flush") {
      const pace = new Pace(job.bytesPerSecond, performance.now());
      const slices = this.#options.code(job, this.#options.disk);
      setImmediate(() => this.#nextSlice(ticket, slices, pace));
    } else {
      this.#worker ??= this.#startWorker();
      this.#worker.postMessage({ ticket, job } satisfies JobOrder);
    }
  }

  /** Cuts off every job. The disk may be closed once this has happened. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#running.clear();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #nextSlice(ticket: Ticket, slices: JobSlices, pace: Pace): void {
    if (this.#closed) return;
    const begun = performance.now();
    let next: ReturnType<JobSlices["next"]>;
    try {
      next = slices.next();
    } catch (error) {
      this.#options.failed(error);
      return;
    }
    this.longestSliceMs = Math.max(this.longestSliceMs, performance.now() - begun);
    if (next.done === true) return this.#end(endedWith(ticket, next.value));
    const operations = next.value;
    return this.#options.disk.performSlice(operations, (failure) => {
      if (failure !== undefined) return this.#end(refused(ticket, failure));
      const delayMs = pace.delay(bytesOf(operations), performance.now());
      const again = (): void => this.#nextSlice(ticket, slices, pace);
      if (delayMs > 0) setTimeout(again, delayMs);
      else setImmediate(again);
      return undefined;
    });
  }

  #end(outcome: JobEnded): void {
    const running = this.#running.get(outcome.ticket);
    if (this.#closed || running === undefined) return;
    this.#running.delete(outcome.ticket);
    const count = this.counts[running.job.type];
    count.running -= 1;
    count.milliseconds += performance.now() - running.begun;
    if (outcome.type === "job_done") {
      count.done += 1;
      count.readBytes += outcome.result.readBytes;
      count.writtenBytes += outcome.result.writtenBytes;
    } else {
      count.failed += 1;
    }
    this.#options.ended(outcome);
  }

  #startWorker(): Worker {
    const worker = new Worker(this.#options.worker, {
      name: "rutile-jobs",
      workerData: this.#options.disk.directory,
      resourceLimits: {
        maxOldGenerationSizeMb: WORKER_HEAP_MB,
        maxYoungGenerationSizeMb: WORKER_YOUNG_MB,
      },
    });
    let reason = "the worker ended";
    worker.on("message", (outcome: JobEnded) => this.#end(outcome));
    worker.on("error", (error) => {
      reason = `the worker died: ${describeError(error)}`;
    });
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      // The next job gets another one.
      this.#worker = undefined;
      for (const [ticket, { job }] of this.#running) {
        if (job.type !== "flush") this.#end(failed(ticket, "io_error", ".", reason));
      }
    });
    return worker;
  }
}

const zero = (): JobCount => ({
  done: 0,
  failed: 0,
  running: 0,
  readBytes: 0,
  writtenBytes: 0,
  milliseconds: 0,
});
