/**
 * Schedules as files: one msgpack value that names the scenario, the seed and what went wrong.
 * Later versions of the code play them again by the names of decisions; what no longer exists is
 * passed over.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import type { Strike } from "../faults/strike.ts";
import { isStrategy } from "../search/strategy.ts";
import type { PlannedFate, PlannedOperation, PlannedStrike, Schedule } from "./schedule.ts";

export const SCHEDULE_VERSION = 1;

export interface ScheduleFile {
  readonly scenario: string;
  readonly seed: string;
  /** The check that was violated, and how; empty where none was. */
  readonly check: string;
  readonly text: string;
  readonly schedule: Schedule;
}

export type DecodedSchedule =
  | { readonly ok: true; readonly file: ScheduleFile }
  | { readonly ok: false; readonly reason: string };

export const encodeSchedule = (file: ScheduleFile): Uint8Array =>
  new Encoder({ ignoreUndefined: true }).encode({
    type: "rutile schedule",
    version: SCHEDULE_VERSION,
    ...file,
  });

export function decodeSchedule(bytes: Uint8Array): DecodedSchedule {
  let value: unknown;
  try {
    value = new Decoder().decode(bytes);
  } catch (error) {
    return { ok: false, reason: `no schedule: ${error instanceof Error ? error.message : ""}` };
  }
  if (!isRecord(value) || value["type"] !== "rutile schedule") {
    return { ok: false, reason: "no schedule" };
  }
  const { version } = value;
  if (version !== SCHEDULE_VERSION) {
    const reason = `a schedule of version ${String(version)}, not ${SCHEDULE_VERSION}`;
    return { ok: false, reason };
  }
  const problem = problemOf(value);
  if (problem !== undefined) return { ok: false, reason: problem };
  const { scenario, seed, check, text, schedule } = value as unknown as ScheduleFile;
  return { ok: true, file: { scenario, seed, check, text, schedule } };
}

function problemOf(value: Readonly<Record<string, unknown>>): string | undefined {
  for (const field of ["scenario", "seed", "check", "text"]) {
    if (typeof value[field] !== "string") return `its ${field} is no text`;
  }
  const { schedule } = value;
  if (!isRecord(schedule)) return "it has no decisions";
  const { drawn, strikes, operations, fates, safetyUs, strategy } = schedule;
  if (!isListOf(drawn, (name) => typeof name === "string")) return "its drawn names are no list";
  if (!isListOf(strikes, isStrike)) return "one of its strikes is none that this version knows";
  if (!isListOf(operations, isOperation)) return "one of its operations is none";
  if (!isListOf(fates, isFate)) return "one of its messages is none";
  if (safetyUs !== undefined && !isTime(safetyUs)) return "its end of the faults is no time";
  if (strategy !== undefined && !isStrategy(strategy)) return "its strategy is none";
  return undefined;
}

type Field = "text" | "number" | "flag" | "list" | "any";

/** What the strikes of each type are made of. */
const STRIKES: Readonly<Record<Strike["type"], Readonly<Record<string, Field>>>> = {
  cut: { shape: "text", nodes: "list", links: "list" },
  clog: { nodes: "list", links: "list" },
  hold: { messageType: "text", millionths: "number", delay: "any", maxCopies: "number" },
  crash: { machine: "text", power: "flag" },
  flap: { nodes: "list", links: "list", cutUs: "number", wholeUs: "number" },
  swizzle: { nodes: "list", links: "list" },
  rack: { rack: "text", loses: "text", servers: "list" },
  trap: {
    machine: "text",
    after: "text",
    skip: "number",
    power: "flag",
    downUs: "number",
  },
  reconfigure: { machine: "text", settings: "any" },
  wipe: { machine: "text", regardless: "flag" },
  blackout: { starts: "list" },
  pause: { machine: "text" },
  pause_client: { client: "text" },
  betray: { leader: "text", heirs: "list", friends: "list", waitUs: "number" },
  transfer_placement: { member: "text" },
  transfer_region: { region: "number", store: "text" },
  rearrange_region: { region: "number", voters: "list", learners: "list" },
  drain_store: { store: "text" },
  clock_drift: { machine: "text", millionths: "number" },
  clock_step: { machine: "text", us: "number" },
  clock_freeze: { machine: "text", caughtUp: "flag" },
  slow_disk: { machine: "text", times: "number" },
  sticking_disk: { machine: "text", stuckUs: "number", percent: "number" },
  failing_sync: { machine: "text" },
  failing_disk: { machine: "text", percent: "number" },
  refusing_disk: { machine: "text", percent: "number" },
  full_disk: { machine: "text", roomBytes: "number" },
  rot: { machine: "text", file: "text", offset: "number", bit: "number" },
  bad_sector: { machine: "text", file: "text", offset: "number", bit: "number" },
  stray_write: { machine: "text", file: "text", offset: "number", bit: "number" },
  log_rot: { machine: "text", file: "text", offset: "number", bit: "number" },
};

function isStrike(value: unknown): value is PlannedStrike {
  if (!isRecord(value) || typeof value["name"] !== "string") return false;
  const { atUs, lastsUs, strike } = value;
  if (!isTime(atUs) || !isTime(lastsUs) || !isRecord(strike)) return false;
  const fields = (STRIKES as Readonly<Record<string, Readonly<Record<string, Field>>>>)[
    String(strike["type"])
  ];
  return (
    fields !== undefined &&
    Object.entries(fields).every(([field, kind]) => isOfKind(strike[field], kind))
  );
}

function isOfKind(value: unknown, kind: Field): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "flag":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    default:
      return value !== undefined;
  }
}

const isOperation = (value: unknown): value is PlannedOperation =>
  isRecord(value) &&
  typeof value["client"] === "string" &&
  isTime(value["number"]) &&
  isTime(value["atUs"]);

const isFate = (value: unknown): value is PlannedFate =>
  isRecord(value) &&
  typeof value["lane"] === "string" &&
  isTime(value["number"]) &&
  typeof value["held"] === "boolean" &&
  isListOf(value["delays"], isTime);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne);

const isTime = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
