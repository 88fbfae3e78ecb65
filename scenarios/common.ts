/** What the scenarios share: usual clusters and workloads. */
import type { ClusterShape, Workload } from "../sim/scenario.ts";

export const CHANCE = 1_000_000;

/** Three stores mostly, and the shapes where majorities are something else. */
export const ANY_CLUSTER: ClusterShape = {
  stores: [3, 3, 3, 4, 5],
  members: [1, 3, 3],
  replicas: [3, 3, 3, 5, 1],
};

export const WORKLOAD: Workload = {
  registers: 5,
  mix: [
    [30, "put"],
    [40, "get"],
    [5, "delete"],
    [12, "swap"],
    [4, "batch_put"],
    [4, "batch_get"],
    [5, "scan"],
  ],
  replicaReads: 250_000,
  inserts: 1,
  timestamps: 1,
  bank: 0,
  recorded: 0,
  collectors: 0,
  lifeTimesMs: [200, 1000, 4000],
  brooms: 0,
  graves: 0,
  strays: 0,
  rewinders: 0,
  thinkMs: 25,
  splits: 2,
  replicaCounts: [],
};
