/**
 * A worker of the benchmark's batch: plays the seeds it is told of, one after another, of `swarm`
 * with a safety phase of so many milliseconds (its argument), and answers each.
 */
import { setImmediate as drain } from "node:timers/promises";
import { swarm } from "../../scenarios/swarm.ts";
import { runSeed } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario.ts";

/** What became of a seed. */
export interface Played {
  readonly seed: string;
  readonly events: number;
  readonly virtualSeconds: number;
  /** Of this process until now, in seconds of a processor. */
  readonly cpuSeconds: number;
  /** The most that this process has held, in megabytes. */
  readonly residentMb: number;
  /** Why the seed failed, in words. */
  readonly violation: string | undefined;
}

const scenario: Scenario = { ...swarm, safetyMs: Number(process.argv[2]) };

async function play(seed: string): Promise<Played> {
  const { events, virtualUs, violation } = await runSeed(scenario, seed, drain);
  const { user, system } = process.cpuUsage();
  return {
    seed,
    events,
    virtualSeconds: virtualUs / 1_000_000,
    cpuSeconds: (user + system) / 1_000_000,
    residentMb: process.resourceUsage().maxRSS / 1024,
    violation: violation?.text,
  };
}

process.on("message", (seed: string) => {
  void play(seed).then((played) => process.send?.(played));
});
