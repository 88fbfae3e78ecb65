/** Runs candidates on several workers, and says which is the first that still fails. */
import type { Workers } from "../cli/workers.ts";
import type { Schedule } from "../decisions/schedule.ts";
import { signatureOf } from "./signature.ts";

/** What is being shrunk. */
export interface Subject {
  readonly scenario: string;
  readonly seed: string;
  readonly signature: string;
  /** Runs that may still be made. */
  readonly budget: number;
}

/** Mutable: counts runs, and knows what it has tried. */
export class Trials {
  readonly #workers: Workers;
  readonly #subject: Subject;
  readonly #onRun: (runs: number) => void;
  readonly #known = new Map<string, boolean>();
  /** Where the run of a candidate is broken off: it does not fail in that way any more. */
  untilUs: number | undefined;
  runs = 0;

  constructor(workers: Workers, subject: Subject, onRun: (runs: number) => void) {
    this.#workers = workers;
    this.#subject = subject;
    this.#onRun = onRun;
  }

  get isSpent(): boolean {
    return this.runs >= this.#subject.budget;
  }

  /**
   * The first candidate that fails, by its place; -1 where none does, or the budget is spent. The
   * answer does not depend on the number of workers, nor on how fast they are.
   */
  async firstFailing(candidates: readonly Schedule[]): Promise<number> {
    const verdicts: (Promise<boolean> | undefined)[] = [];
    let begun = 0;
    for (let at = 0; at < candidates.length; at++) {
      if (this.isSpent) return -1;
      for (; begun < Math.min(candidates.length, at + this.#workers.count); begun++) {
        verdicts[begun] = this.#fails(candidates[begun] as Schedule);
      }
      const known = this.#known.has(keyOf(candidates[at] as Schedule));
      const fails = (await verdicts[at]) === true;
      this.#known.set(keyOf(candidates[at] as Schedule), fails);
      if (!known) {
        this.runs += 1;
        this.#onRun(this.runs);
      }
      if (fails) return at;
    }
    return -1;
  }

  #fails(schedule: Schedule): Promise<boolean> {
    const known = this.#known.get(keyOf(schedule));
    if (known !== undefined) return Promise.resolve(known);
    const { scenario, seed, signature } = this.#subject;
    const job = { scenario, seed, byReference: false, schedule, untilUs: this.untilUs };
    return new Promise((resolve) =>
      this.#workers.run(job, (summary) =>
        resolve(!summary.passed && signatureOf(summary) === signature),
      ),
    );
  }
}

const keyOf = (schedule: Schedule): string => JSON.stringify(schedule);
