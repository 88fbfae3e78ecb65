import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Stores lose their disks one after another, more of them than anybody can survive. What is lost
 * by it must be told by name; what is not must go on.
 */
export const lostQuorums: Scenario = {
  name: "lost-quorums",
  summary: "stores lose their disks whatever is lost by it: what cannot recover is named",
  cluster: { stores: [3, 4, 5], members: [1, 3], replicas: [1, 3, 3] },
  workload: { ...WORKLOAD, splits: 4 },
  faults: [
    { type: "wipe", regardless: true, chance: CHANCE, every: [4000, 20_000], lasts: [100, 3000] },
    { type: "transfer_leader", chance: 300_000, every: [300, 3000], lasts: [1, 1] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 300_000,
      every: [1000, 5000],
      lasts: [50, 2000],
    },
  ],
  network: "any",
  safetyMs: 25_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
