/**
 * The journal of a campaign, `runs.jsonl`: lines of JSON that are only ever added. What is in it
 * has been done and is never done again; a line that was not finished, the last one, does not
 * count.
 *
 * ```
 * {"type":"campaign","version":1,"build":…,"plan":…}   the first line
 * {"type":"name","name":"mark/election won"}           names are numbered in order, from 0
 * {"type":"run","scenario":…,"seed":…,…}               one run has ended
 * {"type":"again","scenario":…,"seed":…,…}             it was run twice more, in another process
 * ```
 */
import type { Plan } from "./plan.ts";

export const JOURNAL_VERSION = 1;

export interface Header {
  readonly type: "campaign";
  readonly version: number;
  /** Of the code that ran: two builds with the same name do the same for every seed. */
  readonly build: string;
  readonly plan: Plan;
}

export interface NameLine {
  readonly type: "name";
  readonly name: string;
}

export interface Run {
  readonly type: "run";
  readonly scenario: string;
  readonly seed: number;
  /** Empty where the worker has died. */
  readonly trace: string;
  /** When it ended: seconds of the campaign, all its sessions together. */
  readonly at: number;
  readonly wallSeconds: number;
  readonly virtualSeconds: number;
  readonly events: number;
  readonly operations: number;
  /** Whether something that has not converged was excused. */
  readonly excused: boolean;
  /** Number of a name, how often, and so on: what the run has met (`tally.ts`). */
  readonly counts: readonly number[];
  /** The violated check, and what is wrong in words. */
  readonly failure?: { readonly check: string; readonly text: string } | undefined;
}

export interface Again {
  readonly type: "again";
  readonly scenario: string;
  readonly seed: number;
  readonly at: number;
  /** Empty where all went the same way. */
  readonly difference: string;
}

export type Line = Header | NameLine | Run | Again;

export const lineText = (line: Line): string => `${JSON.stringify(line)}\n`;

/** A line of a journal; undefined where it is none. */
export function readLine(text: string): Line | undefined {
  const value = parsed(text);
  if (value === undefined) return undefined;
  switch (value["type"]) {
    case "campaign":
      return isHeader(value) ? (value as unknown as Header) : undefined;
    case "name":
      return typeof value["name"] === "string" ? (value as unknown as NameLine) : undefined;
    case "run":
      return isRun(value) ? (value as unknown as Run) : undefined;
    case "again":
      return isPlaced(value) && typeof value["difference"] === "string"
        ? (value as unknown as Again)
        : undefined;
    default:
      return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: Fields): boolean {
  const plan = value["plan"] as Fields | null | undefined;
  const shard = plan?.["shard"] as Fields | null | undefined;
  return (
    isCount(value["version"]) &&
    typeof value["build"] === "string" &&
    isListOf(plan?.["scenarios"], (name) => typeof name === "string") &&
    [plan?.["first"], plan?.["last"], shard?.["index"], shard?.["count"]].every(isCount) &&
    typeof plan?.["strategy"] === "string" &&
    typeof plan["byReference"] === "boolean"
  );
}

function isRun(value: Fields): boolean {
  const failure = value["failure"] as Fields | null | undefined;
  const times = [value["wallSeconds"], value["virtualSeconds"]];
  return (
    isPlaced(value) &&
    typeof value["trace"] === "string" &&
    times.every((time) => typeof time === "number") &&
    [value["events"], value["operations"]].every(isCount) &&
    typeof value["excused"] === "boolean" &&
    isListOf(value["counts"], isCount) &&
    (failure === undefined ||
      (typeof failure?.["check"] === "string" && typeof failure["text"] === "string"))
  );
}

const isPlaced = (value: Fields): boolean =>
  typeof value["scenario"] === "string" &&
  isCount(value["seed"]) &&
  typeof value["at"] === "number";

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const isListOf = (value: unknown, isOne: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne);
