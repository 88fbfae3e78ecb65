/** Turns what was decided in a run into a schedule that says it outright. */
import type { Strategy } from "../search/strategy.ts";
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

/** The same, and those of the strategy where there is one. */
export const kindsOf = (strategy: Strategy | undefined): readonly string[] =>
  strategy === undefined ? KINDS : [...KINDS, "search"];

/** The same run, whose strikes and operations no longer depend on the seed. */
export const laidDown = (
  { strikes, operations }: Takes,
  beforeUs: number = Infinity,
  strategy?: Strategy,
): Schedule => ({
  drawn: kindsOf(strategy),
  strikes: strikes.filter(({ atUs }) => atUs <= beforeUs),
  operations: operations.filter(({ atUs }) => atUs <= beforeUs),
  fates: [],
  ...(strategy === undefined ? {} : { strategy }),
});
