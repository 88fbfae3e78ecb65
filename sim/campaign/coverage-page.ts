/** What the runs have met between them, as a section of the page. */
import { formatNumber } from "../cli/table.ts";
import { type MarkName, MARKS } from "../search/marks.ts";
import { barOf, type Column, escaped, tableOf } from "./markup.ts";
import type { Coverage } from "./report.ts";

const number = (title: string): Column => ({ title, isNumber: true });
const words = (title: string): Column => ({ title, isNumber: false });

/** `runs` is how many there were. */
export function coverageSection(coverage: Coverage, runs: number): string {
  return (
    '<section id="coverage" aria-labelledby="h-coverage"><h2 id="h-coverage">Coverage</h2>\n' +
    [marks(coverage), faults(coverage, runs), operations(coverage), checks(coverage)].join("\n") +
    "</section>"
  );
}

function marks({ marks: { reached, never } }: Coverage): string {
  const met = Object.entries(reached);
  const meaning = (name: string): string => escaped(MARKS[name as MarkName] ?? "");
  const all = met.length + never.length;
  const missing = never.map(
    (name) => `<li><strong>${escaped(name)}</strong>: ${meaning(name)}</li>`,
  );
  const list =
    missing.length === 0 ? "" : `<p>Never met:</p><ul class="never">${missing.join("\n")}</ul>`;
  const rows = met
    .sort(([, a], [, b]) => a - b)
    .map(([name, times]) => [escaped(name), formatNumber(times), meaning(name)]);
  return (
    `<h3>${met.length} of ${all} marks ${barOf(all === 0 ? 0 : met.length / all)}</h3>${list}` +
    folded(
      "Marks that were met, the rarest first",
      [words("Mark"), number("Times"), words("When")],
      rows,
    )
  );
}

function faults({ faults }: Coverage, runs: number): string {
  const rows = Object.entries(faults).map(([name, times]) => [
    escaped(name),
    formatNumber(times),
    withFigure(runs > 0 ? times / runs : 0),
  ]);
  const columns = [words("Fault"), number("Runs that had it"), words("Of all")];
  return `<h3>Faults</h3>${folded(`${rows.length} kinds`, columns, rows)}`;
}

function operations({ operations }: Coverage): string {
  const rows = Object.entries(operations).map(([kind, outcomes]) => {
    const times = ["ok", "refused", "unknown"].map((outcome) => outcomes[outcome] ?? 0);
    const sum = times.reduce((a, b) => a + b, 0);
    return [
      escaped(kind),
      ...times.map(formatNumber),
      withFigure((times[0] ?? 0) / Math.max(1, sum)),
    ];
  });
  const columns = [
    words("Operation"),
    number("Done"),
    number("Refused"),
    number("Unknown"),
    words("Done of all"),
  ];
  return `<h3>Operations</h3>${folded(`${rows.length} kinds`, columns, rows)}`;
}

function checks({ checks }: Coverage): string {
  const rows = Object.entries(checks).map(([name, looks]) => [escaped(name), formatNumber(looks)]);
  const columns = [words("Check"), number("Looks")];
  return `<h3>Checks</h3>${folded(`${rows.length} checks`, columns, rows)}`;
}

const folded = (
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string =>
  `<details><summary>${escaped(title)}</summary>${tableOf(title, columns, rows)}</details>`;

const withFigure = (share: number): string => `${barOf(share)} ${(share * 100).toFixed(1)} %`;
