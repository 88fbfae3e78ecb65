/**
 * The `sim` command: one seed told as a story, many seeds as a table, the list of scenarios. Pure
 * like everything here; the machine it runs on comes in as a `Host`.
 */
import type { Command } from "./cli/arguments.ts";
import type { Host } from "./cli/host.ts";
import type { Job, Summary } from "./cli/summary.ts";
import type { Scenario } from "./scenario.ts";
import { assert, unreachable } from "../engine/base/assert.ts";
import { DEFAULT_OPTIONS } from "./build.ts";
import { parse, USAGE } from "./cli/arguments.ts";
import { runBatch } from "./cli/batch.ts";
import { tellStory, tellViolation, verdictLine } from "./cli/story.ts";
import { summaryOf } from "./cli/summary.ts";
import { formatNumber } from "./cli/table.ts";
import { encodeFilm } from "./film/codec.ts";
import { develop } from "./film/develop.ts";
import { recorderOf } from "./film/recorder.ts";
import type { World } from "./model.ts";
import { runSeed } from "./run.ts";
import { firstDivergence } from "./trace/divergence.ts";

export type { Host } from "./cli/host.ts";
export type { Job, Summary } from "./cli/summary.ts";
export { lostJob } from "./cli/summary.ts";

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
      return runOne(command, byName(scenarios, command.scenario), host);
    case "many":
      return runBatch(command, host);
    default:
      return unreachable(command);
  }
}

/** What a worker process does with one job. */
export async function runJob(
  job: Job,
  scenarios: readonly Scenario[],
  host: Host,
): Promise<Summary> {
  const startMs = host.elapsedMs();
  const options = { ...DEFAULT_OPTIONS, byReference: job.byReference };
  const scenario = byName(scenarios, job.scenario);
  const result = await runSeed(scenario, job.seed, host.drain, options);
  return summaryOf(result, (host.elapsedMs() - startMs) / 1000);
}

function byName(scenarios: readonly Scenario[], name: string): Scenario {
  const scenario = scenarios.find((one) => one.name === name);
  assert(scenario !== undefined, `there is a scenario ${name}`);
  return scenario;
}

async function runOne(
  command: Extract<Command, { type: "one" }>,
  scenario: Scenario,
  host: Host,
): Promise<number> {
  const { seed, byReference, twice, verbose } = command;
  const options = { ...DEFAULT_OPTIONS, byReference, recorded: twice };
  const startMs = host.elapsedMs();
  let picture: Uint8Array | undefined;
  const film = command.html === undefined ? undefined : recorderOf();
  const inspect = (world: World): void => {
    if (film !== undefined) picture = encodeFilm(develop(world, film, scenario.name));
  };
  const result = await runSeed(scenario, seed, host.drain, { ...options, film, inspect });
  const wallSeconds = (host.elapsedMs() - startMs) / 1000;
  host.write(tellStory(scenario, result, verbose));
  if (twice) {
    const again = await runSeed(scenario, seed, host.drain, options);
    const at = firstDivergence(result.recording ?? [], again.recording ?? []);
    if (at !== undefined) {
      host.write(`\nthe run is not deterministic: event ${at} differs in a second run\n`);
      host.write(`FAIL seed=${seed} trace=${result.trace} second=${again.trace}\n`);
      return 1;
    }
    host.write("\na second run did the same, event by event\n");
  }
  host.write(tellViolation(result));
  const drawn = picture === undefined || writePicture(command, picture, host);
  host.write(verdictLine(result, wallSeconds));
  return result.violation === undefined && drawn ? 0 : 1;
}

/** Writes the picture and says so; false where that failed. */
function writePicture(
  { html = "", scenario, seed }: Extract<Command, { type: "one" }>,
  film: Uint8Array,
  host: Host,
): boolean {
  const written = host.writePicture(html, `${scenario}, seed ${seed}`, film);
  if (written.ok) host.write(`\npicture: ${html}, ${formatNumber(written.bytes)} bytes\n`);
  else host.writeError(`sim: cannot write ${html}: ${written.problem}\n`);
  return written.ok;
}
