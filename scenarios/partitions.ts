import type { Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, CHANCE, WORKLOAD } from "./common.ts";

/** The network breaks into parts that do not see each other. */
export const partitions: Scenario = {
  name: "partitions",
  summary: "the network breaks into parts, and messages are lost, doubled, held and overtaken",
  cluster: ANY_CLUSTER,
  workload: WORKLOAD,
  faults: [
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "servers",
      chance: CHANCE,
      every: [500, 4000],
      lasts: [200, 5000],
    },
    {
      type: "partition",
      shapes: ["isolate", "halves"],
      among: "everyone",
      chance: 300_000,
      every: [1000, 5000],
      lasts: [200, 4000],
    },
    { type: "clog", among: "servers", chance: 300_000, every: [500, 4000], lasts: [100, 3000] },
    { type: "hold", chance: 400_000, every: [1000, 6000], lasts: [1000, 8000] },
    { type: "transfer_leader", chance: 300_000, every: [300, 3000], lasts: [1, 1] },
  ],
  network: "any",
  safetyMs: 30_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
