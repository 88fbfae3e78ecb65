import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, CHANCE, WORKLOAD } from "./common.ts";

/**
 * Disks are slow, full, or lie as far as Raft can bear it: a sync fails after it has kept any part
 * of what it was given. (A disk that reports a sync done and forgets it breaks what Raft is built
 * on.)
 */
export const slowDisks: Scenario = {
  name: "slow-disks",
  summary: "disks are slow or full, and syncs fail after keeping any part of the data",
  cluster: ANY_CLUSTER,
  workload: WORKLOAD,
  faults: [
    {
      type: "slow_disk",
      of: "any",
      times: [5, 30, 200, 2000],
      chance: CHANCE,
      every: [200, 2000],
      lasts: [200, 4000],
    },
    { type: "sticking_disk", of: "any", chance: 400_000, every: [500, 4000], lasts: [500, 5000] },
    { type: "failing_disk", of: "any", chance: 600_000, every: [1000, 5000], lasts: [100, 1500] },
    { type: "full_disk", of: "any", chance: 300_000, every: [2000, 8000], lasts: [500, 3000] },
    {
      type: "crash",
      of: "servers",
      power: "always",
      chance: 600_000,
      every: [500, 4000],
      lasts: [20, 1500],
    },
    { type: "pause", of: "stores", chance: 200_000, every: [1000, 4000], lasts: [100, 2000] },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
