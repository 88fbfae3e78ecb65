import type { Scenario } from "../sim/scenario.ts";
import { WORKLOAD } from "./common.ts";

/**
 * Replicas come and go: the wanted number of replicas changes, stores are drained, fail and return.
 */
export const membershipChurn: Scenario = {
  name: "membership-churn",
  summary: "replicas are added and removed all the time while stores fail and are drained",
  cluster: { stores: [4, 5, 5], members: [1, 3], replicas: [1, 3] },
  workload: { ...WORKLOAD, splits: 3, replicaCounts: [1, 2, 3, 3, 4, 5] },
  faults: [
    { type: "transfer_leader", chance: 800_000, every: [200, 2000], lasts: [1, 1] },
    { type: "drain_store", chance: 600_000, every: [1000, 6000], lasts: [1000, 8000] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 600_000,
      every: [500, 5000],
      lasts: [50, 4000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves", "bridge", "one_way"],
      among: "stores",
      chance: 500_000,
      every: [1000, 5000],
      lasts: [500, 5000],
    },
    { type: "hold", chance: 400_000, every: [1000, 6000], lasts: [1000, 8000] },
    { type: "pause", of: "stores", chance: 300_000, every: [1000, 5000], lasts: [100, 4000] },
  ],
  network: "any",
  safetyMs: 40_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
