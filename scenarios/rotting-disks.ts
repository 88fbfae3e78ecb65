import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Disks lose what they were given, at most a minority of each region's at once. No damaged byte may
 * reach a client; what is damaged is put out of service and made anew from the others.
 */
export const rottingDisks: Scenario = {
  name: "rotting-disks",
  summary: "tables rot, cannot be read and are written over, on a minority of each region's disks",
  cluster: { stores: [3, 3, 4, 5], members: [1, 3], replicas: [3, 3, 5] },
  workload: { ...WORKLOAD, thinkMs: 10, splits: 3 },
  faults: [
    {
      type: "damage",
      kinds: ["rot", "bad_sector", "stray_write"],
      chance: CHANCE,
      every: [200, 2000],
      lasts: [1, 1],
    },
    { type: "transfer_leader", chance: 600_000, every: [300, 2000], lasts: [1, 1] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 600_000,
      every: [500, 4000],
      lasts: [20, 2000],
    },
    {
      type: "partition",
      shapes: ["isolate", "mute"],
      among: "stores",
      chance: 300_000,
      every: [1000, 5000],
      lasts: [500, 3000],
    },
  ],
  network: "any",
  safetyMs: 25_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: [],
};
