/** What a simulation of a user's code may be told, and the scenario that comes of it. */
import { CERTAIN } from "../random.ts";
import type { Scenario } from "../scenario.ts";
import { FAULT_NAMES, type FaultName, faultsOf } from "./faults.ts";

export interface SimulationOptions {
  /** Decides everything that is left open: the same seed, code and options do the same again. */
  readonly seed?: number | string;
  /**
   * What goes wrong, all of it in each seed. `drawn`, which it is where it is not given: each seed
   * has a part of all faults, as few at once show what many would hide.
   */
  readonly faults?: readonly FaultName[] | "drawn";
  /** Stores; 3 where it is not given. */
  readonly stores?: number;
  /** Members of the placement driver: 1 or 3; 3 where it is not given. */
  readonly members?: 1 | 3;
  /** Copies of every region; 3 where it is not given. */
  readonly replicas?: number;
  /**
   * `usual`: the network is calm and the engine's settings are those of real clusters. `drawn`:
   * seeds may have bad networks and settings at their extremes, such as memtables of 2 KB. `drawn`
   * where it is not given.
   */
  readonly settings?: "usual" | "drawn";
  /** Most processes that the code may start; 8 where it is not given. */
  readonly processes?: number;
  /** Virtual milliseconds that the code may take; 600,000 where it is not given. */
  readonly limitMs?: number;
}

export const DEFAULTS: Required<SimulationOptions> = {
  seed: 1,
  faults: "drawn",
  stores: 3,
  members: 3,
  replicas: 3,
  settings: "drawn",
  processes: 8,
  limitMs: 600_000,
};

/** What is wrong with them, in a line, if anything is. */
export function problemOf(options: Required<SimulationOptions>): string | undefined {
  const { stores, members, replicas, processes, limitMs, faults } = options;
  const whole = (name: string, value: number, least: number, most: number): string | undefined =>
    Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `${name} must be a whole number from ${least} to ${most}, not ${value}`;
  const unknown =
    faults === "drawn" ? undefined : faults.find((name) => !FAULT_NAMES.includes(name));
  if (unknown !== undefined) {
    return `there is no fault ${unknown}; there are ${FAULT_NAMES.join(", ")}`;
  }
  return (
    whole("stores", stores, 1, 9) ??
    (members === 1 || members === 3
      ? undefined
      : `members must be 1 or 3, not ${members as number}`) ??
    whole("replicas", replicas, 1, stores) ??
    whole("processes", processes, 1, 100) ??
    whole("limitMs", limitMs, 1, 86_400_000)
  );
}

const NOBODY: Scenario["workload"] = {
  registers: 0,
  mix: [],
  replicaReads: 0,
  inserts: 0,
  timestamps: 0,
  bank: 0,
  recorded: 0,
  collectors: 0,
  lifeTimesMs: [],
  brooms: 0,
  graves: 0,
  strays: 0,
  rewinders: 0,
  thinkMs: 1,
  splits: 0,
  replicaCounts: [],
};

/** Of a fault to be part of a seed, in millionths. */
const DRAWN_CHANCE = 250_000;

/** Virtual milliseconds in which a cluster without faults must have recovered from them. */
export const RECOVERY_MS = 60_000;

/** No client but the user's own. */
export const scenarioOf = (options: Required<SimulationOptions>): Scenario => ({
  name: "simulation",
  summary: "a user's own code",
  cluster: {
    stores: [options.stores],
    members: [options.members],
    replicas: [options.replicas],
  },
  workload: NOBODY,
  faults:
    options.faults === "drawn"
      ? faultsOf(FAULT_NAMES, DRAWN_CHANCE)
      : faultsOf(options.faults, CERTAIN),
  network: options.settings === "usual" ? "calm" : "any",
  safetyMs: options.limitMs,
  livenessMs: RECOVERY_MS,
  settings: options.settings,
  extreme: [],
});
