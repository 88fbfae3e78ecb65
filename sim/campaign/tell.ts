/** What a campaign has done, for people at a terminal. */
import { coverageText } from "../cli/coverage.ts";
import { formatTable } from "../cli/table.ts";
import type { MarkName } from "../search/marks.ts";
import { runsText } from "./duration.ts";
import { inOrder } from "./failures.ts";
import type { Ledger, ScenarioTotals } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import { commandsOf } from "./report.ts";
import { partOf } from "./tally.ts";

const HEADINGS = ["scenario", "runs", "failed", "excused", "operations", "events", "worker s"];

/** A table, what was met, what was repeated, and the failures with what to type. */
export function tellLedger(ledger: Ledger, plan: Plan): string {
  const rows = [...ledger.scenarios].map(([name, totals]) => rowOf(name, (part) => part(totals)));
  const all = rows.length > 1 ? [rowOf("all", (part) => ledger.total(part))] : [];
  const marks = new Map(partOf(ledger.sum, "mark")) as Map<MarkName, number>;
  return (
    `\n${formatTable(HEADINGS, [...rows, ...all])}\n` +
    coverageText(marks) +
    tellRepeats(ledger) +
    tellFailures(ledger, plan)
  );
}

/** The last line: `PASS runs=38 failed=0`, and how many were excused if any were. */
export function verdictOf(ledger: Ledger): string {
  const { runs, failed } = ledger;
  const excused = ledger.total((totals) => totals.excused);
  const told = excused > 0 ? ` excused=${excused}` : "";
  return `${failed === 0 ? "PASS" : "FAIL"} runs=${runs} failed=${failed}${told}`;
}

type Part = (totals: ScenarioTotals) => number;

const rowOf = (name: string, sum: (part: Part) => number): (string | number)[] => [
  name,
  sum(({ runs }) => runs),
  sum(({ failed }) => failed),
  sum(({ excused }) => excused),
  sum(({ operations }) => operations),
  sum(({ events }) => events),
  Math.round(sum(({ wallSeconds }) => wallSeconds)),
];

function tellRepeats({ repeated, differing, toRepeat }: Ledger): string {
  const waiting = toRepeat.size === 0 ? "" : ` (${toRepeat.size} more are chosen)`;
  const verdict =
    differing === 0 ? "all the same, event by event" : `${differing} were not the same`;
  if (repeated === 0) return `no run has been repeated yet${waiting}\n`;
  return `${runsText(repeated)} repeated in another process${waiting}: ${verdict}\n`;
}

function tellFailures(ledger: Ledger, plan: Plan): string {
  const parts = inOrder(ledger.failures.values()).map(({ signature, runs, examples }) => {
    const [shortest] = examples;
    if (shortest === undefined) return "";
    const { replay = "", shrink = "" } = commandsOf(shortest, plan);
    const [first = ""] = shortest.text.split("\n");
    return `\n${signature}, in ${runsText(runs)}: ${first}\n     ${replay}\n     ${shrink}\n`;
  });
  return parts.length === 0 ? "" : `${parts.join("")}\n`;
}
