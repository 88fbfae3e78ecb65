/** Schedules from files: shown in words, and played again. */
import { assert } from "../../engine/base/assert.ts";
import { decodeSchedule, type ScheduleFile } from "../decisions/file.ts";
import type { PlannedFate, PlannedOperation } from "../decisions/schedule.ts";
import { wordsOf } from "../faults/words.ts";
import type { Scenario } from "../scenario.ts";
import { sizeOf } from "../shrink/shrink.ts";
import { RANDOM, strategyText } from "../search/strategy.ts";
import { seconds } from "../trace/trace.ts";
import type { Command } from "./arguments.ts";
import type { Host } from "./host.ts";
import { runOne } from "./one.ts";

export function byName(scenarios: readonly Scenario[], name: string): Scenario {
  const scenario = scenarios.find((one) => one.name === name);
  assert(scenario !== undefined, `there is a scenario ${name}`);
  return scenario;
}

/** Reads a schedule; says what is wrong with the file where it is none. */
export function readSchedule(
  path: string,
  scenarios: readonly Scenario[],
  host: Host,
): ScheduleFile | undefined {
  const refuse = (problem: string): undefined => {
    host.writeError(`sim: ${path}: ${problem}\n`);
    return undefined;
  };
  const read = host.readFile(path);
  if (!read.ok) return refuse(read.problem);
  const decoded = decodeSchedule(read.bytes);
  if (!decoded.ok) return refuse(decoded.reason);
  const { file } = decoded;
  if (scenarios.some(({ name }) => name === file.scenario)) return file;
  return refuse(`there is no scenario "${file.scenario}" any more`);
}

export function showSchedule(
  { file: path }: Extract<Command, { type: "show" }>,
  scenarios: readonly Scenario[],
  host: Host,
): number {
  const file = readSchedule(path, scenarios, host);
  if (file === undefined) return 2;
  host.write(tellSchedule(file));
  return 0;
}

export async function replay(
  { file: path, verbose, html }: Extract<Command, { type: "replay" }>,
  scenarios: readonly Scenario[],
  host: Host,
): Promise<number> {
  const file = readSchedule(path, scenarios, host);
  if (file === undefined) return 2;
  const { scenario, seed, schedule } = file;
  const how = { byReference: false, twice: false, verbose, html, save: undefined };
  const again = `npm run sim -- replay ${path}`;
  const command = { type: "one", scenario, seed, strategy: RANDOM, ...how } as const;
  return runOne(command, byName(scenarios, scenario), { schedule, again }, host);
}

/** What a schedule says, in the order of time. */
export function tellSchedule({ scenario, seed, check, text, schedule }: ScheduleFile): string {
  const { drawn, strikes, operations, fates, safetyUs, strategy } = schedule;
  const timed = [
    ...strikes.map(({ atUs, lastsUs, strike }) => [atUs, wordsOf(strike, lastsUs)] as const),
    ...operations.map((one) => [one.atUs, wordsOfOperation(one)] as const),
  ].sort(([a], [b]) => a - b);
  const lines = [
    `${scenario}, seed ${seed}${check === "" ? "" : `: ${check} is violated`}`,
    ...(text === "" ? [] : [`  ${text.split("\n").join("\n  ")}`]),
    "",
    `${sizeOf(schedule)} decisions:`,
    ...timed.map(([atUs, what]) => `${seconds(atUs).padStart(10)}  ${what}`),
    ...fates.map((fate) => `            ${wordsOfFate(fate)}`),
    ...drawn.map((name) => `            drawn by the seed: ${name}`),
    ...(safetyUs === undefined ? [] : [`${seconds(safetyUs).padStart(10)}  faults end`]),
    ...(strategy === undefined ? [] : [`            searched by ${strategyText(strategy)}`]),
    "            everything else takes the middle of what it could be, or does not happen",
  ];
  return `${lines.join("\n")}\n`;
}

const wordsOfOperation = ({ client, number }: PlannedOperation): string =>
  `${client} does its operation ${number}`;

function wordsOfFate({ lane, number, held, delays }: PlannedFate): string {
  const [, link = "", type = ""] = /^net\/([^/]*)\/(.*)$/.exec(lane) ?? [];
  const late = delays.map((us) => `${us / 1000} ms`).join(" and ");
  const what = delays.length === 0 ? "is lost" : `comes after ${late}${held ? ", held back" : ""}`;
  return `message ${number} of type ${type}, ${link.replace(">", " to ")}, ${what}`;
}
