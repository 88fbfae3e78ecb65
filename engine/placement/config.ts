/**
 * What a member of the placement driver is told when it starts. Times are milliseconds of the
 * monotonic clock.
 */
import { assert } from "../base/assert.ts";
import type { PeerId } from "../base/ids.ts";
import type { SharedConfig } from "../raft/config.ts";
import { DEFAULT_LSM } from "../storage/lsm/config.ts";
import type { StorageConfig } from "../storage/types.ts";
import type { Member } from "./types.ts";

export interface PlacementConfig {
  /** All members of the group, in ascending order of id; the same on each. */
  readonly members: readonly Member[];
  /** Which of them this one is. */
  readonly id: PeerId;
  /** Seeds the election timeouts. Different on each member. */
  readonly seed: number;
  /**
   * Where the cluster id is drawn from, should this member be the first leader of a new cluster.
   */
  readonly clusterIdSeed: bigint;
  readonly raft: SharedConfig;
  readonly storage: StorageConfig;
  /** How many voters a region is to have, unless the cluster's own configuration says. */
  readonly maxReplicas: number;
  /** How far ahead of the last timestamp the stored window reaches. */
  readonly windowMs: number;
  /** How many ids are reserved at a time. */
  readonly idBatch: number;
  /** How long a call waits for the leader to become able to answer. */
  readonly holdMs: number;
  /** A store silent for longer gets no new peers. */
  readonly storeDisconnectedMs: number;
  /** A store silent for longer has its peers replaced. */
  readonly storeDownMs: number;
  /** After this an operator that its region has not carried out is given up. */
  readonly operatorMs: number;
  /** How many applied entries make a checkpoint worth its while. */
  readonly checkpointEntries: number;
  /** `binary_version` of the members. */
  readonly version: string;
}

/** How often a member must be told that time passes, at least. */
export const TICK_MS = 50;

/** Everything that is not a member's own. */
export const DEFAULT_CONFIG: Omit<PlacementConfig, "members" | "id" | "seed" | "clusterIdSeed"> = {
  raft: {
    heartbeatMs: 100,
    electionMs: 1_000,
    leaseMs: 800,
    preVote: true,
    checkQuorum: true,
    priority: 0,
    maxAppendBytes: 1 << 20,
    maxApplyBytes: 1 << 20,
    maxInflightMessages: 64,
    maxInflightBytes: 16 << 20,
    maxUncommittedBytes: 16 << 20,
  },
  storage: { segmentBytes: 8 << 20, sliceBytes: 1 << 20, lsm: DEFAULT_LSM },
  maxReplicas: 3,
  windowMs: 3_000,
  idBatch: 1_000,
  holdMs: 1_000,
  storeDisconnectedMs: 20_000,
  storeDownMs: 30 * 60_000,
  operatorMs: 10 * 60_000,
  checkpointEntries: 1_000,
  version: "v8.5.0",
};

/** Fails on a configuration that no correct caller makes. */
export function assertConfig(config: PlacementConfig): void {
  const ids = config.members.map((member) => member.id);
  assert(ids.includes(config.id), "a member is one of the members");
  assert(
    ids.every((id, i) => i === 0 || ids[i - 1]! < id),
    "members are in ascending order, each once",
  );
  assert(config.clusterIdSeed >= 0n, "a cluster id seed is not negative");
  assert(config.maxReplicas > 0, "a region has a replica");
  assert(config.windowMs >= 2, "a window has room for a grant");
  assert(config.idBatch > 0, "a batch of ids is not empty");
  assert(config.checkpointEntries > 0, "checkpoints have entries between them");
}
