import type { Scenario } from "../sim/scenario.ts";
import { CHANCE, WORKLOAD } from "./common.ts";

/**
 * Versions are collected while they are young, and locks come when collectors have been there. Few
 * clients read, and regions seldom settle: else every store would soon have been asked for
 * something later than whatever comes late. Stores hear of safe points as seldom as real ones.
 */
export const lateCollections: Scenario = {
  name: "late-collections",
  summary: "old versions are collected before calls come that began long ago",
  cluster: { stores: [3, 5], members: [1], replicas: [3] },
  workload: {
    ...WORKLOAD,
    registers: 0,
    replicaReads: 0,
    inserts: 0,
    timestamps: 0,
    bank: 1,
    collectors: 2,
    lifeTimesMs: [1, 20, 100],
    graves: 3,
    thinkMs: 300,
    splits: 6,
  },
  faults: [
    {
      type: "hold_transactions",
      kinds: ["call KvPrewrite"],
      chance: CHANCE,
      every: [50, 800],
      lasts: [200, 2500],
    },
    { type: "transfer_leader", chance: 400_000, every: [200, 2000], lasts: [1, 1] },
    {
      type: "slow_disk",
      of: "any",
      times: [20, 200],
      chance: 500_000,
      every: [200, 2000],
      lasts: [500, 4000],
    },
    { type: "sticking_disk", of: "any", chance: 500_000, every: [300, 3000], lasts: [500, 4000] },
    { type: "clog", among: "stores", chance: 300_000, every: [300, 3000], lasts: [200, 2000] },
  ],
  network: "any",
  safetyMs: 20_000,
  livenessMs: 60_000,
  settings: "drawn",
  extreme: ["resolveMs", "pollMs"],
};
