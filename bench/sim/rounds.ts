/**
 * The rounds of the simulator's benchmark, in a process with the flags of those that run batches of
 * seeds: sends one set of figures for each.
 */
import { setImmediate as drain } from "node:timers/promises";
import { calm } from "../../scenarios/calm.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import type { Due } from "../../sim/event-queue.ts";
import { emptyQueue, schedule, takeNext } from "../../sim/event-queue.ts";
import { below, randomOf } from "../../sim/random.ts";
import { runSeed } from "../../sim/run.ts";
import { freshHash, mix, mixNumber } from "../../sim/trace/hash.ts";

/** Events a second of processor time, and the most megabytes that the process has held so far. */
export interface Round {
  readonly bytes: number;
  readonly reference: number;
  readonly bare: number;
  readonly residentMb: number;
}

async function main(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const figures: Round = {
      bytes: await eventsPerSecond(() => simulate(round, false)),
      reference: await eventsPerSecond(() => simulate(round, true)),
      bare: await eventsPerSecond(bareLoop),
      residentMb: process.resourceUsage().maxRSS / 1024,
    };
    process.send?.(figures);
  }
}

async function simulate(seed: number, byReference: boolean): Promise<number> {
  const result = await runSeed(calm, String(seed), drain, { ...DEFAULT_OPTIONS, byReference });
  if (result.violation !== undefined) throw new Error(result.violation.text);
  return result.events;
}

/** As many events as a calm run has, a few hundred pending at a time. */
function bareLoop(): number {
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
  return events;
}

/** By processor time of this process, so that a busy machine does not count. */
async function eventsPerSecond(body: () => number | Promise<number>): Promise<number> {
  const before = process.cpuUsage();
  const events = await body();
  const { user, system } = process.cpuUsage(before);
  return (events * 1_000_000) / (user + system);
}

await main(Number(process.argv[2]));
