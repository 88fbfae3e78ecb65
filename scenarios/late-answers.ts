import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Leaders are cut off from their followers, and go on for a while by answers that come late: what
 * they ask then, somebody else may have decided already. Clients still reach them, and mostly read.
 */
export const lateAnswers: Scenario = {
  name: "late-answers",
  summary: "leaders that are cut off are believed by answers that come late",
  cluster: { stores: [3], members: [1], replicas: [3] },
  workload: {
    ...WORKLOAD,
    registers: 8,
    mix: [
      [30, "put"],
      [70, "get"],
    ],
    inserts: 0,
    timestamps: 0,
    splits: 1,
  },
  faults: [
    {
      type: "hold",
      types: ["heartbeat_response"],
      chance: CHANCE,
      every: [100, 800],
      lasts: [1000, 4000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "stores",
      chance: 800_000,
      every: [500, 2500],
      lasts: [1000, 4000],
    },
    { type: "pause", of: "stores", chance: 500_000, every: [500, 3000], lasts: [500, 3000] },
    { type: "transfer_leader", chance: 300_000, every: [500, 3000], lasts: [1, 1] },
  ],
  network: "any",
  safetyMs: 15_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
