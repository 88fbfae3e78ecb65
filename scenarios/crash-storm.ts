import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, CHANCE, WORKLOAD } from "./common.ts";

/** Servers crash and come back all the time, some without what they had not synced. */
export const crashStorm: Scenario = {
  name: "crash-storm",
  summary: "servers crash, lose power and stand still, and come back",
  cluster: ANY_CLUSTER,
  workload: WORKLOAD,
  faults: [
    {
      type: "crash",
      of: "servers",
      power: "sometimes",
      chance: CHANCE,
      every: [200, 3000],
      lasts: [50, 2000],
    },
    {
      type: "crash",
      of: "stores",
      power: "always",
      chance: 400_000,
      every: [100, 2000],
      lasts: [20, 300],
    },
    { type: "pause", of: "servers", chance: 500_000, every: [500, 4000], lasts: [50, 4000] },
    { type: "transfer_leader", chance: 300_000, every: [300, 3000], lasts: [1, 1] },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
