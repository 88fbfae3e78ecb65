/** `sim shrink`: a failing run is cut down to few decisions, on several workers. */
import { DEFAULT_OPTIONS } from "../build.ts";
import { encodeSchedule, type ScheduleFile } from "../decisions/file.ts";
import { kindsOf, laidDown } from "../decisions/laid-down.ts";
import { type Schedule, searchedBy } from "../decisions/schedule.ts";
import { type Takes, takesOf } from "../decisions/takes.ts";
import { type RunResult, runSeed } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { shrink, sizeOf } from "../shrink/shrink.ts";
import { signatureOf } from "../shrink/signature.ts";
import { Trials } from "../shrink/trials.ts";
import type { Command } from "./arguments.ts";
import type { Host } from "./host.ts";
import { byName, readSchedule, tellSchedule } from "./schedules.ts";
import { formatNumber } from "./table.ts";

/** How much longer than the failure took a candidate may run, where the failure came early. */
const PATIENCE_US = 3_000_000;

export async function runShrink(
  command: Extract<Command, { type: "shrink" }>,
  scenarios: readonly Scenario[],
  host: Host,
): Promise<number> {
  const given =
    command.file === undefined ? undefined : readSchedule(command.file, scenarios, host);
  if (command.file !== undefined && given === undefined) return 2;
  const { scenario: name, seed } = given ?? command;
  const scenario = byName(scenarios, name);
  const run = async (schedule: Schedule, takes: Takes): Promise<RunResult> =>
    runSeed(scenario, seed, host.drain, { ...DEFAULT_OPTIONS, schedule, takes });
  const whole = given?.schedule ?? searchedBy(command.strategy);
  const takes = takesOf();
  const first = await run(whole, takes);
  const { violation } = first;
  if (violation === undefined) {
    host.writeError(`sim: ${name}, seed ${seed}, does not fail: there is nothing to shrink\n`);
    return 2;
  }
  const signature = signatureOf(violation);
  host.write(`${name}, seed ${seed}: ${violation.check}: ${violation.text.split("\n")[0]}\n`);
  const workers = host.startWorkers(command.jobs);
  const bar = barOf(host);
  const trials = new Trials(
    workers,
    { scenario: name, seed, signature, budget: command.runs },
    (runs) => bar.runs(runs),
  );
  const early = violation.timeUs < scenario.safetyMs * 1000;
  if (early) trials.untilUs = violation.timeUs + PATIENCE_US;
  const laid = given?.schedule ?? laidDown(takes, violation.timeUs, whole.strategy);
  const start = await startingPoint(trials, laid, whole);
  const startMs = host.elapsedMs();
  const take = async (schedule: Schedule, wanted: (lane: string) => boolean): Promise<Takes> => {
    const taken = takesOf(wanted);
    await run(schedule, taken);
    return taken;
  };
  const best = await shrink({ trials, take, onStep: bar.step }, start);
  workers.end();
  bar.end();
  const last = await run(best, takesOf());
  const { check = violation.check, text = violation.text } = last.violation ?? {};
  const file: ScheduleFile = { scenario: name, seed, check, text, schedule: best };
  const from = takes.strikes.length + takes.operations.length;
  host.write(`\n${tellSchedule(file)}\n`);
  const wall = ((host.elapsedMs() - startMs) / 1000).toFixed(1);
  host.write(
    `from ${formatNumber(from)} strikes and operations, and all messages, ` +
      `to ${sizeOf(best)} decisions in ${formatNumber(trials.runs)} runs, ${wall}s\n`,
  );
  if (trials.isSpent) host.write("the runs are used up: there may be less (--runs allows more)\n");
  const problem = host.writeFile(command.out, encodeSchedule(file));
  if (problem !== undefined) {
    host.writeError(`sim: cannot write ${command.out}: ${problem}\n`);
    return 1;
  }
  host.write(`schedule: ${command.out}\nreplay: npm run sim -- replay ${command.out}\n`);
  return 0;
}

/**
 * What is laid down, or as much of it as fails in the same way: ties of time may fall otherwise.
 */
async function startingPoint(trials: Trials, laid: Schedule, whole: Schedule): Promise<Schedule> {
  const kinds = kindsOf(whole.strategy);
  const candidates = [
    laid,
    { ...laid, strikes: [], drawn: [...kinds, "fault"] },
    { ...laid, operations: [], drawn: [...kinds, "operation"] },
  ];
  return candidates[await trials.firstFailing(candidates)] ?? whole;
}

interface Bar {
  readonly step: (name: string, schedule: Schedule) => void;
  readonly runs: (runs: number) => void;
  readonly end: () => void;
}

/** Says what is going on: in one line on a terminal, in a line for each step elsewhere. */
function barOf(host: Host): Bar {
  let text = "";
  let made = 0;
  let told = -1;
  const clear = (): void => host.write(`\r${" ".repeat(Math.max(1, host.columns - 1))}\r`);
  const draw = (): void => {
    if (!host.isTerminal) return;
    clear();
    host.write(`${text}, ${made} runs`.slice(0, Math.max(1, host.columns - 1)));
  };
  return {
    step(name, schedule) {
      const { strikes, operations, fates, drawn } = schedule;
      const size = sizeOf(schedule);
      text =
        `${size} decisions (${strikes.length} strikes, ${operations.length} operations, ` +
        `${fates.length} messages, ${drawn.length} left to the seed): ${name}`;
      if (host.isTerminal) draw();
      else if (size !== told) host.write(`${text}, ${made} runs\n`);
      told = size;
    },
    runs(runs) {
      made = runs;
      draw();
    },
    end() {
      if (host.isTerminal) clear();
    },
  };
}
