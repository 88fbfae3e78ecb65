/**
 * What a worker is asked to run, and what it tells of it: plain data that fits between processes.
 */
import { type Tally, tallyOf } from "../campaign/tally.ts";
import type { Schedule } from "../decisions/schedule.ts";
import type { RunResult } from "../run.ts";
import { RANDOM, strategyText } from "../search/strategy.ts";
import type { MarkName } from "../search/marks.ts";
import type { Recording } from "../trace/trace.ts";

export interface Job {
  readonly scenario: string;
  readonly seed: string;
  readonly byReference: boolean;
  /** What is laid down; all is drawn where there is none. */
  readonly schedule?: Schedule | undefined;
  /** The seed is run twice, one after the other. */
  readonly twice?: boolean;
  /** Every event of it, or of the second run, is written down. */
  readonly recorded?: boolean;
  /** Abstract states are counted. */
  readonly novelty?: boolean;
  /** All that it has met is counted. */
  readonly tally?: boolean;
  /** Virtual microseconds after which the run is broken off. */
  readonly untilUs?: number | undefined;
}

export interface Summary {
  readonly scenario: string;
  readonly seed: string;
  /** As on the command line. */
  readonly strategy: string;
  readonly passed: boolean;
  readonly trace: string;
  readonly events: number;
  readonly operations: number;
  readonly virtualSeconds: number;
  readonly wallSeconds: number;
  /** By abstract state, when it was first met; where they were counted. */
  readonly novelty?: readonly (readonly [state: number, atUs: number])[];
  /** What it has met, where that was counted. */
  readonly tally?: Tally;
  /** Of the second run, where there was one. */
  readonly secondTrace?: string;
  readonly recording?: Recording;
  /** Why not everything has converged, with proof (`excuses/excuse.ts`). */
  readonly excused: readonly string[];
  /** By situation, how often it was met (`search/marks.ts`). */
  readonly marks: readonly (readonly [MarkName, number])[];
  /** The first violated check, and what is wrong in words; empty where all passed. */
  readonly check: string;
  readonly text: string;
}

export function summaryOf(job: Job, result: RunResult, wallSeconds: number): Summary {
  const { violation } = result;
  let operations = 0;
  for (const { ok, refused, unknown } of result.operations.values()) {
    operations += ok + refused + unknown;
  }
  return {
    scenario: result.scenario,
    seed: result.seed,
    strategy: strategyOf(job),
    passed: violation === undefined,
    trace: result.trace,
    events: result.events,
    operations,
    virtualSeconds: result.virtualUs / 1_000_000,
    wallSeconds,
    excused: result.excuses,
    marks: [...result.marks],
    ...(job.novelty === true ? { novelty: [...result.novelty] } : {}),
    ...(job.tally === true ? { tally: tallyOf(result) } : {}),
    check: violation?.check ?? "",
    text: violation?.text ?? "",
  };
}

/** How a job is searched, as on the command line. */
export const strategyOf = ({ schedule }: Job): string => strategyText(schedule?.strategy ?? RANDOM);

/** The summary of a job whose worker has died. */
export const lostJob = (job: Job, text: string): Summary => ({
  scenario: job.scenario,
  seed: job.seed,
  strategy: strategyOf(job),
  passed: false,
  trace: "",
  events: 0,
  operations: 0,
  virtualSeconds: 0,
  wallSeconds: 0,
  excused: [],
  marks: [],
  check: "worker",
  text,
});

/** What to type to see this run again. */
export const replayCommand = (
  scenario: string,
  seed: string,
  strategy: string = "random",
): string =>
  `npm run sim -- ${scenario} --seed ${seed}${strategy === "random" ? "" : ` --strategy ${strategy}`}`;
