import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/** Little but timestamps: who grants them changes all the time, and forth and back. */
export const movingOracle: Scenario = {
  name: "moving-oracle",
  summary: "the placement driver's leadership goes forth and back under requests for timestamps",
  cluster: { stores: [1], members: [3, 3, 5], replicas: [1] },
  workload: { ...WORKLOAD, registers: 0, inserts: 1, timestamps: 6, thinkMs: 15, splits: 0 },
  faults: [
    { type: "transfer_leader", chance: 800_000, every: [50, 1500], lasts: [1, 1] },
    { type: "pause", of: "members", chance: 800_000, every: [200, 3000], lasts: [50, 4000] },
    {
      type: "crash",
      of: "members",
      power: "sometimes",
      chance: 600_000,
      every: [300, 4000],
      lasts: [20, 1000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves", "mute", "deaf"],
      among: "members",
      chance: 600_000,
      every: [300, 4000],
      lasts: [100, 3000],
    },
    {
      type: "slow_disk",
      of: "any",
      times: [20, 200],
      chance: 600_000,
      every: [300, 3000],
      lasts: [500, 4000],
    },
    { type: "sticking_disk", of: "any", chance: 600_000, every: [300, 3000], lasts: [500, 4000] },
    { type: "clock_step", chance: 800_000, every: [200, 3000], lasts: [1, 1] },
    { type: "clock_freeze", chance: 500_000, every: [500, 4000], lasts: [500, 5000] },
    { type: "clock_drift", chance: CHANCE, every: [200, 3000], lasts: [1, 1] },
    { type: "hold", chance: 300_000, every: [500, 4000], lasts: [500, 3000] },
  ],
  network: "any",
  safetyMs: 25_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: ["windowMs"],
};
