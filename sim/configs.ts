/**
 * The settings of simulated servers: a real node's defaults, as far as the seed has not drawn
 * others.
 */
import type { PeerId } from "../engine/base/ids.ts";
import type { PlacementConfig } from "../engine/placement/config.ts";
import type { Member } from "../engine/placement/types.ts";
import type { SharedConfig } from "../engine/raft/config.ts";
import type { StorageConfig } from "../engine/storage/types.ts";
import type { StoreConfig } from "../engine/store/types.ts";
import type { Knobs } from "./knobs.ts";
import { DEFAULT_CONFIG } from "../engine/placement/config.ts";

/** Where everything is frozen eagerly: what an entry or two take. */
const EAGER_BYTES = 300;

export function storeConfig(knobs: Knobs, i: number, seed: number): StoreConfig {
  return {
    address: `store${i + 1}:20160`,
    statusAddress: `store${i + 1}:20180`,
    version: "8.5.0",
    labels: [{ key: "host", value: `host${i + 1}` }],
    capacityBytes: 1 << 30,
    seed,
    tickMs: knobs.tickMs,
    storeHeartbeatMs: 1000,
    regionHeartbeatMs: knobs.regionHeartbeatMs,
    resolveMs: knobs.resolveMs,
    collection: { pollMs: knobs.pollMs, sweepRecords: knobs.sweepRecords, inCompactions: true },
    memtableBytes: knobs.freezesEagerly ? EAGER_BYTES : knobs.memtableBytes,
    cacheBytes: knobs.cacheBytes,
    throttle: {
      softFrozenBytes: 2 * knobs.memtableBytes,
      hardFrozenBytes: 6 * knobs.memtableBytes,
      softTables: 3 * knobs.levelZeroTables,
      hardTables: 8 * knobs.levelZeroTables,
      softDebtBytes: 4 * knobs.levelBytes,
      hardDebtBytes: 64 * knobs.levelBytes,
      bytesPerSecond: knobs.admittedBytesPerSecond,
      lineBytes: knobs.lineBytes,
      lineMs: 1000,
      memoryBytes: knobs.memoryBytes,
      reserveBytes: knobs.reserveBytes,
    },
    freezeLogBytes: knobs.freezesEagerly ? EAGER_BYTES : knobs.freezeLogBytes,
    pessimistic: {
      inMemory: knobs.inMemoryLocks,
      regionBytes: 1024,
      storeBytes: 4096,
      pipelined: knobs.pipelinedLocks,
      waitMs: knobs.lockWaitMs,
      wakeDelayMs: 20,
    },
    maxTs: { action: "error", syncMs: 15_000, driftMs: 60_000 },
    region: {
      raft: raftConfig(knobs, knobs.checkQuorum),
      raw: { ttlEnabled: false },
      maxKeyBytes: 4096,
      maxEntryBytes: 8 << 20,
      batchBytes: knobs.batchBytes,
      chunkBytes: knobs.chunkBytes,
      chunkRetryMs: knobs.chunkRetryMs,
      snapshotGiveUpMs: knobs.snapshotGiveUpMs,
      readTimeoutMs: 2000,
      downAfterMs: 5000,
      retainedEntries: knobs.retainedEntries,
    },
    storage: storageConfig(knobs),
  };
}

export function placementConfig(
  knobs: Knobs,
  members: readonly Member[],
  i: number,
  seed: number,
): PlacementConfig {
  const { holdMs, version } = DEFAULT_CONFIG;
  return {
    members,
    id: (i + 1) as PeerId,
    seed,
    clusterIdSeed: BigInt(seed) + 1n,
    // The driver grants timestamps under its lease, which needs check-quorum.
    raft: raftConfig(knobs, true),
    storage: storageConfig(knobs),
    holdMs,
    version,
    maxReplicas: knobs.replicas,
    // A window is made once a tick: shorter ones would let the oracle run slower than time.
    windowMs: Math.max(knobs.windowMs, 2 * knobs.tickMs),
    idBatch: knobs.idBatch,
    storeDisconnectedMs: 3000,
    storeDownMs: 8000,
    operatorMs: 5000,
    checkpointEntries: knobs.placementCheckpointEntries,
  };
}

const storageConfig = (knobs: Knobs): StorageConfig => ({
  segmentBytes: knobs.segmentBytes,
  sliceBytes: knobs.sliceBytes,
  lsm: {
    table: {
      blockBytes: knobs.blockBytes,
      restartInterval: knobs.restartInterval,
      compression: knobs.compression,
      filterBits: knobs.filterBits,
    },
    tableBytes: knobs.tableBytes,
    levelZeroTables: knobs.levelZeroTables,
    levelBytes: knobs.levelBytes,
    levelGrowth: knobs.levelGrowth,
    compactions: knobs.compactions,
    bytesPerSecond: knobs.compactionBytesPerSecond,
    debtBytes: knobs.debtBytes,
    compressFrom: 2,
    manifestBytes: knobs.manifestBytes,
  },
});

const raftConfig = (knobs: Knobs, checkQuorum: boolean): SharedConfig => ({
  heartbeatMs: knobs.heartbeatMs,
  electionMs: knobs.electionMs,
  leaseMs: knobs.leaseMs,
  preVote: knobs.preVote,
  checkQuorum,
  priority: 0,
  maxAppendBytes: knobs.maxAppendBytes,
  maxApplyBytes: knobs.maxApplyBytes,
  maxInflightMessages: knobs.maxInflightMessages,
  maxInflightBytes: knobs.maxInflightBytes,
  maxUncommittedBytes: knobs.maxUncommittedBytes,
});
