import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * What transactions ask of stores comes late, twice, or to the next leader; what stores replicate
 * is slow. Servers stay up and can reach each other, so that much is done meanwhile.
 */
export const lateCalls: Scenario = {
  name: "late-calls",
  summary: "calls of recorded transactions come late, twice or to the next leader",
  cluster: { stores: [3], members: [1], replicas: [3] },
  workload: {
    ...WORKLOAD,
    registers: 0,
    replicaReads: 0,
    inserts: 0,
    recorded: 10,
    brooms: 1,
    thinkMs: 20,
    splits: 3,
  },
  faults: [
    { type: "hold_transactions", chance: CHANCE, every: [100, 1500], lasts: [200, 3000] },
    { type: "hold_transactions", chance: 500_000, every: [200, 2000], lasts: [500, 4000] },
    // What a transaction began with comes when it has been rolled back, and others after it.
    {
      type: "hold_transactions",
      kinds: ["call KvPrewrite"],
      chance: 400_000,
      every: [100, 1000],
      lasts: [200, 2000],
    },
    // Where most clients stand still little is left to be late.
    { type: "pause_client", chance: 400_000, every: [20, 400], lasts: [50, 5000] },
    // The oracle then counts one by one, and timestamps that are calculated meet those it gives.
    { type: "clock_freeze", chance: 500_000, every: [100, 2000], lasts: [1000, 8000] },
    { type: "transfer_leader", chance: 700_000, every: [50, 800], lasts: [1, 1] },
    {
      type: "slow_disk",
      of: "any",
      times: [20, 200],
      chance: 600_000,
      every: [200, 2000],
      lasts: [500, 4000],
    },
    { type: "sticking_disk", of: "any", chance: 400_000, every: [300, 3000], lasts: [500, 4000] },
    { type: "clog", among: "everyone", chance: 400_000, every: [300, 3000], lasts: [200, 3000] },
  ],
  network: "any",
  safetyMs: 15_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
