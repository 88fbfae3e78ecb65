/**
 * A server is restarted with another configuration: other sizes, windows and patience. Timeouts of
 * elections only get longer, and leases stay, as leases rest on nobody being less patient than the
 * cluster was configured for.
 */
import { placementConfig, storeConfig } from "../configs.ts";
import type { Knobs } from "../knobs.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, startLater } from "../machines/process.ts";
import type { Machine, World } from "../model.ts";
import { below, pick, type Random, sample } from "../random.ts";
import type { Among } from "../scenario.ts";
import type { Struck } from "./strike.ts";
import { machineCalled, machinesOf } from "./targets.ts";

/** Settings that may change while the data stay. */
export type Changed = Partial<
  Pick<
    Knobs,
    | "electionMs"
    | "preVote"
    | "maxAppendBytes"
    | "maxApplyBytes"
    | "maxInflightMessages"
    | "segmentBytes"
    | "sliceBytes"
    | "freezeLogBytes"
    | "memtableBytes"
    | "cacheBytes"
    | "memoryBytes"
    | "blockBytes"
    | "restartInterval"
    | "compression"
    | "filterBits"
    | "tableBytes"
    | "levelZeroTables"
    | "levelBytes"
    | "manifestBytes"
    | "retainedEntries"
    | "chunkBytes"
    | "batchBytes"
    | "placementCheckpointEntries"
    | "windowMs"
  >
>;

export interface Reconfiguration {
  readonly type: "reconfigure";
  readonly machine: string;
  readonly settings: Changed;
}

/** What each may become. */
const VALUES = ({
  electionMs,
}: Knobs): Readonly<Required<{ [K in keyof Changed]: unknown[] }>> => ({
  electionMs: [electionMs, electionMs * 2],
  preVote: [true, false],
  maxAppendBytes: [1, 4000, 1 << 20],
  maxApplyBytes: [1, 4000, 1 << 20],
  maxInflightMessages: [1, 8, 256],
  segmentBytes: [2000, 200_000, 1 << 20],
  sliceBytes: [200, 1 << 16],
  freezeLogBytes: [2000, 1 << 15, 1 << 24],
  memtableBytes: [2000, 1 << 15, 1 << 24],
  cacheBytes: [0, 1 << 20],
  memoryBytes: [1 << 21, 64 << 20],
  blockBytes: [64, 1 << 10, 1 << 14],
  restartInterval: [1, 16],
  compression: ["none", "lz4"],
  filterBits: [0, 10],
  tableBytes: [300, 1 << 13, 1 << 20],
  levelZeroTables: [1, 4, 8],
  levelBytes: [500, 1 << 14, 1 << 20],
  manifestBytes: [200, 1 << 13],
  retainedEntries: [0, 50, 500],
  chunkBytes: [1000, 1 << 16],
  batchBytes: [1, 1 << 16],
  placementCheckpointEntries: [5, 500],
  windowMs: [20, 3000],
});

export function drawReconfiguration(
  world: World,
  of: Among,
  random: Random,
): Reconfiguration | undefined {
  const candidates = machinesOf(world, of).filter(isAlive);
  if (candidates.length === 0) return undefined;
  const values = Object.entries(VALUES(world.knobs));
  const changed = sample(random, values, 1 + below(random, 6));
  return {
    type: "reconfigure",
    machine: pick(random, candidates).name,
    settings: Object.fromEntries(changed.map(([name, of]) => [name, pick(random, of)])),
  };
}

export function reconfigure(
  world: World,
  { machine: name, settings }: Reconfiguration,
  lastsUs: number,
): Struck | undefined {
  const machine = machineCalled(world, name);
  if (machine === undefined || !isAlive(machine)) return undefined;
  crash(world, machine, "process");
  change(machine, { ...world.knobs, ...settings });
  startLater(world, machine, lastsUs);
  return { end: undefined };
}

/** It stays who it is, where it is. */
function change(machine: Machine, knobs: Knobs): void {
  if (machine.kind === "store") {
    const { address, statusAddress, labels, seed } = machine.config;
    machine.config = { ...storeConfig(knobs, 0, seed), address, statusAddress, labels };
  } else {
    const { members, id, seed, clusterIdSeed, maxReplicas } = machine.config;
    const config = placementConfig(knobs, members, id - 1, seed);
    machine.config = { ...config, clusterIdSeed, maxReplicas };
  }
}
