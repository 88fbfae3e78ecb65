/**
 * The simulator: events a second of the calm scenario on one core, every checker on, and the memory
 * it takes. Its peer is the bare event loop: the same queue and trace hash around events that do
 * nothing, which is what is left of a run without engine and checkers.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WORKER_FLAGS } from "../runtime/cli/sim-workers.ts";
import type { Round } from "./sim/rounds.ts";
import { median, printTable } from "./measure.ts";

export const name = "sim";
export const summary =
  "simulated events a second in the calm scenario, against the bare event loop";

/** What is aimed at: on one core, with every checker on. */
const EVENTS_PER_SECOND = 150_000;
const RESIDENT_MB = 512;

/** The first rounds measure the compiler: a batch of seeds has them once. */
const WARM_UP = 4;

export const options = {
  rounds: { type: "string", default: "7", argument: "N", help: "seeds that count" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const rounds = Number(values.rounds);
  const figures = (await play(WARM_UP + rounds)).slice(WARM_UP);
  const loop = median(figures.map(({ bare }) => bare));
  const bytes = figures.map((figure) => figure.bytes);
  const row = (title: string, rates: readonly number[]): string[] => [
    title,
    Math.round(median(rates)).toLocaleString("en"),
    (median(rates) / loop).toFixed(3),
  ];
  console.log(`\nevents a second of processor time; medians of ${rounds} seeds`);
  printTable(
    ["", "events/s", "of the bare loop"],
    [
      row("calm, messages through the codec", bytes),
      row(
        "calm, messages by reference",
        figures.map(({ reference }) => reference),
      ),
      row(
        "the bare event loop",
        figures.map(({ bare }) => bare),
      ),
    ],
  );
  const residentMb = Math.max(...figures.map((figure) => figure.residentMb));
  console.log();
  printTable(
    ["", "measured", "target", "ratio"],
    [
      besideTarget("calm, events/s", median(bytes), EVENTS_PER_SECOND),
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
