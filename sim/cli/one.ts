/** One run, told to people. */
import type { Command } from "./arguments.ts";
import type { Host } from "./host.ts";
import { DEFAULT_OPTIONS } from "../build.ts";
import { laidDown } from "../decisions/laid-down.ts";
import { encodeSchedule } from "../decisions/file.ts";
import type { Schedule } from "../decisions/schedule.ts";
import { takesOf } from "../decisions/takes.ts";
import { encodeFilm } from "../film/codec.ts";
import { develop } from "../film/develop.ts";
import { recorderOf } from "../film/recorder.ts";
import type { World } from "../model.ts";
import { type RunResult, runSeed } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { divergenceText } from "./determinism.ts";
import { tellExcuses, tellStory, tellViolation, verdictLine } from "./story.ts";
import { formatNumber } from "./table.ts";

/** What is run beside the scenario and seed, and the command that does it again. */
export interface Source {
  readonly schedule: Schedule;
  readonly again: string;
}

export type One = Extract<Command, { type: "one" }>;

/** Runs it, tells of it and writes what is asked for; gives the exit status. */
export async function runOne(
  command: One,
  scenario: Scenario,
  { schedule, again: replay }: Source,
  host: Host,
): Promise<number> {
  const { seed, byReference, twice, verbose } = command;
  const takes = command.save === undefined ? undefined : takesOf();
  const options = { ...DEFAULT_OPTIONS, byReference, schedule, recorded: twice };
  const startMs = host.elapsedMs();
  let picture: Uint8Array | undefined;
  const film = command.html === undefined ? undefined : recorderOf();
  const inspect = (world: World): void => {
    if (film !== undefined) picture = encodeFilm(develop(world, film, scenario.name));
  };
  const result = await runSeed(scenario, seed, host.drain, { ...options, takes, film, inspect });
  const wallSeconds = (host.elapsedMs() - startMs) / 1000;
  host.write(tellStory(scenario, result, verbose));
  if (twice) {
    const again = await runSeed(scenario, seed, host.drain, options);
    const difference = divergenceText(result.recording, again.recording);
    if (difference !== undefined) {
      host.write(`\nthe run is not deterministic: ${difference}\n`);
      host.write(`FAIL seed=${seed} trace=${result.trace} second=${again.trace}\n`);
      return 1;
    }
    host.write("\na second run did the same, event by event\n");
  }
  host.write(tellExcuses(result));
  host.write(tellViolation(result, replay));
  const drawn = picture === undefined || writePicture(command, picture, host);
  const saved =
    takes === undefined ||
    save(command, laidDown(takes, result.virtualUs, schedule.strategy), result, host);
  host.write(verdictLine(result, wallSeconds));
  return result.violation === undefined && drawn && saved ? 0 : 1;
}

/** Writes the picture and says so; false where that failed. */
function writePicture({ html = "", scenario, seed }: One, film: Uint8Array, host: Host): boolean {
  const written = host.writePicture(html, `${scenario}, seed ${seed}`, film);
  if (written.ok) host.write(`\npicture: ${html}, ${formatNumber(written.bytes)} bytes\n`);
  else host.writeError(`sim: cannot write ${html}: ${written.problem}\n`);
  return written.ok;
}

/** Writes the schedule of the run and says so; false where that failed. */
function save({ save: path = "" }: One, schedule: Schedule, run: RunResult, host: Host): boolean {
  const { scenario, seed, violation } = run;
  const { check = "", text = "" } = violation ?? {};
  const problem = host.writeFile(path, encodeSchedule({ scenario, seed, check, text, schedule }));
  if (problem === undefined) host.write(`\nschedule: ${path}\n`);
  else host.writeError(`sim: cannot write ${path}: ${problem}\n`);
  return problem === undefined;
}
