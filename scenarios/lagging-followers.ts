import type { Scenario } from "../sim/scenario.ts";
import { WORKLOAD } from "./common.ts";

/**
 * Followers fall so far behind that the log no longer has what they need. Logs are short, windows
 * narrow and checkpoints frequent in every seed, so that little absence is enough.
 */
export const laggingFollowers: Scenario = {
  name: "lagging-followers",
  summary: "followers fall behind logs that are cut short, and are caught up by snapshots",
  cluster: { stores: [3, 3, 4], members: [1, 3], replicas: [3] },
  workload: { ...WORKLOAD, thinkMs: 15 },
  faults: [
    {
      type: "partition",
      shapes: ["isolate", "deaf", "mute", "bridge"],
      among: "stores",
      chance: 800_000,
      every: [200, 2000],
      lasts: [100, 3000],
    },
    { type: "clog", among: "stores", chance: 500_000, every: [300, 2000], lasts: [100, 3000] },
    { type: "pause", of: "stores", chance: 500_000, every: [300, 3000], lasts: [100, 2000] },
    { type: "hold", chance: 500_000, every: [500, 4000], lasts: [500, 4000] },
    {
      type: "crash",
      of: "stores",
      power: "sometimes",
      chance: 500_000,
      every: [500, 4000],
      lasts: [200, 4000],
    },
  ],
  network: "any",
  safetyMs: 15_000,
  livenessMs: 40_000,
  settings: "drawn",
  extreme: ["retainedEntries", "freezeLogBytes", "maxInflightMessages", "maxInflightBytes"],
};
