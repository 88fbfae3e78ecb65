/**
 * Whose turn it is. Half of the time is divided evenly between the scenarios; the other half by
 * what the next second of each promises.
 *
 * What it promises is Good and Turing's estimate: the probability that the next run meets something
 * that none has met before is about the number of things met in exactly one run, divided by the
 * runs. Things are marks and failures' signatures. A failure that every other run shows again
 * promises nothing, and a scenario whose runs are slow promises less a second.
 *
 * Time is measured by the runs themselves, and dealt out by stride scheduling: whoever has had the
 * least for its weight is next.
 */
import type { Ledger } from "./ledger.ts";
import { type Plan, seedAt } from "./plan.ts";

export interface Turn {
  readonly scenario: string;
  readonly seed: number;
}

/** What a first run is taken to last. */
const FIRST_SECONDS = 1;

interface Line {
  /** Seconds it has had, each divided by the weight at that time. */
  pass: number;
  underWay: number;
  /** Where to look for the next seed. */
  place: number;
}

/** Mutable. */
export class Turns {
  readonly #plan: Plan;
  readonly #lines: ReadonlyMap<string, Line>;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#lines = new Map(plan.scenarios.map((name) => [name, { pass: 0, underWay: 0, place: 0 }]));
  }

  /** The next run that has not been done and is not under way; undefined where there is none. */
  next(ledger: Ledger): Turn | undefined {
    const weights = weightsOf(ledger);
    let best: { readonly scenario: string; readonly line: Line; readonly due: number } | undefined;
    for (const [scenario, line] of this.#lines) {
      if (this.#seedOf(scenario, line, ledger) === undefined) continue;
      const ahead = (line.underWay * meanSeconds(scenario, ledger)) / weightIn(weights, scenario);
      const due = line.pass + ahead;
      if (best === undefined || due < best.due) best = { scenario, line, due };
    }
    if (best === undefined) return undefined;
    const { scenario, line } = best;
    const seed = this.#seedOf(scenario, line, ledger);
    if (seed === undefined) return undefined;
    line.place += 1;
    line.underWay += 1;
    return { scenario, seed };
  }

  /** A run that was given out has ended; `charge` has been told of it. */
  ended({ scenario }: Pick<Turn, "scenario">): void {
    const line = this.#lines.get(scenario);
    if (line !== undefined) line.underWay -= 1;
  }

  /** Takes the time of a run, counted already, from its scenario's. */
  charge(scenario: string, seconds: number, ledger: Ledger): void {
    const line = this.#lines.get(scenario);
    if (line !== undefined) line.pass += seconds / weightIn(weightsOf(ledger), scenario);
  }

  #seedOf(scenario: string, line: Line, ledger: Ledger): number | undefined {
    const done = ledger.scenarios.get(scenario)?.done;
    for (; ; line.place++) {
      const seed = seedAt(this.#plan, line.place);
      if (seed === undefined || done?.has(seed) !== true) return seed;
    }
  }
}

/** By scenario; they sum up to about two, or to one where nothing promises anything. */
export function weightsOf(ledger: Ledger): ReadonlyMap<string, number> {
  const promises = [...ledger.scenarios].map(([name, { metOnce, wallSeconds }]) => {
    const promise = wallSeconds > 0 ? metOnce / wallSeconds : 0;
    return { name, promise };
  });
  let sum = 0;
  for (const { promise } of promises) sum += promise;
  const even = 1 / promises.length;
  return new Map(promises.map(({ name, promise }) => [name, even + (sum > 0 ? promise / sum : 0)]));
}

const weightIn = (weights: ReadonlyMap<string, number>, scenario: string): number =>
  weights.get(scenario) ?? 1;

function meanSeconds(scenario: string, ledger: Ledger): number {
  const { runs = 0, wallSeconds = 0 } = ledger.scenarios.get(scenario) ?? {};
  return runs === 0 ? FIRST_SECONDS : wallSeconds / runs;
}
