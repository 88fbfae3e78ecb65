/**
 * The report of one campaign or several: what pages and other programs read. `docs/campaigns.md`
 * has its schema; a field may be added, none changes its meaning without another version.
 */
import { replayCommand } from "../cli/summary.ts";
import { type MarkName, MARKS, neverReached } from "../search/marks.ts";
import { type Example, inOrder } from "./failures.ts";
import type { Header } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import { type Plan, shardText } from "./plan.ts";
import { partOf } from "./tally.ts";

export const REPORT_VERSION = 1;

export interface Report {
  readonly version: number;
  readonly build: string;
  readonly scenarios: readonly ScenarioReport[];
  readonly strategy: string;
  readonly byReference: boolean;
  /** One for each campaign. */
  readonly shards: readonly {
    readonly shard: string;
    readonly first: number;
    readonly last: number;
  }[];
  /** Of the wall clock; of several campaigns the longest. */
  readonly seconds: number;
  readonly runs: number;
  /** Runs with a violation, and runs that went otherwise when they were repeated. */
  readonly failed: number;
  readonly excused: number;
  readonly events: number;
  readonly operations: number;
  readonly virtualSeconds: number;
  /** What the runs took, added up over all workers. */
  readonly workerSeconds: number;
  readonly reproducibility: {
    /** Runs that were done twice more in another process. */
    readonly repeated: number;
    readonly differing: number;
    /** Chosen, but not repeated yet. */
    readonly waiting: number;
  };
  /** The one that is met most often first. */
  readonly failures: readonly FailureReport[];
  readonly coverage: Coverage;
}

export interface ScenarioReport {
  readonly name: string;
  readonly runs: number;
  readonly failed: number;
  readonly excused: number;
  readonly events: number;
  readonly operations: number;
  readonly virtualSeconds: number;
  readonly workerSeconds: number;
}

export interface FailureReport {
  readonly signature: string;
  readonly check: string;
  readonly runs: number;
  readonly scenarios: Readonly<Record<string, number>>;
  /** The shortest first. */
  readonly seeds: readonly SeedReport[];
}

export interface SeedReport {
  readonly scenario: string;
  readonly seed: number;
  readonly events: number;
  readonly virtualSeconds: number;
  /** What is wrong in words. */
  readonly text: string;
  /** What to type: to see it told, cut down, drawn, and to go through it. */
  readonly commands: Readonly<Record<string, string>>;
}

export interface Coverage {
  readonly marks: {
    readonly reached: Readonly<Record<string, number>>;
    readonly never: readonly MarkName[];
  };
  readonly operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** How often each check looked. */
  readonly checks: Readonly<Record<string, number>>;
  /** In how many runs each kind of fault was. */
  readonly faults: Readonly<Record<string, number>>;
}

/** `headers` are of one build, and of plans that differ in seeds and shards only. */
export function reportOf(headers: readonly [Header, ...Header[]], ledger: Ledger): Report {
  const [{ build, plan }] = headers;
  const { repeated, differing, toRepeat } = ledger;
  return {
    version: REPORT_VERSION,
    build,
    strategy: plan.strategy,
    byReference: plan.byReference,
    shards: headers.map(({ plan: { shard, first, last } }) => ({
      shard: shardText(shard),
      first,
      last,
    })),
    seconds: ledger.spentSeconds,
    runs: ledger.runs,
    failed: ledger.failed,
    excused: ledger.total(({ excused }) => excused),
    events: ledger.total(({ events }) => events),
    operations: ledger.total(({ operations }) => operations),
    virtualSeconds: rounded(ledger.total(({ virtualSeconds }) => virtualSeconds)),
    workerSeconds: rounded(ledger.total(({ wallSeconds }) => wallSeconds)),
    reproducibility: { repeated, differing, waiting: toRepeat.size },
    scenarios: [...ledger.scenarios].map(([name, totals]) => ({
      name,
      runs: totals.runs,
      failed: totals.failed,
      excused: totals.excused,
      events: totals.events,
      operations: totals.operations,
      virtualSeconds: rounded(totals.virtualSeconds),
      workerSeconds: rounded(totals.wallSeconds),
    })),
    failures: inOrder(ledger.failures.values()).map((group) => ({
      signature: group.signature,
      check: group.check,
      runs: group.runs,
      scenarios: Object.fromEntries([...group.scenarios].sort(byName)),
      seeds: group.examples.map((one) => seedReport(one, plan)),
    })),
    coverage: coverageOf(ledger),
  };
}

export const reportText = (report: Report): string => `${JSON.stringify(report, undefined, 1)}\n`;

/** What to type about a run. */
export function commandsOf(
  { scenario, seed }: Pick<Example, "scenario" | "seed">,
  { strategy }: Pick<Plan, "strategy">,
): Readonly<Record<string, string>> {
  const replay = replayCommand(scenario, String(seed), strategy);
  const [head, rest] = ["npm run sim -- ", replay.slice("npm run sim -- ".length)];
  return {
    replay,
    shrink: `${head}shrink ${rest}`,
    html: `${replay} --html run.html`,
    // The debugger knows no strategies.
    ...(strategy === "random" ? { debug: `${head}debug ${rest}` } : {}),
  };
}

function seedReport(one: Example, plan: Plan): SeedReport {
  const { scenario, seed, events, virtualSeconds, text } = one;
  return { scenario, seed, events, virtualSeconds, text, commands: commandsOf(one, plan) };
}

function coverageOf({ sum }: Ledger): Coverage {
  const marks = partOf(sum, "mark");
  const known = new Map(marks.filter(([name]) => name in MARKS)) as Map<MarkName, number>;
  const operations = new Map<string, Record<string, number>>();
  for (const [name, times] of partOf(sum, "operation")) {
    const at = name.lastIndexOf("/");
    const kind = name.slice(0, at);
    operations.set(kind, { ...operations.get(kind), [name.slice(at + 1)]: times });
  }
  return {
    marks: { reached: Object.fromEntries(marks), never: neverReached(known) },
    operations: Object.fromEntries(operations),
    checks: Object.fromEntries(partOf(sum, "check")),
    faults: Object.fromEntries(partOf(sum, "fault")),
  };
}

const byName = ([a]: readonly [string, number], [b]: readonly [string, number]): number =>
  a < b ? -1 : 1;

/** Sums of many fractions, whose last digits depend on the order of adding. */
const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;
