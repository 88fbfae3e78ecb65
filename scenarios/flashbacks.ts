import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, WORKLOAD } from "./common.ts";

/** Ranges go back to what they were, in regions that others use as well. */
export const flashbacks: Scenario = {
  name: "flashbacks",
  summary: "ranges are flashed back, in regions where money moves, while leaders move and fall",
  cluster: ANY_CLUSTER,
  workload: {
    ...WORKLOAD,
    registers: 0,
    replicaReads: 0,
    inserts: 0,
    bank: 4,
    rewinders: 2,
    brooms: 1,
    thinkMs: 80,
    splits: 6,
  },
  faults: [
    { type: "hold_transactions", chance: 600_000, every: [500, 4000], lasts: [500, 4000] },
    {
      type: "hold_transactions",
      kinds: [
        "call KvPrepareFlashbackToVersion",
        "call KvFlashbackToVersion",
        "answer KvFlashbackToVersion",
      ],
      chance: 600_000,
      every: [200, 3000],
      lasts: [500, 4000],
    },
    { type: "transfer_leader", chance: 600_000, every: [200, 2000], lasts: [1, 1] },
    {
      type: "crash",
      of: "servers",
      power: "sometimes",
      chance: 500_000,
      every: [500, 5000],
      lasts: [50, 2000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "servers",
      chance: 400_000,
      every: [2000, 8000],
      lasts: [200, 3000],
    },
    { type: "pause", of: "stores", chance: 300_000, every: [1000, 5000], lasts: [100, 3000] },
    { type: "pause_client", chance: 400_000, every: [200, 3000], lasts: [100, 3000] },
  ],
  network: "any",
  safetyMs: 20_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
