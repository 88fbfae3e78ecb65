/** Many runs on worker processes: progress, a summary table, and a file for machines. */
import type { Command } from "./arguments.ts";
import type { Host } from "./host.ts";
import type { Job, Summary } from "./summary.ts";
import { coverageJson, coverageText, marksOf, noveltyText } from "./coverage.ts";
import { repeat } from "./determinism.ts";
import { runRounds } from "./rounds.ts";
import { progressOf } from "./progress.ts";
import { replayCommand } from "./summary.ts";
import { formatTable } from "./table.ts";

type Many = Extract<Command, { type: "many" }>;

/** Runs a batch; gives the exit status: 0 where every run passed, else 1. */
export async function runBatch(command: Many, host: Host): Promise<number> {
  const summaries: Summary[] = [];
  const progress = progressOf(host, runsOf(command));
  const startMs = host.elapsedMs();
  const onSummary = (summary: Summary): void => {
    summaries.push(summary);
    progress.add(summary);
  };
  const workers = host.startWorkers(command.jobs);
  const run = (job: Job): Promise<Summary> =>
    new Promise((done) =>
      workers.run(job, (summary) => {
        onSummary(summary);
        done(summary);
      }),
    );
  const jobs = await runRounds(command, run);
  workers.end();
  progress.end();
  const wallSeconds = (host.elapsedMs() - startMs) / 1000;
  const ordered = inOrder(summaries, command.scenarios);
  host.write(`\n${summaryTable(ordered, command.scenarios)}\n`);
  host.write(coverageText(marksOf(ordered)) + noveltyText(ordered));
  const { repeated, differing } = await repeat(jobs, ordered, command.jobs, host);
  if (differing === 0) host.write(`${repeatedText(repeated)} the same, event by event\n`);
  let status = ordered.every(({ passed }) => passed) && differing === 0 ? 0 : 1;
  if (command.json !== undefined) {
    const problem = host.writeFile(command.json, jsonText(command, ordered, wallSeconds));
    if (problem !== undefined) {
      host.writeError(`sim: cannot write ${command.json}: ${problem}\n`);
      status = 1;
    }
  }
  host.write(lastLine(ordered, differing, wallSeconds));
  return status;
}

const repeatedText = (repeated: number): string =>
  repeated === 1
    ? "one run was done twice more in another process:"
    : `${repeated} runs were done twice more in other processes and another order:`;

const runsOf = ({ first, last, scenarios }: Many): number => (last - first + 1) * scenarios.length;

const inOrder = (summaries: readonly Summary[], scenarios: readonly string[]): Summary[] =>
  summaries
    .slice()
    .sort(
      (a, b) =>
        scenarios.indexOf(a.scenario) - scenarios.indexOf(b.scenario) ||
        Number(a.seed) - Number(b.seed) ||
        (a.strategy < b.strategy ? -1 : 1),
    );

function summaryTable(summaries: readonly Summary[], scenarios: readonly string[]): string {
  const rows = scenarios.map((scenario) => row(scenario, summaries));
  const all = scenarios.length > 1 ? [row("all", summaries)] : [];
  const headings = [
    "scenario",
    "runs",
    "failed",
    "excused",
    "operations",
    "events",
    "events/s",
    "virtual s",
  ];
  return formatTable(headings, [...rows, ...all]);
}

function row(scenario: string, summaries: readonly Summary[]): (string | number)[] {
  const own = summaries.filter((one) => scenario === "all" || one.scenario === scenario);
  const sum = (part: (summary: Summary) => number): number =>
    own.reduce((total, one) => total + part(one), 0);
  const events = sum((one) => one.events);
  const wall = sum((one) => one.wallSeconds);
  return [
    scenario,
    own.length,
    own.filter(({ passed }) => !passed).length,
    own.filter(isExcused).length,
    sum((one) => one.operations),
    events,
    wall > 0 ? Math.round(events / wall) : 0,
    Math.round(sum((one) => one.virtualSeconds)),
  ];
}

const isExcused = ({ excused }: Summary): boolean => excused.length > 0;

function jsonText(command: Many, summaries: readonly Summary[], wallSeconds: number): string {
  const runs = summaries.map((one) => ({
    ...one,
    novelty: one.novelty?.length,
    replay: replayCommand(one.scenario, one.seed, one.strategy),
  }));
  const failed = summaries.filter(({ passed }) => !passed).length;
  const excused = summaries.filter(isExcused).length;
  const { first, last, jobs } = command;
  const head = { first, last, jobs, runs: summaries.length, failed, excused, wallSeconds };
  const marks = coverageJson(marksOf(summaries));
  return `${JSON.stringify({ ...head, marks, results: runs }, undefined, 1)}\n`;
}

function lastLine(summaries: readonly Summary[], differing: number, wallSeconds: number): string {
  const failed = summaries.filter(({ passed }) => !passed).length + differing;
  const wall = `wall=${wallSeconds.toFixed(1)}s`;
  const excused = summaries.filter(isExcused).length;
  const told = excused > 0 ? ` excused=${excused}` : "";
  const counts = `runs=${summaries.length} failed=${failed}${told}`;
  return `${failed === 0 ? "PASS" : "FAIL"} ${counts} ${wall}\n`;
}
