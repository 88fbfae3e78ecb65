/** Turns what was decided in a run into a schedule that says it outright. */
import type { Schedule } from "./schedule.ts";
import type { Takes } from "./takes.ts";

/** All kinds of decisions that a schedule may leave to the seed, beside faults and operations. */
export const KINDS: readonly string[] = [
  "knob",
  "net",
  "disk",
  "clock",
  "crash",
  "start",
  "operator",
  "liveness",
];

/** The same run, whose strikes and operations no longer depend on the seed. */
export const laidDown = (
  { strikes, operations }: Takes,
  beforeUs: number = Infinity,
): Schedule => ({
  drawn: KINDS,
  strikes: strikes.filter(({ atUs }) => atUs <= beforeUs),
  operations: operations.filter(({ atUs }) => atUs <= beforeUs),
  fates: [],
});
