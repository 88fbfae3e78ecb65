/**
 * The simulator: events a second of the calm and of the `swarm` scenario on one core, every checker
 * on, the share of the checks at the end, and the memory it takes; with `--seeds`, how long a batch
 * of short seeds takes on two cores. Its peer is the bare event loop: the same queue and trace hash
 * around events that do nothing, which is what is left of a run without engine and checkers.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WORKER_FLAGS } from "../runtime/cli/sim-workers.ts";
import { median, printTable } from "./measure.ts";
import { positive } from "./options.ts";
import type { Round } from "./sim/rounds.ts";
import { playSeeds } from "./sim/seeds.ts";

export const name = "sim";
export const summary =
  "simulated events a second in calm and in swarm, against the bare event loop";

/** What is aimed at: on one core, with every checker on. */
const CALM_EVENTS = 300_000;
const SWARM_EVENTS = 150_000;
const CHECKS_PERCENT = 20;
const RESIDENT_MB = 512;
/** Of a thousand short seeds on two cores: of sixty virtual seconds, with three to five stores. */
const BATCH_SECONDS = 300;
const SHORT_SECONDS = 60;
/** What clusters need to recover behind the safety phase, about. */
const RECOVERY_SECONDS = 5;

/** The first rounds measure the compiler: a batch of seeds has them once. */
const WARM_UP = 4;

export const options = {
  rounds: { type: "string", default: "7", argument: "N", help: "seeds that count" },
  seeds: { type: "string", argument: "N", help: "instead, a batch of so many seeds on two cores" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  if (values.seeds !== undefined) return batch(positive("seeds", values.seeds));
  const rounds = positive("rounds", values.rounds);
  const figures = (await play(WARM_UP + rounds)).slice(WARM_UP);
  const loop = median(figures.map(({ bare }) => bare));
  const middle = (of: (round: Round) => number): number => median(figures.map(of));
  const row = (title: string, rates: readonly number[]): string[] => [
    title,
    Math.round(median(rates)).toLocaleString("en"),
    (median(rates) / loop).toFixed(3),
  ];
  console.log(`\nevents a second of processor time; medians of ${rounds} seeds`);
  printTable(
    ["", "events/s", "of the bare loop"],
    [
      row(
        "calm, messages through the codec",
        figures.map(({ bytes }) => bytes),
      ),
      row(
        "calm, messages by reference",
        figures.map(({ reference }) => reference),
      ),
      row(
        "swarm, messages through the codec",
        figures.map(({ swarm }) => swarm),
      ),
      row(
        "the bare event loop",
        figures.map(({ bare }) => bare),
      ),
    ],
  );
  const residentMb = Math.max(...figures.map((figure) => figure.residentMb));
  console.log();
  const calmChecks = 100 * middle((round) => round.calmChecks);
  const swarmChecks = 100 * middle((round) => round.swarmChecks);
  printTable(TARGETS, [
    atLeast(
      "calm, events/s",
      middle(({ bytes }) => bytes),
      CALM_EVENTS,
    ),
    atLeast(
      "swarm, events/s",
      middle(({ swarm }) => swarm),
      SWARM_EVENTS,
    ),
    atMost("calm, checks at the end, % of the run", calmChecks, CHECKS_PERCENT),
    atMost("swarm, checks at the end, % of the run", swarmChecks, CHECKS_PERCENT),
    atMost("resident memory, MB", residentMb, RESIDENT_MB),
  ]);
}

const TARGETS: readonly string[] = ["", "measured", "target", ""];

const atLeast = (what: string, measured: number, target: number): string[] => [
  what,
  inWords(measured),
  `>= ${inWords(target)}`,
  measured >= target ? "met" : "not met",
];

const atMost = (what: string, measured: number, target: number): string[] => [
  what,
  inWords(measured),
  `<= ${inWords(target)}`,
  measured <= target ? "met" : "not met",
];

const inWords = (value: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });

/** A batch as it was, and what a thousand such seeds would take. */
async function batch(seeds: number): Promise<void> {
  const played = await playSeeds(seeds, (SHORT_SECONDS - RECOVERY_SECONDS) * 1000);
  const each = played.virtualSeconds / seeds;
  console.log(
    `\n${seeds} seeds of swarm, ${each.toFixed(1)} virtual seconds each, ${played.workers} workers: ` +
      `${inWords(played.wallSeconds)} s,\nof which the workers had ${inWords(played.cpuSeconds)} s ` +
      `of a processor; ${inWords(played.events)} events\n`,
  );
  // On a busy machine the workers wait for others, which says nothing about them.
  const share = 1000 / seeds / played.workers;
  const thousand = played.cpuSeconds * share;
  printTable(TARGETS, [
    atMost("1,000 such seeds, s", played.wallSeconds * (1000 / seeds), BATCH_SECONDS),
    atMost("1,000 such seeds, s a core by processor time", thousand, BATCH_SECONDS),
    atMost("resident memory of a worker, MB", played.residentMb, RESIDENT_MB),
  ]);
}

/** Plays the rounds as a batch plays seeds: one after another in a process of its own. */
async function play(rounds: number): Promise<readonly Round[]> {
  const file = fileURLToPath(new URL("sim/rounds.js", import.meta.url));
  const child = fork(file, [String(rounds)], { execArgv: [...WORKER_FLAGS] });
  const figures: Round[] = [];
  child.on("message", (round: Round) => figures.push(round));
  const code = await new Promise((done) => child.on("close", done));
  if (code !== 0 || figures.length < rounds)
    throw new Error("the rounds were not played to the end");
  return figures;
}
