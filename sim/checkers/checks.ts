/**
 * All checkers of one run: what they know, how often each has looked, and the first violation any
 * of them found, which ends the run.
 */
import type { History } from "../workloads/history.ts";
import type { Authors } from "./authors.ts";
import type { GroupChecker } from "./group.ts";
import type { Hearts } from "./heartbeats.ts";
import type { ReplicaChecker } from "./replicas.ts";
import type { TimestampChecker } from "./timestamps.ts";
import type { CheckName, Violation } from "./verdict.ts";
import { emptyHistory } from "../workloads/history.ts";
import { groupChecker } from "./group.ts";
import { replicaChecker } from "./replicas.ts";
import { timestampChecker } from "./timestamps.ts";

/** Mutable: one for each run. */
export interface Checks {
  violation: Violation | undefined;
  readonly looks: Map<CheckName, number>;
  /** Why not everything has converged, with proof. */
  readonly excuses: string[];
  readonly history: History;
  readonly timestamps: TimestampChecker;
  readonly groups: GroupChecker;
  readonly replicas: ReplicaChecker;
  /** Empty where nobody runs transactions. */
  readonly authors: Authors;
  readonly hearts: Hearts;
  /** Up to which the placement driver lets versions be collected. */
  safePoint: bigint;
  /** What the placement driver had committed when convergence was last looked for. */
  placementCommit: number;
}

export const checksOf = (): Checks => ({
  violation: undefined,
  looks: new Map(),
  excuses: [],
  history: emptyHistory(),
  timestamps: timestampChecker(),
  groups: groupChecker(),
  replicas: replicaChecker(),
  authors: new Map(),
  hearts: new Map(),
  safePoint: 0n,
  placementCommit: 0,
});
