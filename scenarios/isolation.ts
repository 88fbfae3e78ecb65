import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, WORKLOAD } from "./common.ts";

/** Everything that clients do in transactions is recorded, and judged by its isolation. */
export const isolation: Scenario = {
  name: "isolation",
  summary:
    "recorded transactions of eleven workloads, judged by isolation while locks expire and leaders move",
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
    splits: 6,
  },
  faults: [
    {
      type: "hold_transactions",
      chance: 700_000,
      every: [500, 4000],
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
      every: [1000, 5000],
      lasts: [200, 4000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "everyone",
      chance: 300_000,
      every: [1000, 5000],
      lasts: [200, 3000],
    },
    { type: "pause", of: "stores", chance: 300_000, every: [1000, 5000], lasts: [100, 3000] },
    { type: "hold", chance: 300_000, every: [1000, 6000], lasts: [1000, 4000] },
    { type: "pause_client", chance: 500_000, every: [100, 2000], lasts: [100, 5000] },
  ],
  network: "any",
  safetyMs: 25_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};
