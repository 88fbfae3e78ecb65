/** The body of a report's page: everything is in it, and reads without a script. */
import { formatNumber } from "../cli/table.ts";
import { coverageSection } from "./coverage-page.ts";
import { durationText, kindsText, runsText } from "./duration.ts";
import { barOf, type Column, commandOf, escaped, tableOf } from "./markup.ts";
import type { FailureReport, Report, ScenarioReport, SeedReport } from "./report.ts";
import { NO_LAST } from "./plan.ts";

export function pageBody(report: Report): string {
  return [
    header(report),
    "<main>",
    tiles(report),
    failureSection(report),
    scenarioSection(report),
    repetitionSection(report),
    coverageSection(report.coverage, report.runs),
    originSection(report),
    "</main>",
  ].join("\n");
}

/** For the window's title. */
export const pageTitle = ({ runs, failed }: Report): string =>
  `${failed === 0 ? "PASS" : "FAIL"}: campaign of ${runsText(runs)}`;

function header({ failed, failures, runs, seconds, scenarios }: Report): string {
  const verdict =
    failed === 0
      ? '<span class="verdict good">nothing failed</span>'
      : `<span class="verdict bad">${kindsText(failures.length)} of failure</span>`;
  const names =
    scenarios.length === 1 ? (scenarios[0]?.name ?? "") : `${scenarios.length} scenarios`;
  return (
    `<header><h1>Campaign</h1> ${verdict} ` +
    `<span class="soft">${runsText(runs)} of ${escaped(names)} in ${durationText(seconds)}</span>` +
    '<nav aria-label="sections"><a href="#failures">Failures</a> <a href="#scenarios">Scenarios</a> ' +
    '<a href="#repetition">Repetition</a> <a href="#coverage">Coverage</a></nav></header>'
  );
}

function tiles(report: Report): string {
  const { runs, failed, excused, events, operations, virtualSeconds, workerSeconds } = report;
  const { seconds } = report;
  const rate = seconds > 0 ? `${(runs / seconds).toFixed(2)} a second` : "";
  const pace = workerSeconds > 0 ? Math.round(events / workerSeconds) : 0;
  const all: readonly (readonly [name: string, value: string, more: string])[] = [
    ["runs", formatNumber(runs), rate],
    ["failed", formatNumber(failed), runs > 0 ? `${percent(failed / runs)} of the runs` : ""],
    ["excused", formatNumber(excused), "with proof"],
    ["simulated", durationText(virtualSeconds), "of a cluster's life"],
    ["events", formatNumber(events), `${formatNumber(pace)} a second, each worker`],
    ["operations", formatNumber(operations), "of clients"],
  ];
  const items = all.map(
    ([name, value, more]) =>
      `<div${name === "failed" && failed > 0 ? ' class="bad"' : ""}><dt>${name}</dt>` +
      `<dd>${value}</dd><dd class="soft">${more}</dd></div>`,
  );
  return `<dl class="tiles">${items.join("")}</dl>`;
}

function failureSection({ failures }: Report): string {
  const none = "<p>No check was violated, and no run went otherwise when it was repeated.</p>";
  const all = failures.map((failure, at) => failureArticle(failure, at === 0));
  return (
    `<section id="failures" aria-labelledby="h-failures"><h2 id="h-failures">Failures</h2>\n` +
    `${all.length === 0 ? none : all.join("\n")}</section>`
  );
}

/** Scenarios that are named beside a failure. */
const NAMED = 4;

function failureArticle(
  { signature, runs, scenarios, seeds }: FailureReport,
  isOpen: boolean,
): string {
  const where = Object.entries(scenarios).sort(([, a], [, b]) => b - a);
  const named = where
    .slice(0, NAMED)
    .map(([name, times]) => `${escaped(name)} ${formatNumber(times)}`);
  const unnamed = where.length > NAMED ? ` and ${where.length - NAMED} other scenarios` : "";
  const [shortest, ...others] = seeds;
  const more =
    others.length === 0 ? "" : `<h4>Other short runs</h4>${others.map(otherRun).join("")}`;
  return (
    `<details class="failure"${isOpen ? " open" : ""}><summary><h3>${escaped(signature)}</h3> ` +
    `<span class="count">${runsText(runs)}</span> <span class="soft">${named.join(", ")}${unnamed}</span>` +
    `</summary>\n` +
    `${shortest === undefined ? "" : shortestRun(shortest)}${more}</details>`
  );
}

