import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, WORKLOAD } from "./common.ts";

/**
 * Recorded transactions while clocks go wrong and the oracle moves: what their isolation rests on
 * is timestamps and leases.
 */
export const isolationClocks: Scenario = {
  name: "isolation-clocks",
  summary: "recorded transactions while clocks drift, step and freeze and the oracle moves",
  cluster: ANY_CLUSTER,
  workload: {
    ...WORKLOAD,
    registers: 0,
    replicaReads: 0,
    inserts: 0,
    recorded: 8,
    brooms: 1,
    strays: 1,
    thinkMs: 50,
    splits: 4,
  },
  faults: [
    { type: "clock_drift", chance: 600_000, every: [200, 3000], lasts: [1, 1] },
    { type: "clock_step", chance: 600_000, every: [300, 4000], lasts: [1, 1] },
    { type: "clock_freeze", chance: 500_000, every: [500, 4000], lasts: [500, 5000] },
    { type: "pause", of: "servers", chance: 500_000, every: [500, 4000], lasts: [200, 4000] },
    {
      type: "crash",
      of: "members",
      power: "sometimes",
      chance: 400_000,
      every: [1000, 5000],
      lasts: [20, 1000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "servers",
      chance: 400_000,
      every: [1000, 5000],
      lasts: [500, 4000],
    },
    { type: "transfer_leader", chance: 500_000, every: [300, 3000], lasts: [1, 1] },
    { type: "hold_transactions", chance: 500_000, every: [500, 4000], lasts: [500, 4000] },
  ],
  network: "any",
  safetyMs: 25_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
