/** The runs by which determinism is proved: every scenario, shortened, on a few seeds. */
import { setImmediate as drain } from "node:timers/promises";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import { runSeed, type RunResult } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario.ts";

/** Short enough to run three times in the tests, long enough for splits, crashes and elections. */
export const SAFETY_MS = 3000;
const SEEDS: readonly string[] = ["1"];

export interface Smoke {
  readonly scenario: Scenario;
  readonly seed: string;
}

export const SMOKES: readonly Smoke[] = SCENARIOS.flatMap((scenario) =>
  SEEDS.map((seed) => ({ scenario: { ...scenario, safetyMs: SAFETY_MS }, seed })),
);

export const runSmoke = ({ scenario, seed }: Smoke): Promise<RunResult> =>
  runSeed(scenario, seed, drain, { ...DEFAULT_OPTIONS, recorded: true });
