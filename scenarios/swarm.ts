import type { Fault, Scenario } from "../sim/scenario.ts";
import { ANY_CLUSTER, WORKLOAD } from "./common.ts";

/**
 * Of each fault's chance to be part of a seed: about a third of all. What a seed leaves out matters
 * more than how hard it strikes, as most faults hide what others would show.
 */
const chance = 300_000;

/** Everything that there is. */
const EVERYTHING: readonly Fault[] = [
  {
    type: "partition",
    shapes: ["isolate", "halves", "bridge", "ring", "chain", "star", "one_way", "deaf", "mute"],
    among: "servers",
    chance,
    every: [500, 5000],
    lasts: [200, 5000],
  },
  {
    type: "partition",
    shapes: ["isolate", "halves", "bridge"],
    among: "everyone",
    chance,
    every: [1000, 6000],
    lasts: [200, 3000],
  },
  { type: "links", among: "servers", chance, every: [500, 4000], lasts: [200, 4000] },
  { type: "clog", among: "everyone", chance, every: [500, 4000], lasts: [100, 3000] },
  { type: "swizzle", among: "servers", chance, every: [1000, 5000], lasts: [300, 4000] },
  { type: "flap", among: "servers", chance, every: [1000, 5000], lasts: [500, 6000] },
  { type: "hold", chance, every: [500, 5000], lasts: [500, 6000] },
  {
    type: "crash",
    of: "servers",
    power: "sometimes",
    chance,
    every: [300, 4000],
    lasts: [20, 3000],
  },
  { type: "trap", of: "servers", chance, every: [300, 3000], lasts: [100, 3000] },
  { type: "rack", chance, every: [1000, 8000], lasts: [100, 3000] },
  { type: "blackout", chance, every: [2000, 10_000], lasts: [10, 1500] },
  { type: "reconfigure", of: "servers", chance, every: [500, 5000], lasts: [20, 1000] },
  { type: "wipe", regardless: false, chance, every: [2000, 10_000], lasts: [100, 2000] },
  { type: "log_rot", chance, every: [2000, 10_000], lasts: [100, 2000] },
  { type: "pause", of: "servers", chance, every: [500, 5000], lasts: [50, 4000] },
  { type: "pause_client", chance, every: [300, 3000], lasts: [100, 4000] },
  {
    type: "ambush",
    at: "elections",
    blows: ["isolate", "mute", "deaf", "crash", "power", "pause"],
    chance,
    every: [0, 400],
    lasts: [20, 2500],
  },
  { type: "detain", chance, every: [0, 100], lasts: [200, 3500] },
  { type: "betray", chance, every: [2000, 8000], lasts: [500, 3000] },
  { type: "transfer_leader", chance, every: [200, 3000], lasts: [1, 1] },
  { type: "rearrange_region", chance, every: [500, 5000], lasts: [1, 1] },
  { type: "drain_store", chance, every: [2000, 10_000], lasts: [1000, 8000] },
  { type: "clock_drift", chance, every: [200, 3000], lasts: [1, 1] },
  { type: "clock_step", chance, every: [500, 5000], lasts: [1, 1] },
  { type: "clock_freeze", chance, every: [1000, 6000], lasts: [500, 5000] },
  {
    type: "slow_disk",
    of: "any",
    times: [5, 30, 200],
    chance,
    every: [500, 5000],
    lasts: [200, 4000],
  },
  { type: "sticking_disk", of: "any", chance, every: [500, 5000], lasts: [200, 4000] },
  { type: "failing_disk", of: "any", chance, every: [1000, 8000], lasts: [200, 2000] },
  { type: "full_disk", of: "any", chance, every: [1000, 8000], lasts: [200, 4000] },
  {
    type: "damage",
    kinds: ["rot", "bad_sector", "stray_write"],
    chance,
    every: [500, 5000],
    lasts: [1, 1],
  },
];

/**
 * Anything may happen at once, on any cluster with any settings. Nobody asks for fewer than three
 * replicas: damage that has not been met yet could then be all that is left.
 */
export const swarm: Scenario = {
  name: "swarm",
  summary: "any faults at once: each seed has a random part of all there are",
  cluster: ANY_CLUSTER,
  workload: { ...WORKLOAD, splits: 5, replicaCounts: [3, 3, 4, 5] },
  faults: EVERYTHING,
  network: "any",
  safetyMs: 30_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: [],
};

/** The same around transactions, whose isolation is judged. */
export const swarmTransactions: Scenario = {
  ...swarm,
  name: "swarm-transactions",
  summary: "any faults at once around recorded transactions, judged by their isolation",
  workload: {
    ...WORKLOAD,
    registers: 0,
    replicaReads: 0,
    inserts: 0,
    recorded: 6,
    brooms: 1,
    strays: 1,
    thinkMs: 50,
    splits: 5,
  },
  faults: [
    ...EVERYTHING,
    { type: "hold_transactions", chance, every: [500, 4000], lasts: [500, 4000] },
  ],
};
