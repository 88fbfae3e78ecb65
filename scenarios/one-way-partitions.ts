import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, CHANCE, WORKLOAD } from "./common.ts";

/** Links break in one direction: nodes that hear and are not heard, or the reverse. */
export const oneWayPartitions: Scenario = {
  name: "one-way-partitions",
  summary: "links break in one direction only",
  cluster: ANY_CLUSTER,
  workload: WORKLOAD,
  faults: [
    {
      type: "partition",
      shapes: ["one_way", "deaf", "mute"],
      among: "servers",
      chance: CHANCE,
      every: [500, 4000],
      lasts: [200, 5000],
    },
    { type: "links", among: "everyone", chance: 500_000, every: [500, 4000], lasts: [200, 4000] },
    { type: "hold", chance: 300_000, every: [1000, 6000], lasts: [1000, 8000] },
    { type: "transfer_leader", chance: 200_000, every: [300, 3000], lasts: [1, 1] },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
