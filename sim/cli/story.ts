/**
 * One run told to people: what was drawn, what happened, what clients did, what was checked, the
 * verdict.
 */
import type { RunResult } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { formatLine } from "../trace/trace.ts";
import { formatTable } from "./table.ts";

/** Lines of the story that are printed unless all are asked for. */
const MOST_LINES = 200;

export function tellStory(scenario: Scenario, result: RunResult, verbose: boolean): string {
  const { knobs } = result;
  const parts = [
    `${scenario.name}: ${scenario.summary}\n`,
    `${knobs.stores} stores, ${knobs.members} placement members, ${knobs.replicas} replicas; ` +
      `faults of this seed: ${[...new Set(result.faults)].join(", ") || "none"}\n\n`,
    tellEvents(result, verbose),
    "\n",
    tellOperations(result),
    "\n",
    tellChecks(result),
  ];
  return parts.join("");
}

function tellEvents(result: RunResult, verbose: boolean): string {
  const { lines } = result;
  const shown = verbose ? lines : shortened(lines.map(formatLine));
  return shown.map((line) => `${typeof line === "string" ? line : formatLine(line)}\n`).join("");
}

/** The beginning and the end of a long story. */
function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_LINES) return lines;
  const half = MOST_LINES / 2;
  const left = lines.length - 2 * half;
  return [
    ...lines.slice(0, half),
    `            … ${left} more lines (--verbose shows them)`,
    ...lines.slice(-half),
  ];
}

function tellOperations(result: RunResult): string {
  const rows = [...result.operations].map(
    ([kind, count]) => [kind, count.ok, count.refused, count.unknown] as const,
  );
  return formatTable(["operations", "answered", "refused", "unknown"], rows);
}

function tellChecks(result: RunResult): string {
  const rows = [...result.checks].map(([check, count]) => [check, count] as const);
  const table = formatTable(["checks", "times"], rows);
  if (result.undecided === 0) return table;
  return `${table}${result.undecided} key histories were too entangled to decide\n`;
}

/** What could not converge, and the proof that it could not. */
export const tellExcuses = ({ excuses }: RunResult): string =>
  excuses.map((excuse) => `\nexcused: ${excuse}\n`).join("");

/** What went wrong and how to see it again, or nothing. */
export function tellViolation(result: RunResult, again: string): string {
  const { violation } = result;
  if (violation === undefined) return "";
  const detail = violation.detail === undefined ? "" : `\n${violation.detail}\n`;
  return (
    `\n${violation.check} is violated at ${(violation.timeUs / 1_000_000).toFixed(6)}s of virtual time:\n` +
    `${violation.text}\n${detail}\nreplay: ${again}\n`
  );
}

/** The last line of a run. */
export function verdictLine(result: RunResult, wallSeconds: number): string {
  const verdict = result.violation === undefined ? "PASS" : "FAIL";
  const virtual = (result.virtualUs / 1_000_000).toFixed(1);
  const excused = result.excuses.length > 0 ? ` excused=${result.excuses.length}` : "";
  return (
    `${verdict}${excused} seed=${result.seed} trace=${result.trace} events=${result.events} ` +
    `virtual=${virtual}s wall=${wallSeconds.toFixed(2)}s\n`
  );
}
