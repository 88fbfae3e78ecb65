import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, CHANCE, WORKLOAD } from "./common.ts";

/** The whole cluster goes dark at once: what was acknowledged is on the disks or nowhere. */
export const powerLoss: Scenario = {
  name: "power-loss",
  summary: "the whole cluster loses power at once, again and again",
  cluster: ANY_CLUSTER,
  workload: { ...WORKLOAD, thinkMs: 15, inserts: 2 },
  faults: [
    { type: "blackout", chance: CHANCE, every: [500, 6000], lasts: [10, 1500] },
    {
      type: "slow_disk",
      of: "any",
      times: [5, 30, 200, 2000],
      chance: 300_000,
      every: [500, 3000],
      lasts: [500, 4000],
    },
    {
      type: "crash",
      of: "stores",
      power: "always",
      chance: 300_000,
      every: [500, 4000],
      lasts: [20, 1000],
    },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
