/**
 * Failures by signature: of each only its count and a few runs are kept, those that are the
 * shortest to read. Which ones does not depend on the order in which they come.
 */
import { signatureOf } from "../shrink/signature.ts";
import type { Run } from "./journal.ts";

export interface Example {
  readonly scenario: string;
  readonly seed: number;
  readonly events: number;
  readonly virtualSeconds: number;
  /** What is wrong in words. */
  readonly text: string;
}

export interface FailureGroup {
  readonly signature: string;
  readonly check: string;
  runs: number;
  /** By scenario, how many runs. */
  readonly scenarios: Map<string, number>;
  /** The shortest first. */
  examples: readonly Example[];
}

/** Runs that are kept of a signature. */
const KEPT = 5;
/** Signature of runs that went otherwise when they were repeated. */
export const NOT_DETERMINISTIC = "determinism";

/** Adds a failed run; gives its group. */
export function addFailure(
  groups: Map<string, FailureGroup>,
  { scenario, seed, events, virtualSeconds }: Run,
  failure: { readonly check: string; readonly text: string },
): FailureGroup {
  const signature = signatureOf(failure);
  const group = groups.get(signature) ?? {
    signature,
    check: failure.check,
    runs: 0,
    scenarios: new Map(),
    examples: [],
  };
  groups.set(signature, group);
  group.runs += 1;
  group.scenarios.set(scenario, (group.scenarios.get(scenario) ?? 0) + 1);
  const example = { scenario, seed, events, virtualSeconds, text: failure.text };
  group.examples = [...group.examples, example].sort(byLength).slice(0, KEPT);
  return group;
}

const byLength = (a: Example, b: Example): number =>
  a.events - b.events || a.seed - b.seed || (a.scenario < b.scenario ? -1 : 1);

/** What is met most often first; then by name. */
export const inOrder = (groups: Iterable<FailureGroup>): FailureGroup[] =>
  [...groups].sort((a, b) => b.runs - a.runs || (a.signature < b.signature ? -1 : 1));
