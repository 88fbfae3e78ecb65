/**
 * Runs in the copy that has the bug: seed after seed, until one is caught or the budget is used up.
 * Arguments: the scenarios, separated by commas; the first seed; the number of seeds. Prints one
 * line of JSON.
 */
import { setImmediate as drain } from "node:timers/promises";
import { SCENARIOS } from "../../scenarios/index.ts";
import { runSeed } from "../../sim/run.ts";

/** What a hunt has found. */
export interface Catch {
  readonly caught: boolean;
  /** Runs that it took, or that were made in vain. */
  readonly seeds: number;
  readonly scenario?: string;
  readonly seed?: number;
  readonly check?: string;
  readonly text?: string;
  /** To which it was cut down, where that was asked for. */
  readonly shrunk?: Shrunk;
}

/** The schedule that is left of a catch. */
export interface Shrunk {
  readonly decisions: number;
  readonly file: Uint8Array;
}

async function hunt(names: readonly string[], first: number, budget: number): Promise<Catch> {
  const scenarios = names.map((name) => {
    const scenario = SCENARIOS.find((other) => other.name === name);
    if (scenario === undefined) throw new Error(`unknown scenario "${name}"`);
    return scenario;
  });
  for (let i = 0; i < budget; i++) {
    const scenario = scenarios[i % scenarios.length];
    if (scenario === undefined) throw new Error("no scenario to hunt in");
    const seed = first + i;
    const { violation } = await runSeed(scenario, String(seed), drain);
    if (violation === undefined) continue;
    const { check, text } = violation;
    return { caught: true, seeds: i + 1, scenario: scenario.name, seed, check, text };
  }
  return { caught: false, seeds: budget };
}

const [names, first, budget] = process.argv.slice(2);
console.log(
  JSON.stringify(await hunt((names ?? "").split(","), Number(first ?? "1"), Number(budget ?? "1"))),
);
