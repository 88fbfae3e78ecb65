import type { Scenario } from "../sim/scenario.ts";
import { WORKLOAD } from "./common.ts";

/** Leaders fall soon after they have been elected, and come back. */
export const deposedLeaders: Scenario = {
  name: "deposed-leaders",
  summary: "whoever stands for election or has just won it is struck, and leaders are abandoned",
  cluster: { stores: [3, 3, 3, 5], members: [1, 3], replicas: [3, 5] },
  workload: WORKLOAD,
  faults: [
    {
      type: "ambush",
      at: "elections",
      blows: ["isolate", "mute", "deaf", "crash", "power", "pause"],
      chance: 700_000,
      every: [0, 400],
      lasts: [20, 2500],
    },
    { type: "betray", chance: 700_000, every: [1000, 5000], lasts: [500, 3000] },
    { type: "transfer_leader", chance: 500_000, every: [200, 2000], lasts: [1, 1] },
    { type: "hold", chance: 300_000, every: [1000, 5000], lasts: [500, 4000] },
    {
      type: "partition",
      shapes: ["isolate", "bridge"],
      among: "stores",
      chance: 300_000,
      every: [1000, 5000],
      lasts: [500, 3000],
    },
  ],
  network: "any",
  safetyMs: 12_000,
  livenessMs: 40_000,
  settings: "odd",
  extreme: [],
};
