import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/** Partial connectivity: some nodes see a majority, others only a neighbour. */
export const bridgePartitions: Scenario = {
  name: "bridge-partitions",
  summary: "nodes see only some of the others: bridges, rings, chains and stars",
  cluster: { stores: [3, 5, 5], members: [3], replicas: [3, 5] },
  workload: WORKLOAD,
  faults: [
    {
      type: "partition",
      shapes: ["bridge", "ring", "chain", "star"],
      among: "stores",
      chance: CHANCE,
      every: [500, 3000],
      lasts: [1000, 8000],
    },
    {
      type: "partition",
      shapes: ["bridge", "chain", "star"],
      among: "members",
      chance: 500_000,
      every: [500, 3000],
      lasts: [1000, 8000],
    },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 300_000,
      every: [3000, 8000],
      lasts: [200, 3000],
    },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
