/**
 * The simulator: events of the calm scenario for each second of processor time, with every checker
 * on and every message through the codec. Seeds run one after another in one process, as a worker
 * of `npm run sim -- all` runs them; the median seed counts, and the most memory of all.
 */
import { parseArgs } from "node:util";
import { calm } from "../scenarios/calm.ts";
import { runSeed } from "../sim/run.ts";
import { collectGarbage, median, printTable } from "./measure.ts";

export const name = "sim";
export const summary = "simulated events a second of the calm scenario, every checker on";

/** What is aimed at, on one core. */
const EVENTS_PER_SECOND = 150_000;
const RESIDENT_MB = 512;

interface Sample {
  readonly seed: string;
  readonly events: number;
  readonly cpuSeconds: number;
  readonly checks: number;
  readonly trace: string;
}

export function run(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "5" },
      "warm-ups": { type: "string", default: "2" },
    },
  });
  const warmUps = Number(values["warm-ups"]);
  const seeds = Number(values.seeds);
  for (let i = 1; i <= warmUps; i++) simulate(`warm-up ${i}`);
  const samples = Array.from({ length: seeds }, (_, i) => simulate(String(i + 1)));
  report(samples);
}

/** One seed. Garbage collection counts, that of the seed before does not. */
function simulate(seed: string): Sample {
  collectGarbage();
  const cpu = process.cpuUsage();
  const { violation, events, checks, trace } = runSeed(calm, seed);
  const { user, system } = process.cpuUsage(cpu);
  if (violation !== undefined) throw new Error(`seed ${seed}: ${violation.text}`);
  const looks = [...checks.values()].reduce((sum, count) => sum + count, 0);
  return { seed, events, cpuSeconds: (user + system) / 1e6, checks: looks, trace };
}

function report(samples: readonly Sample[]): void {
  const rate = ({ events, cpuSeconds }: Sample): number => events / cpuSeconds;
  printTable(
    ["seed", "events", "checks", "CPU s", "events/CPU s", "trace"],
    samples.map((sample) => [
      sample.seed,
      String(sample.events),
      String(sample.checks),
      sample.cpuSeconds.toFixed(2),
      rate(sample).toFixed(0),
      sample.trace,
    ]),
  );
  const middle = median(samples.map(rate));
  const residentMb = process.resourceUsage().maxRSS / 1024;
  console.log();
  printTable(
    ["", "median", "target", "ratio"],
    [
      ratio("events a second of processor time", middle, EVENTS_PER_SECOND),
      ratio("resident memory at most, MB", residentMb, RESIDENT_MB),
    ],
  );
}

const ratio = (what: string, value: number, target: number): string[] => [
  what,
  value.toFixed(0),
  String(target),
  (value / target).toFixed(2),
];
