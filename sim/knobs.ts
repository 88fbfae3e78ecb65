/**
 * What a seed draws before anything happens: the shape of the cluster and every setting whose value
 * may decide whether a bug shows. In half of the seeds everything has its usual value; in the
 * others each setting is, with an even chance, pushed to an extreme.
 */
import type { Decisions } from "./decisions/decisions.ts";
import type { Scenario } from "./scenario.ts";
import { drawsOf, isDrawn, seededDraws } from "./decisions/decisions.ts";
import { CALM, type NetworkProfile } from "./network/network.ts";
import { chance, pick } from "./random.ts";

export interface Knobs {
  readonly stores: number;
  readonly members: number;
  readonly replicas: number;
  /** Microseconds between the arrival of the first input and a turn, and how long a turn takes. */
  readonly turnDelayUs: number;
  readonly turnUs: number;
  /** Messages are passed on as they are, not as bytes. Faster; the trace then knows less. */
  readonly byReference: boolean;
  readonly tickMs: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly leaseMs: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly maxAppendBytes: number;
  readonly maxApplyBytes: number;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  readonly segmentBytes: number;
  readonly sliceBytes: number;
  readonly freezeLogBytes: number;
  readonly memtableBytes: number;
  readonly cacheBytes: number;
  readonly memoryBytes: number;
  readonly reserveBytes: number;
  readonly admittedBytesPerSecond: number;
  /** Of the tree of tables: sizes are small, so that every run flushes, compacts and ingests. */
  readonly blockBytes: number;
  readonly restartInterval: number;
  readonly compression: "none" | "lz4";
  readonly filterBits: number;
  readonly tableBytes: number;
  readonly levelZeroTables: number;
  readonly levelBytes: number;
  readonly levelGrowth: number;
  readonly compactions: number;
  readonly compactionBytesPerSecond: number;
  readonly debtBytes: number;
  readonly manifestBytes: number;
  readonly retainedEntries: number;
  readonly chunkBytes: number;
  readonly batchBytes: number;
  readonly placementCheckpointEntries: number;
  readonly windowMs: number;
  readonly valueBytes: number;
  readonly slots: number;
  /**
   * What no operator would set so: they lead into branches that are seldom taken. Memtables and the
   * log are frozen at almost every write; ids are reserved one by one; locks are never in memory,
   * or never ahead of their entries; snapshots are given up at once; and so on.
   */
  readonly freezesEagerly: boolean;
  readonly idBatch: number;
  readonly inMemoryLocks: boolean;
  readonly pipelinedLocks: boolean;
  readonly lockWaitMs: number;
  readonly snapshotGiveUpMs: number;
  readonly chunkRetryMs: number;
  readonly maxUncommittedBytes: number;
  readonly sweepRecords: number;
  readonly resolveMs: number;
  /** Between two questions for the safe points; long only where the scenario is about it. */
  readonly pollMs: number;
  readonly regionHeartbeatMs: number;
  readonly lineBytes: number;
}

/**
 * Most that a clock may be wrong, in millionths: leases are safe for twice that between two clocks.
 */
export const MAX_DRIFT = 60_000;

