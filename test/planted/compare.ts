/**
 * `npm run planted -- --compare`: every strategy hunts the same bugs from the same seeds, and each
 * hunt has as much processor time as the others. Prints tables in Markdown.
 */
import type { PlantedBug } from "./bug.ts";
import type { Catch } from "./hunt.ts";
import { STRATEGIES } from "./options.ts";
import { quantile } from "./report.ts";

/** What is compared with. */
const BASE = "random";

/** The hunts of one bug, by strategy; each list has one for each start, in the same order. */
export interface Compared {
  readonly bug: PlantedBug;
  readonly hunts: ReadonlyMap<string, readonly Catch[]>;
}

const OTHERS = STRATEGIES.filter((name) => name !== BASE);

export const COMPARED_HEAD: string = `| bug | ${STRATEGIES.join(" | ")} |\n| --- |${" ---: |".repeat(STRATEGIES.length)}`;

/** Seconds until half of the hunts have their catch, and how many of them have one. */
export function comparedLine({ bug, hunts }: Compared): string {
  const cells = STRATEGIES.map((name) => {
    const all = hunts.get(name) ?? [];
    const caught = all.filter((one) => one.caught).length;
    const median = medianSeconds(all);
    return `${median === Infinity ? "–" : median.toFixed(1)} (${caught} of ${all.length})`;
  });
  return `| ${bug.id} | ${cells.join(" | ")} |`;
}

/**
 * Of all pairs of hunts from the same seed: in how many the strategy was the quicker one, and the
 * geometric mean of how many times as long it took. Who has not caught the bug counts with the
 * whole of its time, so a mean says less than there is where many are not caught.
 */
export function summaryOf(all: readonly Compared[], limit: number): string {
  const lines = OTHERS.map((name) => {
    const pairs = all.flatMap(({ hunts }) =>
      (hunts.get(name) ?? []).map((one, i) => {
        const other = hunts.get(BASE)?.[i];
        return [secondsOf(one, limit), other === undefined ? limit : secondsOf(other, limit)];
      }),
    ) as [number, number][];
    const quicker = pairs.filter(([own, base]) => own < base).length;
    const slower = pairs.filter(([own, base]) => own > base).length;
    const logs = pairs.map(([own, base]) => Math.log(own / base));
    const mean = Math.exp(logs.reduce((sum, one) => sum + one, 0) / Math.max(1, logs.length));
    const caught = all.flatMap(({ hunts }) => hunts.get(name) ?? []).filter((one) => one.caught);
    const chance = signTest(quicker, slower);
    return (
      `| ${name} | ${caught.length} of ${pairs.length} | ${quicker} | ${slower} | ` +
      `${mean.toFixed(2)} | ${chance.toFixed(2)} |`
    );
  });
  const base = all.flatMap(({ hunts }) => hunts.get(BASE) ?? []);
  const caught = base.filter((one) => one.caught).length;
  return [
    `| strategy | caught within ${limit} s | quicker than ${BASE} | slower | times as long | by chance |`,
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    `| ${BASE} | ${caught} of ${base.length} | | | 1 | |`,
    ...lines,
  ].join("\n");
}

/** How likely so uneven a split is, or a more uneven one, if either were as good (two-sided). */
export function signTest(quicker: number, slower: number): number {
  const of = quicker + slower;
  const least = Math.min(quicker, slower);
  let ways = 1;
  let sum = 0;
  for (let k = 0; k <= least; k++) {
    sum += ways;
    ways = (ways * (of - k)) / (k + 1);
  }
  return Math.min(1, (2 * sum) / 2 ** of);
}

const secondsOf = ({ caught, cpuSeconds = 0 }: Catch, limit: number): number =>
  caught ? Math.min(cpuSeconds, limit) : limit;

function medianSeconds(hunts: readonly Catch[]): number {
  const seconds = hunts
    .map(({ caught, cpuSeconds = 0 }) => (caught ? cpuSeconds : Infinity))
    .sort((a, b) => a - b);
  return quantile(seconds, 0.5) ?? Infinity;
}
