/**
 * Worker processes that run seeds. They are processes rather than threads, so that a run which
 * exhausts its memory takes no other with it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Job, lostJob, type Summary, type Workers } from "../../sim/cli.ts";

/** Told to a worker as its only argument. */
export const WORKER = "--sim-worker";
/**
 * Of a worker: a heap far above what a run needs, and a young generation in which most of what a
 * seed makes can die. With V8's own choice a seed costs about a tenth more. Every core has a worker
 * of its own, so threads of the collector would only wait for each other; and most functions run
 * too seldom to be optimised, but too often to be interpreted: together another seventh.
 */
export const WORKER_FLAGS: readonly string[] = [
  "--max-old-space-size=1024",
  "--max-semi-space-size=64",
  "--single-threaded-gc",
  "--always-sparkplug",
];

interface Task {
  readonly job: Job;
  readonly done: (summary: Summary) => void;
}

/** Starts up to `count` workers, as many as there is work for; each does one job at a time. */
export function startWorkers(count: number): Workers {
  const waiting: Task[] = [];
  const idle: ChildProcess[] = [];
  const busy = new Map<ChildProcess, Task>();
  const alive = new Set<ChildProcess>();
  let ended = false;

  const give = (worker: ChildProcess): void => {
    const task = waiting.shift();
    if (task !== undefined) {
      busy.set(worker, task);
      worker.send(task.job);
    } else if (ended) {
      worker.disconnect();
    } else {
      idle.push(worker);
    }
  };

  const start = (): void => {
    const worker = fork(fileURLToPath(new URL("sim.js", import.meta.url)), [WORKER], {
      execArgv: [...WORKER_FLAGS],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    alive.add(worker);
    let said = "";
    worker.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    worker.on("message", (summary: Summary) => {
      const task = busy.get(worker);
      busy.delete(worker);
      task?.done(summary);
      give(worker);
    });
    worker.on("exit", (code, signal) => {
      alive.delete(worker);
      const task = busy.get(worker);
      busy.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
      // It died in the middle of a job: that job has failed, another worker does the rest.
      const end = `the worker ended with ${describeEnd(code, signal)}: ${said.trim()}`;
      task?.done(lostJob(task.job, end));
      if (waiting.length > 0) start();
    });
    give(worker);
  };

  return {
    count,
    run(job, done) {
      waiting.push({ job, done });
      const worker = idle.pop();
      if (worker !== undefined) give(worker);
      else if (busy.size < count) start();
    },
    end() {
      ended = true;
      for (const worker of idle.splice(0)) worker.disconnect();
    },
    stop() {
      ended = true;
      waiting.length = 0;
      busy.clear();
      for (const worker of alive) worker.kill("SIGKILL");
    },
  };
}

const describeEnd = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `status ${code}` : `signal ${signal}`;
