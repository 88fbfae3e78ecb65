/** What was decided in a run, written down while it goes on: what a schedule can be made of. */
import type { PlannedFate, PlannedOperation, PlannedStrike } from "./schedule.ts";

/** Mutable: one for a run. */
export interface Takes {
  readonly strikes: PlannedStrike[];
  readonly operations: PlannedOperation[];
  /** Only of the lanes that are asked for: there are many messages. */
  readonly fates: (PlannedFate & { readonly atUs: number })[];
  readonly wanted: (lane: string) => boolean;
  /** Series of decisions that there were: lanes of links and of disks, machines' clocks… */
  readonly series: Set<string>;
}

export const takesOf = (wanted: (lane: string) => boolean = () => false): Takes => ({
  strikes: [],
  operations: [],
  fates: [],
  wanted,
  series: new Set(),
});
