/**
 * Node under the `sim` command: standard output, the clock, files, and worker processes. Workers
 * are processes rather than threads, so that a run which exhausts its memory takes no other with
 * it.
 */
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SCENARIOS } from "../../scenarios/index.ts";
import { type Host, type Job, lostJob, main, runJob, type Summary } from "../../sim/cli.ts";

import { writePicture } from "./picture.ts";

/** Told to a worker as its only argument. */
const WORKER = "--sim-worker";
/** Megabytes of heap of a worker: far above what a run needs. */
const HEAP_MB = 1024;

const HOST: Host = {
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY,
  columns: process.stdout.columns || 80,
  elapsedMs: () => performance.now(),
  drain: () => turnOfTheLoop(),
  runJobs,
  writePicture,
  writeFile(path, text) {
    try {
      writeFileSync(path, text);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};

/** Runs `rutile sim` with the arguments behind `sim`; sets the exit status of the process. */
export async function sim(argv: readonly string[]): Promise<void> {
  // Whoever reads the story may stop in the middle, as `head` does: the rest is for nobody.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  process.exitCode = await main(argv, SCENARIOS, HOST);
}

/** Gives the jobs to `count` workers, one at a time each. */
function runJobs(
  jobs: readonly Job[],
  count: number,
  onSummary: (summary: Summary) => void,
  onDone: () => void,
): void {
  let next = 0;
  let working = 0;
  const finish = (): void => {
    working -= 1;
    if (working === 0) onDone();
  };
  const startWorker = (): void => {
    const worker = fork(fileURLToPath(import.meta.url), [WORKER], {
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    working += 1;
    let job: Job | undefined;
    let said = "";
    const give = (): void => {
      job = jobs[next];
      next += 1;
      if (job === undefined) worker.disconnect();
      else worker.send(job);
    };
    worker.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    worker.on("message", (summary: Summary) => {
      onSummary(summary);
      give();
    });
    worker.on("exit", (code, signal) => {
      if (job !== undefined) {
        // It died in the middle of a job: that job has failed, another worker does the rest.
        onSummary(
          lostJob(job, `the worker ended with ${describeEnd(code, signal)}: ${said.trim()}`),
        );
        if (next < jobs.length) startWorker();
      }
      finish();
    });
    give();
  };
  for (let i = 0; i < Math.min(count, jobs.length); i++) startWorker();
}

const describeEnd = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `status ${code}` : `signal ${signal}`;

/** The other end: runs what it is given until nobody gives it anything. */
function work(): void {
  process.on("message", (job: Job) => {
    void runJob(job, SCENARIOS, HOST).then((summary) => process.send?.(summary));
  });
}

if (process.argv[2] === WORKER && process.send !== undefined) work();
