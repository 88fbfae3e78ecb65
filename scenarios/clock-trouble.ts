import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, CHANCE, WORKLOAD } from "./common.ts";

/**
 * Clocks drift, step and stand still on each node by itself, and processes stand still with them.
 */
export const clockTrouble: Scenario = {
  name: "clock-trouble",
  summary: "clocks drift, step and freeze, each node's by itself; processes stand still",
  cluster: ANY_CLUSTER,
  workload: { ...WORKLOAD, timestamps: 3, replicaReads: 100_000 },
  faults: [
    { type: "clock_drift", chance: CHANCE, every: [200, 3000], lasts: [1, 1] },
    { type: "clock_step", chance: 700_000, every: [300, 4000], lasts: [1, 1] },
    { type: "clock_freeze", chance: 500_000, every: [500, 4000], lasts: [500, 5000] },
    { type: "pause", of: "servers", chance: 600_000, every: [300, 3000], lasts: [200, 5000] },
    {
      type: "partition",
      shapes: ["isolate", "mute", "deaf"],
      among: "servers",
      chance: 700_000,
      every: [500, 4000],
      lasts: [500, 4000],
    },
    { type: "transfer_leader", chance: 500_000, every: [300, 3000], lasts: [1, 1] },
    {
      type: "crash",
      of: "members",
      power: "sometimes",
      chance: 300_000,
      every: [1000, 4000],
      lasts: [20, 1000],
    },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
