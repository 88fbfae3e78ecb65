/** The results of `npm run planted` as text: lines while it runs, and the track record. */
import type { PlantedBug } from "./bug.ts";
import { BUGS } from "./bugs.ts";
import type { Catch } from "./hunt.ts";

/** What the hunts of one bug have found. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly scenarios: readonly string[];
  /** Seeds that a hunt took: in the middle, in nine of ten hunts, and at most. */
  readonly median: number;
  readonly ninetieth: number;
  readonly most: number;
  /** Processor time of a hunt in the middle. */
  readonly cpuSeconds: number;
  /** Decisions that the first catch was cut down to; undefined where none was. */
  readonly decisions: number | undefined;
  readonly hunts: number;
  /** Hunts that ended without a catch. */
  readonly survived: number;
  /** Which checks caught it, the most frequent first. */
  readonly checks: readonly string[];
}

/** The smallest value that this part of all values does not exceed. `values` ascend. */
export const quantile = (values: readonly number[], part: number): number | undefined =>
  values[Math.max(0, Math.ceil(values.length * part) - 1)];

export function rowOf(bug: PlantedBug, catches: readonly Catch[]): Row {
  const seeds = catches.map((one) => one.seeds).sort((a, b) => a - b);
  const cpu = catches.map(({ cpuSeconds = 0 }) => cpuSeconds).sort((a, b) => a - b);
  const counts = new Map<string, number>();
  for (const { check } of catches) {
    if (check !== undefined) counts.set(check, (counts.get(check) ?? 0) + 1);
  }
  return {
    id: bug.id,
    name: bug.name,
    source: bug.source,
    scenarios: bug.scenarios,
    median: quantile(seeds, 0.5) ?? 0,
    ninetieth: quantile(seeds, 0.9) ?? 0,
    most: seeds.at(-1) ?? 0,
    cpuSeconds: quantile(cpu, 0.5) ?? 0,
    decisions: catches.find(({ shrunk }) => shrunk !== undefined)?.shrunk?.decisions,
    hunts: catches.length,
    survived: catches.filter(({ caught }) => !caught).length,
    checks: [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([check]) => check),
  };
}

export const HEADLINE = "bug   median   90 %   most    cpu s  decisions  caught by";

export function lineOf(row: Row): string {
  const { id, median, ninetieth, most, cpuSeconds, decisions, hunts, survived, checks } = row;
  const by = survived > 0 ? [`SURVIVED ${survived} of ${hunts} hunts`, ...checks] : checks;
  const numbers =
    String(median).padStart(8) +
    String(ninetieth).padStart(7) +
    String(most).padStart(7) +
    cpuSeconds.toFixed(1).padStart(9);
  return `${id.padEnd(4)}${numbers}${String(decisions ?? "").padStart(11)}  ${by.join(", ")}`;
}

/**
 * The track record as a page of Markdown. What `before`, an earlier page, says of bugs that were
 * not hunted this time stays, as does what it says of those that cannot be planted.
 */
export function markdownOf(rows: readonly Row[], budget: number, before: string): string {
  const earlier = before.split("\n").filter((line) => ROW.test(line) && cellsOf(line) === CELLS);
  const hunted = rows.map(
    ({
      id,
      name,
      source,
      scenarios,
      median,
      ninetieth,
      most,
      decisions,
      hunts,
      survived,
      checks,
    }) =>
      `| ${id} | ${name} | ${source} | ${scenarios.join(", ")} | ` +
      `${survived > 0 ? `**survived ${survived} hunts**` : checks.join(", ")} | ` +
      `${hunts} | ${median} | ${ninetieth} | ${most} | ${decisions ?? ""} |`,
  );
  const byId = new Map([...earlier, ...hunted].map((line) => [ROW.exec(line)?.[1], line]));
  return [
    "# Planted bugs: the track record",
    "",
    "Each bug is a small change of the engine that another system has really had. `npm run planted` applies it",
    "to a copy of the built project and runs seed after seed of the scenarios named here, in turn, until a check",
    "is violated. A bug that survives is a hole in the simulator.",
    "",
    "| bug | what is wrong | source | hunted by | caught by | hunts | seeds, median | 90 % | most | decisions |",
    "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ...BUGS.flatMap(({ id }) => byId.get(id) ?? []),
    "",
    `Hunts of one bug begin at seeds a million apart, and take at most ${budget} seeds each. *Decisions* is to how few the first`,
    "catch was cut down ([`shrinking.md`](shrinking.md)); that schedule is kept in `scenarios/regressions/`, and the engine as it is",
    "passes it.",
    "",
    "```sh",
    "npm run planted -- R01                          # one bug",
    `npm run planted -- --starts 5 --seeds ${budget} --shrink --schedules scenarios/regressions --table`,
    "npm run planted -- --help",
    "```",
    "",
    "The bugs are in [`test/planted/bugs.ts`](../test/planted/bugs.ts), `raft.ts`, `membership.ts`, `storage.ts`, `transactions.ts` and `placement.ts`. `npm test` hunts the quickest of them.",
    "",
    // Sections are written by hand.
    ...before.split(/^(?=## )/mu).slice(1),
  ].join("\n");
}

const CELLS = 10;
const cellsOf = (line: string): number => line.split("|").length - 2;

/** A row of the table, and its bug. */
const ROW = /^\| ([A-Z]\d\d) \|/u;
