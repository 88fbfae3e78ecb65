/** The results of `npm run planted` as text: lines while it runs, and the track record. */
import type { PlantedBug } from "./bug.ts";
import type { Catch } from "./hunt.ts";

/** What the hunts of one bug have found. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly scenarios: readonly string[];
  /** Seeds that a hunt took: in the middle and at most. */
  readonly median: number;
  readonly most: number;
  readonly hunts: number;
  /** Hunts that ended without a catch. */
  readonly survived: number;
  /** Which checks caught it, the most frequent first. */
  readonly checks: readonly string[];
}

export function rowOf(bug: PlantedBug, catches: readonly Catch[]): Row {
  const seeds = catches.map((one) => one.seeds).sort((a, b) => a - b);
  const counts = new Map<string, number>();
  for (const { check } of catches) {
    if (check !== undefined) counts.set(check, (counts.get(check) ?? 0) + 1);
  }
  return {
    id: bug.id,
    name: bug.name,
    source: bug.source,
    scenarios: bug.scenarios,
    median: seeds[Math.floor((seeds.length - 1) / 2)] ?? 0,
    most: seeds.at(-1) ?? 0,
    hunts: catches.length,
    survived: catches.filter(({ caught }) => !caught).length,
    checks: [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([check]) => check),
  };
}

export const HEADLINE = "bug   median   most  caught by";

export function lineOf({ id, median, most, hunts, survived, checks }: Row): string {
  const by = survived > 0 ? [`SURVIVED ${survived} of ${hunts} hunts`, ...checks] : checks;
  return `${id.padEnd(4)}${String(median).padStart(8)}${String(most).padStart(7)}  ${by.join(", ")}`;
}

/** The track record as a page of Markdown. */
export function markdownOf(rows: readonly Row[], hunts: number, budget: number): string {
  const lines = rows.map(
    ({ id, name, source, scenarios, median, most, survived, checks }) =>
      `| ${id} | ${name} | ${source} | ${scenarios.join(", ")} | ` +
      `${survived > 0 ? `**survived ${survived} hunts**` : checks.join(", ")} | ` +
      `${median} | ${most} |`,
  );
  return [
    "# Planted bugs: the track record",
    "",
    "Each bug is a small change of the engine that another system has really had. `npm run planted` applies it",
    "to a copy of the built project and runs seed after seed of the scenarios named here, in turn, until a check",
    "is violated. A bug that survives is a hole in the simulator.",
    "",
    "| bug | what is wrong | source | hunted by | caught by | seeds, median | seeds, most |",
    "| --- | --- | --- | --- | --- | ---: | ---: |",
    ...lines,
    "",
    `Hunts of each bug: ${hunts}, from seeds a million apart, with at most ${budget} seeds each.`,
    "",
    "```sh",
    "npm run planted -- R01                          # one bug",
    `npm run planted -- --starts ${hunts} --seeds ${budget} --markdown docs/planted.md`,
    "```",
    "",
    "The bugs are in [`test/planted/bugs.ts`](../test/planted/bugs.ts). `npm test` hunts the quickest of them.",
    "",
  ].join("\n");
}
