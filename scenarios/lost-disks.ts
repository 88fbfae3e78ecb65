import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Stores lose their disks and come back as new ones. As long as each region keeps a majority of
 * whole copies, nothing is lost, and the placement driver makes up what is missing.
 */
export const lostDisks: Scenario = {
  name: "lost-disks",
  summary: "stores lose their disks and come back empty, a minority of each region's at once",
  cluster: { stores: [3, 4, 4, 5], members: [1, 3], replicas: [3] },
  workload: { ...WORKLOAD, splits: 3 },
  faults: [
    { type: "wipe", regardless: false, chance: CHANCE, every: [1000, 6000], lasts: [100, 3000] },
    { type: "log_rot", chance: 700_000, every: [1000, 6000], lasts: [100, 3000] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 500_000,
      every: [1000, 5000],
      lasts: [50, 2000],
    },
    { type: "transfer_leader", chance: 500_000, every: [300, 3000], lasts: [1, 1] },
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "stores",
      chance: 300_000,
      every: [1000, 5000],
      lasts: [500, 3000],
    },
  ],
  network: "any",
  safetyMs: 40_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
