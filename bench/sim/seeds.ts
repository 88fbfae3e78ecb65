/**
 * A batch of short seeds as `sim all` plays one: in worker processes, a seed after another in each.
 */
import { availableParallelism } from "node:os";
import { startWorkers } from "../../runtime/cli/sim-workers.ts";
import { swarm } from "../../scenarios/swarm.ts";
import type { Summary } from "../../sim/cli.ts";
import { childrenOf, cpuSeconds } from "../cluster/cpu.ts";
import { peakMemory } from "../storage/resources.ts";

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

/** Plays so many seeds of `swarm`, which has three to five stores. Throws where one fails. */
export async function playSeeds(count: number): Promise<Batch> {
  const workers = startWorkers(Math.min(CORES, availableParallelism()));
  const begun = performance.now();
  const seeds = Array.from({ length: count }, (_, i) => String(i + 1));
  const play = (seed: string): Promise<Summary> =>
    new Promise((done) => workers.run({ scenario: swarm.name, seed, byReference: false }, done));
  const summaries = await Promise.all(seeds.map(play));
  const wallSeconds = (performance.now() - begun) / 1000;
  const alive = childrenOf(process.pid);
  const cpu = alive.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const residentMb = Math.max(...alive.map((pid) => peakMemory(pid) / (1024 * 1024)));
  workers.end();
  for (const { passed, seed, check, text } of summaries) {
    if (!passed) throw new Error(`${swarm.name} seed ${seed}: ${check}: ${text}`);
  }
  const total = (of: (summary: Summary) => number): number =>
    summaries.reduce((sum, summary) => sum + of(summary), 0);
  return {
    workers: workers.count,
    wallSeconds,
    cpuSeconds: cpu,
    virtualSeconds: total(({ virtualSeconds }) => virtualSeconds),
    events: total(({ events }) => events),
    residentMb,
  };
}