const TITLES: readonly (readonly [command: string, title: string])[] = [
  ["replay", "Tell it"],
  ["shrink", "Cut it down"],
  ["html", "Draw it"],
  ["debug", "Go through it"],
];

function shortestRun({
  scenario,
  seed,
  events,
  virtualSeconds,
  text,
  commands,
}: SeedReport): string {
  const pastes = TITLES.flatMap(([name, title]) => {
    const command = commands[name];
    return command === undefined ? [] : [commandOf(title, command)];
  });
  return (
    `<h4>The shortest: ${escaped(scenario)}, seed ${seed} <span class="soft">` +
    `(${formatNumber(events)} events, ${durationText(virtualSeconds)})</span></h4>` +
    `<pre tabindex="0">${escaped(text)}</pre>${pastes.join("\n")}`
  );
}

function otherRun({ scenario, seed, events, commands }: SeedReport): string {
  const title = `${escaped(scenario)}, seed ${seed}, ${formatNumber(events)} events`;
  return commandOf(title, commands["replay"] ?? "");
}

const number = (title: string): Column => ({ title, isNumber: true });
const words = (title: string): Column => ({ title, isNumber: false });

function scenarioSection({ scenarios, workerSeconds }: Report): string {
  const columns = [
    words("Scenario"),
    words("Share of the time"),
    ...["Runs", "Failed", "Excused", "Operations", "Events", "Events/s", "Time", "A run"].map(
      number,
    ),
  ];
  const longest = Math.max(...scenarios.map((one) => one.workerSeconds));
  const rows = scenarios.map((one) => scenarioRow(one, workerSeconds, longest));
  return (
    `<section id="scenarios" aria-labelledby="h-scenarios"><h2 id="h-scenarios">Scenarios</h2>\n` +
    `${tableOf("scenarios", columns, rows)}</section>`
  );
}

function scenarioRow(one: ScenarioReport, allSeconds: number, longest: number): string[] {
  const { name, runs, failed, excused, operations, events, workerSeconds } = one;
  const share = allSeconds > 0 ? workerSeconds / allSeconds : 0;
  return [
    escaped(name),
    `${barOf(longest > 0 ? workerSeconds / longest : 0)} ${percent(share)}`,
    formatNumber(runs),
    failed > 0 ? `<strong class="bad">${formatNumber(failed)}</strong>` : "0",
    formatNumber(excused),
    formatNumber(operations),
    formatNumber(events),
    workerSeconds > 0 ? formatNumber(Math.round(events / workerSeconds)) : "",
    durationText(workerSeconds),
    runs > 0 ? `${(workerSeconds / runs).toFixed(2)} s` : "",
  ];
}

function repetitionSection({ reproducibility }: Report): string {
  const { repeated, differing, waiting } = reproducibility;
  const done =
    repeated === 0
      ? "No run has been repeated yet."
      : `${runsText(repeated)} repeated, twice each, in a process that had done nothing else: ` +
        (differing === 0
          ? "every event was the same."
          : `<strong class="bad">${formatNumber(differing)} went otherwise.</strong>`);
  const rest = waiting > 0 ? ` ${formatNumber(waiting)} more are chosen.` : "";
  return (
    '<section id="repetition" aria-labelledby="h-repetition"><h2 id="h-repetition">Repetition</h2>' +
    `<p>${done}${rest}</p></section>`
  );
}

function originSection({
  build,
  strategy,
  byReference,
  shards,
  seconds,
  workerSeconds,
}: Report): string {
  const columns = [words("Shard"), words("Seeds")];
  const rows = shards.map(({ shard, first, last }) => [
    escaped(shard),
    last === NO_LAST ? `from ${first}` : `${first} to ${last}`,
  ]);
  return (
    '<section id="origin" aria-labelledby="h-origin"><h2 id="h-origin">Where it comes from</h2>' +
    `<p>Build <code>${escaped(build)}</code>, strategy ${escaped(strategy)}` +
    `${byReference ? ", messages by reference" : ""}, ${durationText(seconds)} of the clock, ` +
    `${durationText(workerSeconds)} of workers.</p>${tableOf("shards", columns, rows)}</section>`
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
