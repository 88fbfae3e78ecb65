/** What the runs of a batch have met between them. */
import { addMarks, markNames, type MarkName, type Marks, neverReached } from "../search/marks.ts";
import type { Summary } from "./summary.ts";
import { formatNumber } from "./table.ts";

export function marksOf(summaries: readonly Summary[]): Marks {
  const sum: Marks = new Map();
  for (const { marks } of summaries) addMarks(sum, new Map(marks));
  return sum;
}

/** Says how many marks were reached, and names those that were not. */
export function coverageText(marks: ReadonlyMap<MarkName, number>): string {
  const all = markNames().length;
  const missing = neverReached(marks);
  const head = `${all - missing.length} of ${all} marks reached`;
  return missing.length === 0 ? `${head}\n` : `${head}; never: ${missing.join(", ")}\n`;
}

/** The same for machines. */
export const coverageJson = (
  marks: ReadonlyMap<MarkName, number>,
): { readonly reached: Readonly<Record<string, number>>; readonly never: readonly MarkName[] } => ({
  reached: Object.fromEntries(marks),
  never: neverReached(marks),
});

/** How many abstract states there were, where they were counted. */
export function noveltyText(summaries: readonly Summary[]): string {
  const states = new Set<string>();
  for (const { scenario, novelty = [] } of summaries) {
    for (const [state] of novelty) states.add(`${scenario}/${state}`);
  }
  return states.size === 0 ? "" : `${formatNumber(states.size)} abstract states met\n`;
}
