import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/** One store's disk is ten times slower than the others', reads too, for as long as it matters. */
export const oneSlowDisk: Scenario = {
  name: "one-slow-disk",
  summary: "one store's disk is ten times slower than the others'",
  cluster: { stores: [3, 3, 5], members: [3], replicas: [3] },
  workload: { ...WORKLOAD, thinkMs: 10, inserts: 2 },
  faults: [
    {
      type: "slow_disk",
      of: "one",
      times: [10],
      chance: CHANCE,
      every: [10, 100],
      lasts: [20_000, 20_000],
    },
    { type: "sticking_disk", of: "one", chance: 500_000, every: [500, 4000], lasts: [500, 5000] },
    { type: "transfer_leader", chance: 500_000, every: [300, 3000], lasts: [1, 1] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 300_000,
      every: [1000, 6000],
      lasts: [50, 2000],
    },
  ],
  network: "any",
  safetyMs: 20_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
