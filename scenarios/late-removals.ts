import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Members are told to lead, and hear of it when they are no voters any more: handovers come seconds
 * late, and regions are rearranged meanwhile. Much is idle, and nothing else goes wrong.
 */
export const lateRemovals: Scenario = {
  name: "late-removals",
  summary: "members are told to lead, and hear of it when they are voters no more",
  cluster: { stores: [4, 5], members: [1], replicas: [3] },
  workload: { ...WORKLOAD, registers: 2, inserts: 0, timestamps: 0, thinkMs: 150, splits: 5 },
  faults: [
    { type: "transfer_leader", chance: CHANCE, every: [20, 300], lasts: [1, 1] },
    { type: "rearrange_region", chance: CHANCE, every: [100, 1000], lasts: [1, 1] },
    {
      type: "hold",
      types: ["timeout_now"],
      chance: CHANCE,
      every: [50, 500],
      lasts: [3000, 9000],
    },
  ],
  network: "any",
  safetyMs: 20_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: ["regionHeartbeatMs"],
};
