import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Leaders hand over to followers that are stuck: these campaign when the leader has long given up
 * on them, and reads by its lease again. Much is idle, so that most followers have all they need.
 */
export const lateHandovers: Scenario = {
  name: "late-handovers",
  summary: "followers that were told to lead campaign late, when their leaders go on leading",
  cluster: { stores: [3], members: [1], replicas: [3] },
  workload: { ...WORKLOAD, registers: 4, timestamps: 0, thinkMs: 80, splits: 6 },
  faults: [
    { type: "transfer_leader", chance: CHANCE, every: [20, 400], lasts: [1, 1] },
    { type: "detain", chance: 800_000, every: [0, 30], lasts: [500, 3500] },
    { type: "sticking_disk", of: "any", chance: CHANCE, every: [100, 1000], lasts: [500, 4000] },
    { type: "pause", of: "stores", chance: 600_000, every: [200, 2000], lasts: [600, 2500] },
    { type: "links", among: "stores", chance: 700_000, every: [100, 1000], lasts: [300, 2500] },
    { type: "clog", among: "stores", chance: 500_000, every: [200, 2000], lasts: [200, 2000] },
    {
      type: "slow_disk",
      of: "any",
      times: [200, 2000],
      chance: 300_000,
      every: [200, 2000],
      lasts: [500, 4000],
    },
  ],
  network: "any",
  safetyMs: 20_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
