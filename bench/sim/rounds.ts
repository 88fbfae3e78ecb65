/**
 * The rounds of the simulator's benchmark, in a process with the flags of those that run batches of
 * seeds: sends one set of figures for each.
 */
import { setImmediate as drain } from "node:timers/promises";
import { calm } from "../../scenarios/calm.ts";
import { swarm } from "../../scenarios/swarm.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import type { Due } from "../../sim/event-queue.ts";
import { emptyQueue, schedule, takeNext } from "../../sim/event-queue.ts";
import { below, randomOf } from "../../sim/random.ts";
import { runSeed } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { freshHash, mix, mixNumber } from "../../sim/trace/hash.ts";

/** Events a second of processor time, and the most megabytes that the process has held so far. */
export interface Round {
  readonly bytes: number;
  readonly reference: number;
  readonly bare: number;
  readonly swarm: number;
  /** Shares of a run's processor time that the checks at its end took. */
  readonly calmChecks: number;
  readonly swarmChecks: number;
  readonly residentMb: number;
}

/** What a run took, in microseconds of processor time. */
interface Taken {
  readonly events: number;
  readonly cpuUs: number;
  readonly checksUs: number;
}

async function main(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const bytes = await simulate(calm, round, false);
    const reference = await simulate(calm, round, true);
    const bare = bareLoop();
    const wild = await simulate(swarm, round, false);
    const figures: Round = {
      bytes: eventsPerSecond(bytes),
      reference: eventsPerSecond(reference),
      bare: eventsPerSecond(bare),
      swarm: eventsPerSecond(wild),
      calmChecks: bytes.checksUs / bytes.cpuUs,
      swarmChecks: wild.checksUs / wild.cpuUs,
      residentMb: process.resourceUsage().maxRSS / 1024,
    };
    process.send?.(figures);
  }
}

async function simulate(scenario: Scenario, seed: number, byReference: boolean): Promise<Taken> {
  const begun = process.cpuUsage();
  let ran = begun;
  const onChecks = (): void => void (ran = process.cpuUsage());
  const options = { ...DEFAULT_OPTIONS, byReference, onChecks };
  const { violation, events } = await runSeed(scenario, String(seed), drain, options);
  const ended = process.cpuUsage();
  if (violation !== undefined) throw new Error(violation.text);
  return { events, cpuUs: between(begun, ended), checksUs: between(ran, ended) };
}

/** As many events as a calm run has, a few hundred pending at a time. */
function bareLoop(): Taken {
  const begun = process.cpuUsage();
  const queue = emptyQueue<number>();
  const due: Due<number> = { time: 0, sequence: 0, event: 0 };
  const random = randomOf("bare");
  const hash = freshHash();
  const events = 200_000;
  for (let i = 0; i < 300; i += 1) schedule(queue, below(random, 1000), i);
  for (let i = 0; i < events; i += 1) {
    takeNext(queue, due);
    mixNumber(hash, due.time);
    mix(hash, due.event);
    schedule(queue, due.time + 1 + below(random, 1000), due.event);
  }
  return { events, cpuUs: between(begun, process.cpuUsage()), checksUs: 0 };
}

/** By processor time of this process, so that a busy machine does not count. */
const eventsPerSecond = ({ events, cpuUs }: Taken): number => (events * 1_000_000) / cpuUs;

const between = (begun: NodeJS.CpuUsage, ended: NodeJS.CpuUsage): number =>
  ended.user + ended.system - begun.user - begun.system;

await main(Number(process.argv[2]));
