/**
 * The simulator: events a second of the calm scenario on one core, every checker on, and the memory
 * it takes. Its peer is the bare event loop: the same queue and trace hash around events that do
 * nothing, which is what is left of a run without engine and checkers.
 */
import { setImmediate as drain } from "node:timers/promises";
import { parseArgs } from "node:util";
import { calm } from "../scenarios/calm.ts";
import { DEFAULT_OPTIONS } from "../sim/build.ts";
import type { Due } from "../sim/event-queue.ts";
import { emptyQueue, schedule, takeNext } from "../sim/event-queue.ts";
import { below, randomOf } from "../sim/random.ts";
import { runSeed } from "../sim/run.ts";
import { freshHash, mix, mixNumber } from "../sim/trace/hash.ts";
import { median, printTable } from "./measure.ts";

export const name = "sim";
export const summary =
  "simulated events a second in the calm scenario, against the bare event loop";

/** What is aimed at: on one core, with every checker on. */
const EVENTS_PER_SECOND = 150_000;
const RESIDENT_MB = 512;

export const options = {
  rounds: { type: "string", default: "7", argument: "N", help: "seeds that count" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const rounds = Number(values.rounds);
  const figures = { bytes: [] as number[], reference: [] as number[], bare: [] as number[] };
  // The first round of each is a warm-up: short runs would measure the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const bytes = await eventsPerSecond(() => simulate(round, false));
    const reference = await eventsPerSecond(() => simulate(round, true));
    const bare = await eventsPerSecond(bareLoop);
    if (round === 0) continue;
    figures.bytes.push(bytes);
    figures.reference.push(reference);
    figures.bare.push(bare);
  }
  const loop = median(figures.bare);
  const row = (title: string, rates: readonly number[]): string[] => [
    title,
    Math.round(median(rates)).toLocaleString("en"),
    (median(rates) / loop).toFixed(3),
  ];
  console.log(`\nevents a second of processor time; medians of ${rounds} seeds`);
  printTable(
    ["", "events/s", "of the bare loop"],
    [
      row("calm, messages through the codec", figures.bytes),
      row("calm, messages by reference", figures.reference),
      row("the bare event loop", figures.bare),
    ],
  );
  // In kilobytes: the most that the process has held at any time.
  const residentMb = process.resourceUsage().maxRSS / 1024;
  console.log();
  printTable(
    ["", "measured", "target", "ratio"],
    [
      besideTarget("calm, events/s", median(figures.bytes), EVENTS_PER_SECOND),
      besideTarget("resident memory at most, MB", residentMb, RESIDENT_MB),
    ],
  );
}

const besideTarget = (what: string, measured: number, target: number): string[] => [
  what,
  Math.round(measured).toLocaleString("en"),
  target.toLocaleString("en"),
  (measured / target).toFixed(2),
];

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
