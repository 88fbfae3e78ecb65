/**
 * What a campaign has done, counted: the lines of its journal, or of several, added up. Runs
 * themselves are forgotten, but for their names, their traces and the shortest failures.
 */
import { repeatsOne } from "../cli/determinism.ts";
import { addFailure, type FailureGroup, NOT_DETERMINISTIC } from "./failures.ts";
import type { Again, Line, Run } from "./journal.ts";

export interface ScenarioTotals {
  runs: number;
  failed: number;
  excused: number;
  events: number;
  operations: number;
  virtualSeconds: number;
  wallSeconds: number;
  /** By seed, the trace of its run. */
  readonly done: Map<number, string>;
  /** By what a run can meet (a mark, a failure's signature), in how many runs it was met. */
  readonly met: Map<string, number>;
  /** How many of those were met in one run only (`turns.ts`). */
  metOnce: number;
}

/** Mutable. */
export class Ledger {
  readonly scenarios: ReadonlyMap<string, ScenarioTotals>;
  readonly failures: Map<string, FailureGroup> = new Map();
  /** What all runs have met. */
  readonly sum: Map<string, number> = new Map();
  /** Runs to be repeated yet, by their names. */
  readonly toRepeat: Map<string, Run> = new Map();
  repeated = 0;
  differing = 0;
  /** When the last line was written: the time that the campaign has had. */
  spentSeconds = 0;
  readonly #onCharge: (run: Run) => void;
  readonly #again: Set<string> = new Set();
  readonly #names: string[] = [];
  readonly #numbers: Map<string, number> = new Map();

  /** `onRun` is told of each run behind its counting. */
  constructor(scenarios: readonly string[], onRun: (run: Run) => void = () => undefined) {
    this.scenarios = new Map(scenarios.map((name) => [name, emptyTotals()]));
    this.#onCharge = onRun;
  }

  /** The number of a name, and whether it is new: then its line must be written first. */
  numberOf(name: string): { readonly number: number; readonly isNew: boolean } {
    const number = this.#numbers.get(name);
    return number === undefined
      ? { number: this.#names.length, isNew: true }
      : { number, isNew: false };
  }

  /**
   * Names of another journal begin from 0 again. Its time is its own; of several, which went side
   * by side, the longest counts.
   */
  beginJournal(): void {
    this.#names.length = 0;
    this.#numbers.clear();
  }

  /** Counts a line; says what is wrong with it where it cannot follow those before it. */
  add(line: Line): string | undefined {
    switch (line.type) {
      case "name":
        this.#numbers.set(line.name, this.#names.length);
        this.#names.push(line.name);
        return undefined;
      case "run":
        return this.#addRun(line);
      case "again":
        return this.#addAgain(line);
      default:
        return "a second beginning";
    }
  }

  #addRun(run: Run): string | undefined {
    const totals = this.scenarios.get(run.scenario);
    if (totals === undefined) return `scenario "${run.scenario}" is not of this campaign`;
    const { counts } = run;
    for (let i = 0; i < counts.length; i += 2) {
      if (counts[i + 1] === undefined || this.#names[counts[i] as number] === undefined) {
        return `it counts name ${counts[i]}, which there is not`;
      }
    }
    this.spentSeconds = Math.max(this.spentSeconds, run.at);
    const known = totals.done.get(run.seed);
    if (known !== undefined) {
      // Another campaign has had the same seed: it counts once, and must have been the same.
      if (known !== run.trace && known !== "" && run.trace !== "") {
        this.#differ(run, `traces ${known} and ${run.trace} in two campaigns`);
      }
      return undefined;
    }
    totals.done.set(run.seed, run.trace);
    totals.runs += 1;
    totals.excused += run.excused ? 1 : 0;
    totals.events += run.events;
    totals.operations += run.operations;
    totals.virtualSeconds += run.virtualSeconds;
    totals.wallSeconds += run.wallSeconds;
    for (let i = 0; i < counts.length; i += 2) {
      const name = this.#names[counts[i] as number] as string;
      this.sum.set(name, (this.sum.get(name) ?? 0) + (counts[i + 1] as number));
      if (name.startsWith("mark/")) meet(totals, name);
    }
    if (run.failure !== undefined) {
      totals.failed += 1;
      meet(totals, addFailure(this.failures, run, run.failure).signature);
    }
    if (repeatsOne(run.scenario, String(run.seed)) && run.trace !== "") {
      this.toRepeat.set(nameOf(run), run);
    }
    this.#onCharge(run);
    return undefined;
  }

  #addAgain(again: Again): string | undefined {
    const { scenario, seed, at, difference } = again;
    const totals = this.scenarios.get(scenario);
    if (totals?.done.has(seed) !== true) return `${scenario}, seed ${seed}, was not run before`;
    this.spentSeconds = Math.max(this.spentSeconds, at);
    const name = nameOf(again);
    if (this.#again.has(name)) return undefined;
    this.#again.add(name);
    this.toRepeat.delete(name);
    this.repeated += 1;
    if (difference !== "") this.#differ(again, difference);
    return undefined;
  }

  #differ({ scenario, seed }: Pick<Run, "scenario" | "seed">, text: string): void {
    this.differing += 1;
    const nothing = { events: 0, virtualSeconds: 0, operations: 0, wallSeconds: 0, counts: [] };
    const run: Run = { type: "run", scenario, seed, trace: "", at: 0, excused: false, ...nothing };
    addFailure(this.failures, run, { check: NOT_DETERMINISTIC, text });
  }

  get runs(): number {
    return this.total(({ runs }) => runs);
  }

  /** Runs with a violation, and runs that went otherwise when they were repeated. */
  get failed(): number {
    return this.total(({ failed }) => failed) + this.differing;
  }

  total(part: (totals: ScenarioTotals) => number): number {
    let sum = 0;
    for (const totals of this.scenarios.values()) sum += part(totals);
    return sum;
  }
}

export const nameOf = ({ scenario, seed }: Pick<Run, "scenario" | "seed">): string =>
  `${scenario}/${seed}`;

function meet(totals: ScenarioTotals, what: string): void {
  const times = (totals.met.get(what) ?? 0) + 1;
  totals.met.set(what, times);
  if (times === 1) totals.metOnce += 1;
  if (times === 2) totals.metOnce -= 1;
}

const emptyTotals = (): ScenarioTotals => ({
  runs: 0,
  failed: 0,
  excused: 0,
  events: 0,
  operations: 0,
  virtualSeconds: 0,
  wallSeconds: 0,
  done: new Map(),
  met: new Map(),
  metOnce: 0,
});
