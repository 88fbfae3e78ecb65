import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, WORKLOAD } from "./common.ts";

/** Regions are split under load while leaders move and stores lag behind. */
export const splits: Scenario = {
  name: "splits",
  summary: "regions are split under load while leaders move and stores fall behind",
  cluster: ANY_CLUSTER,
  workload: { ...WORKLOAD, splits: 12 },
  faults: [
    { type: "transfer_leader", chance: 700_000, every: [200, 2000], lasts: [1, 1] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 700_000,
      every: [500, 4000],
      lasts: [50, 3000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves", "mute"],
      among: "servers",
      chance: 600_000,
      every: [1000, 4000],
      lasts: [500, 5000],
    },
    { type: "hold", chance: 500_000, every: [1000, 5000], lasts: [1000, 6000] },
    { type: "pause", of: "stores", chance: 300_000, every: [1000, 4000], lasts: [100, 3000] },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
