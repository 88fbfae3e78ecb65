import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Several peers of a region move at once, again and again, so that its groups go through
 * configurations of two majorities, and whoever has just taken a change is struck.
 */
export const rearrangements: Scenario = {
  name: "rearrangements",
  summary: "regions are rearranged through joint configurations, and changes of members are struck",
  cluster: { stores: [3, 4, 4, 5], members: [1, 3], replicas: [2, 3, 3] },
  workload: { ...WORKLOAD, registers: 3, splits: 1, replicaCounts: [2, 3, 3] },
  faults: [
    { type: "rearrange_region", chance: CHANCE, every: [200, 1500], lasts: [1, 1] },
    { type: "transfer_leader", chance: 600_000, every: [100, 1500], lasts: [1, 1] },
    {
      type: "ambush",
      at: "changes",
      blows: ["isolate", "mute", "deaf", "crash", "power", "pause"],
      chance: 700_000,
      every: [0, 400],
      lasts: [200, 3000],
    },
    {
      type: "ambush",
      at: "elections",
      blows: ["isolate", "deaf", "crash", "pause"],
      chance: 300_000,
      every: [0, 400],
      lasts: [20, 2500],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves", "deaf", "bridge"],
      among: "stores",
      chance: 400_000,
      every: [500, 4000],
      lasts: [500, 3000],
    },
    { type: "hold", chance: 400_000, every: [500, 4000], lasts: [500, 4000] },
    {
      type: "hold",
      types: ["timeout_now"],
      chance: 400_000,
      every: [200, 2000],
      lasts: [1000, 6000],
    },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 400_000,
      every: [500, 4000],
      lasts: [50, 2000],
    },
  ],
  network: "any",
  safetyMs: 15_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
