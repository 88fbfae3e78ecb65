/**
 * The `sim` command: one seed told as a story, many seeds as a table, the list of scenarios. Pure
 * like everything here; the machine it runs on comes in as a `Host`.
 */
import type { Host } from "./cli/host.ts";
import type { Job, Summary } from "./cli/summary.ts";
import type { Scenario } from "./scenario.ts";
import { unreachable } from "../engine/base/assert.ts";
import { DEFAULT_OPTIONS } from "./build.ts";
import { runMerge } from "./campaign/merge.ts";
import { runCampaign } from "./campaign/session.ts";
import { parse, type Command, USAGE } from "./cli/arguments.ts";
import { runBatch } from "./cli/batch.ts";
import { runDebug } from "./cli/debug.ts";
import { runOne, type Source } from "./cli/one.ts";
import { byName, replay, showSchedule } from "./cli/schedules.ts";
import { runShrink } from "./cli/shrinking.ts";
import { replayCommand, summaryOf } from "./cli/summary.ts";
import { runWeb } from "./cli/web.ts";
import { searchedBy, WHOLE } from "./decisions/schedule.ts";
import { runSeed } from "./run.ts";
import { strategyText } from "./search/strategy.ts";

export type { Host } from "./cli/host.ts";
export type { CampaignFiles, CampaignHost, CampaignOpened, JournalRead } from "./campaign/files.ts";
export type { Job, Summary } from "./cli/summary.ts";
export { lostJob } from "./cli/summary.ts";
export type { Workers } from "./cli/workers.ts";

/**
 * Runs the command; gives its exit status: 0 where everything passed, 1 where a check was
 * violated, 2 where the command line is wrong.
 */
export async function main(
  argv: readonly string[],
  scenarios: readonly Scenario[],
  host: Host,
): Promise<number> {
  const parsed = parse(
    argv,
    scenarios.map(({ name }) => name),
  );
  if (!parsed.ok) {
    host.writeError(`sim: ${parsed.problem}\n`);
    return 2;
  }
  const { command } = parsed;
  switch (command.type) {
    case "help":
      host.write(USAGE);
      return 0;
    case "list":
      for (const { name, summary } of scenarios) host.write(`${name.padEnd(22)} ${summary}\n`);
      return 0;
    case "one":
      return runOne(command, byName(scenarios, command.scenario), sourceOf(command), host);
    case "web":
      return runWeb(command, host);
    case "debug":
      return runDebug(byName(scenarios, command.scenario), command.seed, command.strategy, host);
    case "many":
      return runBatch(command, host);
    case "campaign":
      return runCampaign(command, host);
    case "merge":
      return runMerge(command, host);
    case "show":
      return showSchedule(command, scenarios, host);
    case "replay":
      return replay(command, scenarios, host);
    case "shrink":
      return runShrink(command, scenarios, host);
    default:
      return unreachable(command);
  }
}

const sourceOf = ({ scenario, seed, strategy }: Extract<Command, { type: "one" }>): Source => ({
  schedule: searchedBy(strategy),
  again: replayCommand(scenario, seed, strategyText(strategy)),
});

/** What a worker process does with one job. */
export async function runJob(
  job: Job,
  scenarios: readonly Scenario[],
  host: Host,
): Promise<Summary> {
  const startMs = host.elapsedMs();
  const {
    byReference,
    novelty = false,
    schedule = WHOLE,
    untilUs,
    twice = false,
    recorded = false,
  } = job;
  const options = { ...DEFAULT_OPTIONS, byReference, novelty, schedule, untilUs, recorded };
  const scenario = byName(scenarios, job.scenario);
  const result = await runSeed(scenario, job.seed, host.drain, options);
  const summary = summaryOf(job, result, (host.elapsedMs() - startMs) / 1000);
  const second = twice ? await runSeed(scenario, job.seed, host.drain, options) : undefined;
  const recording = (second ?? result).recording;
  return {
    ...summary,
    ...(second === undefined ? {} : { secondTrace: second.trace }),
    ...(recording === undefined ? {} : { recording }),
  };
}
