import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Disks fill up and empty again: writes are refused, reads go on, and everything goes on by itself
 * once there is room.
 */
export const fullDisks: Scenario = {
  name: "full-disks",
  summary: "disks fill up, refuse writes at any call, and have room again",
  cluster: { stores: [3, 3, 4], members: [1, 3], replicas: [3] },
  workload: { ...WORKLOAD, thinkMs: 10, inserts: 2 },
  faults: [
    { type: "full_disk", of: "any", chance: CHANCE, every: [500, 4000], lasts: [300, 5000] },
    { type: "full_disk", of: "one", chance: 500_000, every: [500, 4000], lasts: [300, 8000] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 500_000,
      every: [500, 5000],
      lasts: [50, 2000],
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