export function drawKnobs(decisions: Decisions, scenario: Scenario, byReference: boolean): Knobs {
  const { cluster: shape } = scenario;
  const drawn = chance(seededDraws(decisions, "knob"), 500_000);
  const odd = scenario.settings === "odd" || (drawn && scenario.settings === "drawn");
  /**
   * The usual value; one of the extremes in odd seeds every other time, and where the scenario is
   * about it.
   */
  const setting = <T>(name: keyof Knobs, usual: T, extremes: readonly T[]): T => {
    const random = drawsOf(decisions, `knob/${name}`);
    const extreme = pick(random, extremes);
    const changed = isDrawn(decisions, `knob/${name}`) && odd && chance(random, 500_000);
    return changed || scenario.extreme.includes(name) ? extreme : usual;
  };
  const sized = (name: keyof Knobs, sizes: readonly number[]): number =>
    isDrawn(decisions, `knob/${name}`)
      ? pick(drawsOf(decisions, `knob/${name}`), sizes)
      : Math.min(...sizes);
  const stores = sized("stores", shape.stores);
  const electionMs = setting("electionMs", 1000, [600, 2000]);
  return {
    stores,
    members: sized("members", shape.members),
    replicas: Math.min(stores, sized("replicas", shape.replicas)),
    turnDelayUs: setting("turnDelayUs", 20, [1, 500, 3000]),
    turnUs: setting("turnUs", 20, [1, 400, 2000]),
    byReference,
    tickMs: setting("tickMs", 50, [20, 100]),
    heartbeatMs: setting("heartbeatMs", 150, [50, 300]),
    electionMs,
    leaseMs: Math.floor(electionMs * 0.8),
    preVote: setting("preVote", true, [false]),
    checkQuorum: setting("checkQuorum", true, [false]),
    maxAppendBytes: setting("maxAppendBytes", 1 << 20, [1, 200, 4000]),
    maxApplyBytes: setting("maxApplyBytes", 1 << 20, [1, 200, 4000]),
    maxInflightMessages: setting("maxInflightMessages", 256, [1, 2, 8]),
    maxInflightBytes: setting("maxInflightBytes", 16 << 20, [500, 10_000]),
    segmentBytes: setting("segmentBytes", 1 << 20, [2000, 20_000, 200_000]),
    sliceBytes: setting("sliceBytes", 1 << 16, [200, 4000]),
    freezeLogBytes: setting("freezeLogBytes", 1 << 15, [2000, 8000, 1 << 24]),
    memtableBytes: setting("memtableBytes", 1 << 15, [2000, 8000, 1 << 24]),
    cacheBytes: setting("cacheBytes", 1 << 20, [0, 4000]),
    memoryBytes: setting("memoryBytes", 64 << 20, [1 << 21]),
    reserveBytes: setting("reserveBytes", 20_000, [0, 100_000]),
    admittedBytesPerSecond: setting("admittedBytesPerSecond", 1 << 20, [10_000]),
    blockBytes: setting("blockBytes", 1 << 10, [64, 256, 1 << 14]),
    restartInterval: setting("restartInterval", 16, [1, 2]),
    compression: setting("compression", "none", ["lz4"]),
    filterBits: setting("filterBits", 10, [0, 1]),
    tableBytes: setting("tableBytes", 1 << 13, [300, 2000, 1 << 20]),
    levelZeroTables: setting("levelZeroTables", 4, [1, 2, 8]),
    levelBytes: setting("levelBytes", 1 << 14, [500, 4000, 1 << 20]),
    levelGrowth: setting("levelGrowth", 4, [2, 10]),
    compactions: setting("compactions", 1, [2, 4]),
    compactionBytesPerSecond: setting("compactionBytesPerSecond", 1 << 22, [0, 1 << 18]),
    debtBytes: setting("debtBytes", 1 << 16, [1000, 1 << 24]),
    manifestBytes: setting("manifestBytes", 1 << 13, [200, 1 << 20]),
    retainedEntries: setting("retainedEntries", 500, [0, 5, 50]),
    chunkBytes: setting("chunkBytes", 1 << 16, [1000, 4000]),
    batchBytes: setting("batchBytes", 1 << 16, [1, 500]),
    placementCheckpointEntries: setting("placementCheckpointEntries", 500, [5, 50]),
    windowMs: setting("windowMs", 3000, [20, 300]),
    valueBytes: setting("valueBytes", 32, [4, 300, 2000]),
    slots: setting("slots", 12, [3, 40]),
    freezesEagerly: setting("freezesEagerly", false, [false, true]),
    idBatch: setting("idBatch", 1000, [1]),
    inMemoryLocks: setting("inMemoryLocks", true, [false]),
    pipelinedLocks: setting("pipelinedLocks", true, [false]),
    lockWaitMs: setting("lockWaitMs", 1000, [10]),
    snapshotGiveUpMs: setting("snapshotGiveUpMs", 5000, [1000]),
    chunkRetryMs: setting("chunkRetryMs", 500, [50]),
    maxUncommittedBytes: setting("maxUncommittedBytes", 16 << 20, [3000]),
    sweepRecords: setting("sweepRecords", 64, [1]),
    resolveMs: setting("resolveMs", 500, [50, 3000]),
    pollMs: scenario.extreme.includes("pollMs") ? 8000 : 1000,
    regionHeartbeatMs: setting("regionHeartbeatMs", 1000, [200, 3000]),
    lineBytes: setting("lineBytes", 1 << 14, [0]),
  };
}

/** How the seed's network behaves while nobody cuts it: `knob/network`. */
export function drawProfile(decisions: Decisions, scenario: Scenario): NetworkProfile {
  const random = drawsOf(decisions, "knob/network");
  const calm = scenario.network === "calm" || !isDrawn(decisions, "knob/network");
  return calm || chance(random, 300_000) ? CALM : pick(random, NETWORKS);
}

/** The networks a seed may draw, beside the calm one. */
export const NETWORKS: readonly NetworkProfile[] = [
  {
    latency: { type: "exponential", minUs: 200, meanUs: 800 },
    loss: 0,
    duplication: 0,
    ordered: true,
    bytesPerMs: 0,
  },
  {
    latency: { type: "heavy_tail", minUs: 200, scaleUs: 300 },
    loss: 2000,
    duplication: 2000,
    ordered: false,
    bytesPerMs: 0,
  },
  {
    latency: { type: "uniform", lowUs: 100, highUs: 20_000 },
    loss: 10_000,
    duplication: 20_000,
    ordered: false,
    bytesPerMs: 0,
  },
  {
    latency: { type: "exponential", minUs: 500, meanUs: 10_000 },
    loss: 50_000,
    duplication: 100_000,
    ordered: false,
    bytesPerMs: 0,
  },
  {
    latency: { type: "uniform", lowUs: 300, highUs: 900 },
    loss: 0,
    duplication: 0,
    ordered: true,
    bytesPerMs: 300,
  },
];
