/** Reads a deed that comes from outside: a file, an address, another thread. */
import type { Deed } from "./deed.ts";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string" && value.length <= 2000;
const name: Check = (value) => text(value) && value !== "";
const flag: Check = (value) => typeof value === "boolean";
const mode: Check = (value) => value === "raw" || value === "transactional";
const within =
  (least: number, most: number): Check =>
  (value) =>
    isWhole(value) && value >= least && value <= most;
const links: Check = (value) =>
  Array.isArray(value) &&
  value.length <= 400 &&
  value.every((one) => Array.isArray(one) && one.length === 2 && one.every(name));

/** A clock does not run backwards, and one that is 16 times too fast shows all there is to see. */
export const DRIFT_LIMITS: readonly [number, number] = [-900_000, 15_000_000];
const HOUR_US = 3_600_000_000;

const FIELDS: Readonly<Record<Deed["type"], Readonly<Record<string, Check>>>> = {
  crash: { machine: name, power: flag },
  start: { machine: name },
  pause: { machine: name },
  resume: { machine: name },
  cut: { links },
  mend: { links },
  clock_drift: { machine: name, millionths: within(...DRIFT_LIMITS) },
  clock_step: { machine: name, us: within(-HOUR_US, HOUR_US) },
  clock_freeze: { machine: name },
  clock_thaw: { machine: name },
  slow_disk: { machine: name, times: within(1, 10_000) },
  failing_sync: { machine: name },
  full_disk: { machine: name },
  mend_disk: { machine: name },
  heal: {},
  put: { mode, key: name, value: text },
  get: { mode, key: name },
  delete: { mode, key: name },
  scan: { mode, key: text },
};

/** The deed that a value is; what is wrong with it where it is none. */
export function readDeed(value: unknown): Deed | string {
  if (!isRecord(value)) return "a deed must be an object";
  const { type } = value as { readonly type?: unknown };
  const known = Object.entries(FIELDS).find(([one]) => one === type);
  if (known === undefined) return `there is no deed ${String(type)}`;
  const fields = Object.entries(known[1]);
  const bad = fields.find(([field, check]) => !check(value[field]));
  if (bad !== undefined) return `${String(type)}: ${bad[0]} makes no sense`;
  // What else it says is left behind.
  const own = fields.map(([field]) => [field, value[field]]);
  return { type, ...(Object.fromEntries(own) as object) } as Deed;
}

export const isWhole = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value);

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
