/**
 * A batch of short seeds, played as `sim all` plays them: in worker processes with its flags, a
 * seed after another in each.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { WORKER_FLAGS } from "../../runtime/cli/sim-workers.ts";
import type { Played } from "./short-seeds.ts";

export interface Batch {
  readonly workers: number;
  readonly wallSeconds: number;
  /** Of all workers together. */
  readonly cpuSeconds: number;
  readonly virtualSeconds: number;
  readonly events: number;
  /** The most that a worker held. */
  readonly residentMb: number;
}

/** The cores that the target speaks of. */
const CORES = 2;

/**
 * Plays so many seeds of `swarm`, which has three to five stores, with a safety phase of
 * `safetyMs`. Throws where one fails.
 */
export async function playSeeds(count: number, safetyMs: number): Promise<Batch> {
  const workers = Math.min(CORES, availableParallelism());
  const begun = performance.now();
  const seeds = Array.from({ length: count }, (_, i) => String(i + 1)).values();
  const shares = await Promise.all(Array.from({ length: workers }, () => work(seeds, safetyMs)));
  const wallSeconds = (performance.now() - begun) / 1000;
  const played = shares.flat();
  for (const { seed, violation } of played) {
    if (violation !== undefined) throw new Error(`seed ${seed}: ${violation}`);
  }
  const total = (of: (one: Played) => number): number =>
    played.reduce((sum, one) => sum + of(one), 0);
  return {
    workers,
    wallSeconds,
    cpuSeconds: shares.reduce((sum, share) => sum + (share.at(-1)?.cpuSeconds ?? 0), 0),
    virtualSeconds: total(({ virtualSeconds }) => virtualSeconds),
    events: total(({ events }) => events),
    residentMb: Math.max(...played.map(({ residentMb }) => residentMb)),
  };
}

/** One worker, until no seed is left. */
async function work(seeds: Iterator<string>, safetyMs: number): Promise<readonly Played[]> {
  const file = fileURLToPath(new URL("short-seeds.js", import.meta.url));
  const worker = fork(file, [String(safetyMs)], { execArgv: [...WORKER_FLAGS] });
  const played: Played[] = [];
  const give = (): void => {
    const { done, value } = seeds.next();
    if (done === true) worker.disconnect();
    else worker.send(value);
  };
  worker.on("message", (one: Played) => {
    played.push(one);
    give();
  });
  give();
  if ((await ended(worker)) !== 0) throw new Error("a worker ended before its seeds");
  return played;
}

const ended = (worker: ChildProcess): Promise<number | null> =>
  new Promise((done) => worker.on("exit", done));
