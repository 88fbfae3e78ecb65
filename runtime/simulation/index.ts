/**
 * `rutile/sim`: a user's own code against a simulated cluster. See docs/testing.md.
 */
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import {
  DEFAULTS,
  problemOf,
  type SimulationOptions as Options,
} from "../../sim/simulation/options.ts";
import {
  runSimulation,
  type Simulation,
  type SimulationRun,
  storyOf,
} from "../../sim/simulation/simulation.ts";
import { guard } from "./guard.ts";

export { arbitraryScenario, type ScenarioConstraints } from "./arbitrary.ts";
export { NondeterminismError } from "./guard.ts";
export { ClientError } from "../../engine/client/errors.ts";
export { FAULT_NAMES, type FaultName } from "../../sim/simulation/faults.ts";
export type { SimulatedProcess } from "../../sim/simulation/process.ts";
export type { Simulation } from "../../sim/simulation/simulation.ts";

export interface SimulationOptions extends Options {
  /**
   * Run before faults begin, by the first process: fills the cluster with what is there at first.
   */
  readonly setup?: (simulation: Simulation) => Promise<void>;
}

/** What a simulation has come to. */
export interface SimulationResult<T> {
  /** What the code returned. */
  readonly value: T;
  /** Of everything that happened: two runs with the same hash did the same. */
  readonly trace: string;
  readonly events: number;
  /** How long it took, by the clock of the simulation. */
  readonly virtualMs: number;
  /** A line for each fault, change of leader and note. */
  readonly story: readonly string[];
}

/**
 * A simulation that failed: the code under test threw, never ended, or the cluster broke a promise.
 */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
  /** What does it again. */
  readonly options: SimulationOptions;
  readonly story: string;

  constructor(problem: string, options: SimulationOptions, story: string, cause?: unknown) {
    const { setup: _, ...again } = options;
    super(`${problem}\n\n${story}\n\nThe same again: ${JSON.stringify(again)}`, { cause });
    this.options = options;
    this.story = story;
  }
}

/** Lines of the story that an error tells. */
const TOLD = 40;

/**
 * Runs `body` as a program on a simulated cluster, in virtual time, while what `options.faults`
 * names goes wrong. When it has returned, faults end, the cluster must recover, and all its own
 * promises are checked.
 *
 * Rejects with `SimulationError` where `body` throws (its error is the `cause`), does not end in
 * `limitMs`, asks the real clock, timers or chance (`NondeterminismError`), or where the cluster
 * itself breaks a promise; with `TypeError` where an option is wrong.
 */
export async function simulate<T>(
  body: (simulation: Simulation) => Promise<T>,
  options: SimulationOptions = {},
): Promise<SimulationResult<T>> {
  const { setup, ...given } = options;
  const whole = { ...DEFAULTS, ...given };
  const problem = problemOf(whole);
  if (problem !== undefined) throw new TypeError(problem);
  const watch = guard();
  let run: SimulationRun<T>;
  try {
    run = await runSimulation(setup, body, whole, turnOfTheLoop);
  } finally {
    watch.end();
  }
  const fail = (what: string, cause?: unknown): never => {
    throw new SimulationError(what, options, storyOf(run.lines, TOLD), cause);
  };
  const caught = watch.caught();
  if (caught !== undefined) fail(caught.message, caught);
  switch (run.end.type) {
    case "threw": {
      const { error } = run.end;
      return fail(error instanceof Error ? error.message : String(error), error);
    }
    case "violated": {
      const { check, text } = run.end.violation;
      return fail(`the cluster itself is wrong: ${check} is violated: ${text}`);
    }
    case "late":
      return fail(`the code has not come to its end in ${whole.limitMs} virtual milliseconds`);
    default: {
      const { trace, events, virtualMs, lines } = run;
      const story = storyOf(lines, lines.length).split("\n");
      return { value: run.end.value, trace, events, virtualMs, story };
    }
  }
}
