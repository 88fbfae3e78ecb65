/** Where the smoke seeds are run, and what differs between two places. */
import { divergenceText } from "../../sim/cli/determinism.ts";
import type { Recording } from "../../sim/trace/trace.ts";
import type { Smoke } from "../sim/smoke.ts";

export interface Place {
  /** As in "under v24.9.0" or "in Chromium 140". */
  readonly name: string;
  /** The trace of each smoke seed, by the name that `nameOf` gives it. */
  traces(): Promise<ReadonlyMap<string, string>>;
  /** Every event of one. */
  recording(smoke: Smoke): Promise<Recording>;
  leave(): Promise<void>;
}

export const nameOf = ({ scenario, seed }: Smoke): string => `${scenario.name} ${seed}`;

/**
 * What differs in words: how many traces, and of the first of them the event at which the two
 * places part; undefined where every trace is the same.
 */
export async function differenceOf(
  smokes: readonly Smoke[],
  here: Place,
  there: Place,
): Promise<string | undefined> {
  const [ours, theirs] = [await here.traces(), await there.traces()];
  const differing = smokes.filter((smoke) => ours.get(nameOf(smoke)) !== theirs.get(nameOf(smoke)));
  const [first] = differing;
  if (first === undefined) return undefined;
  const name = nameOf(first);
  const sides = [here.name, there.name] as const;
  const [a, b] = [await here.recording(first), await there.recording(first)];
  const where = divergenceText(a, b, sides) ?? "both are the same when they are recorded";
  return (
    `${differing.length} of ${smokes.length} differ, the first is ${name}:\n` +
    `    trace ${ours.get(name)} ${here.name}, ${theirs.get(name)} ${there.name}\n    ${where}`
  );
}
