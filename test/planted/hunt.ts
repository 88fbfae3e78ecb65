/**
 * Runs in the copy that has the bug: seed after seed, until one is caught or the budget is used up.
 * Arguments: the scenarios, separated by commas; the first seed; the number of seeds; the strategy;
 * the seconds of a processor that all may take. Prints one line of JSON.
 */
import { setImmediate as drain } from "node:timers/promises";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import { byName } from "../../sim/cli/schedules.ts";
import { searchedBy } from "../../sim/decisions/schedule.ts";
import { runSeed } from "../../sim/run.ts";
import { type Guide, guideOf, learn, type Plan, planFor, ROUND } from "../../sim/search/guide.ts";
import type { Novelty } from "../../sim/search/novelty.ts";
import { parseStrategy, RANDOM, strategyText } from "../../sim/search/strategy.ts";

/** What a hunt has found. */
export interface Catch {
  readonly caught: boolean;
  /** Runs that it took, or that were made in vain. */
  readonly seeds: number;
  readonly scenario?: string;
  readonly seed?: number;
  /** With which that seed is caught, as on the command line. */
  readonly strategy?: string;
  readonly check?: string;
  readonly text?: string;
  /** Processor time of the whole hunt. */
  readonly cpuSeconds?: number;
  /** To which it was cut down, where that was asked for. */
  readonly shrunk?: Shrunk;
}

/** The schedule that is left of a catch. */
export interface Shrunk {
  readonly decisions: number;
  readonly file: Uint8Array;
}

async function hunt(
  names: readonly string[],
  first: number,
  budget: number,
  strategy: string,
  cpuSeconds: number,
): Promise<Catch> {
  const begun = process.cpuUsage();
  const hunts = names.map((name) => ({ scenario: byName(SCENARIOS, name), pack: packOf(name) }));
  let i = 0;
  for (; i < budget && secondsSince(begun) < cpuSeconds; i++) {
    const hunted = hunts[i % hunts.length];
    if (hunted === undefined) throw new Error("no scenario to hunt in");
    const { scenario, pack } = hunted;
    const plan = nextPlan(pack, strategy, first + i);
    const schedule = searchedBy(plan.strategy);
    const options = { ...DEFAULT_OPTIONS, schedule, novelty: strategy === "guided" };
    const { violation, novelty } = await runSeed(scenario, plan.seed, drain, options);
    pack.round.push([plan, novelty]);
    if (violation === undefined) continue;
    const { check, text } = violation;
    return {
      caught: true,
      seeds: i + 1,
      scenario: scenario.name,
      seed: Number(plan.seed),
      strategy: strategyText(plan.strategy),
      check,
      text,
      cpuSeconds: secondsSince(begun),
    };
  }
  return { caught: false, seeds: i, cpuSeconds: secondsSince(begun) };
}

/** What the runs of one scenario have met. The round under way is not learned from yet. */
interface Pack {
  readonly guide: Guide;
  readonly round: (readonly [Plan, Novelty])[];
  place: number;
}

const packOf = (scenario: string): Pack => ({ guide: guideOf(scenario), round: [], place: 0 });

/** As in a batch, but one after another. */
function nextPlan(pack: Pack, strategy: string, seed: number): Plan {
  const place = pack.place++;
  if (strategy !== "guided") {
    pack.round.length = 0;
    return { seed: String(seed), strategy: parseStrategy(strategy) ?? RANDOM };
  }
  if (place % ROUND === 0) {
    for (const [plan, novelty] of pack.round.splice(0)) learn(pack.guide, plan, novelty);
  }
  return planFor(pack.guide, place, seed);
}

/** Of the processor, for all threads of this process. */
function secondsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1e6;
}

const [names = "", first = "1", budget = "1", strategy = "random", cpu = "Infinity"] =
  process.argv.slice(2);
const caught = await hunt(names.split(","), Number(first), Number(budget), strategy, Number(cpu));
console.log(JSON.stringify(caught));
