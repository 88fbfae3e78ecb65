/** What may go wrong around a user's code, by names for people. */
import type { Fault } from "../scenario.ts";
import { CERTAIN } from "../random.ts";

export type FaultName =
  | "partitions"
  | "late-messages"
  | "crashes"
  | "blackouts"
  | "pauses"
  | "elections"
  | "clocks"
  | "disks";

/** Each strikes again and again, after so many virtual milliseconds and for as long. */
const FAULTS: Readonly<Record<FaultName, readonly Fault[]>> = {
  /** Nodes, clients among them, are cut off from others, whole or in one direction. */
  partitions: [
    {
      chance: CERTAIN,
      type: "partition",
      shapes: ["isolate", "halves", "bridge", "mute", "deaf"],
      among: "everyone",
      every: [500, 5000],
      lasts: [200, 3000],
    },
  ],
  /** Messages of one kind are held for long, and come late, several times or never. */
  "late-messages": [
    { chance: CERTAIN, type: "hold", every: [500, 4000], lasts: [500, 4000] },
    { chance: CERTAIN, type: "hold_transactions", every: [500, 4000], lasts: [500, 4000] },
  ],
  /** Stores and placement members crash, and some of them lose what was not synced. */
  crashes: [
    {
      chance: CERTAIN,
      type: "crash",
      of: "servers",
      power: "sometimes",
      every: [500, 5000],
      lasts: [50, 2000],
    },
  ],
  /** All servers lose power at once. */
  blackouts: [{ chance: CERTAIN, type: "blackout", every: [4000, 15_000], lasts: [100, 3000] }],
  /** Servers and clients stand still. */
  pauses: [
    { chance: CERTAIN, type: "pause", of: "servers", every: [500, 4000], lasts: [100, 3000] },
    { chance: CERTAIN, type: "pause_client", every: [500, 4000], lasts: [100, 5000] },
  ],
  /** Leadership is handed on, by an operator or because whoever has it is struck. */
  elections: [
    { chance: CERTAIN, type: "transfer_leader", every: [200, 2000], lasts: [1, 1] },
    {
      chance: CERTAIN,
      type: "ambush",
      at: "elections",
      blows: ["isolate", "mute", "deaf", "crash", "power", "pause"],
      every: [0, 400],
      lasts: [20, 2500],
    },
  ],
  /** Clocks drift, jump and stand still, each node's by itself. */
  clocks: [
    { chance: CERTAIN, type: "clock_drift", every: [200, 3000], lasts: [1, 1] },
    { chance: CERTAIN, type: "clock_step", every: [300, 4000], lasts: [1, 1] },
    { chance: CERTAIN, type: "clock_freeze", every: [500, 4000], lasts: [500, 5000] },
  ],
  /** Disks become slow, get stuck, fill up, and lose bits of what they hold. */
  disks: [
    {
      chance: CERTAIN,
      type: "slow_disk",
      of: "any",
      times: [10, 100],
      every: [500, 4000],
      lasts: [200, 3000],
    },
    { chance: CERTAIN, type: "sticking_disk", of: "any", every: [500, 4000], lasts: [200, 3000] },
    { chance: CERTAIN, type: "full_disk", of: "any", every: [2000, 8000], lasts: [200, 3000] },
    {
      chance: CERTAIN,
      type: "damage",
      kinds: ["rot", "bad_sector", "stray_write"],
      every: [1000, 6000],
      lasts: [1, 1],
    },
  ],
};

export const FAULT_NAMES: readonly FaultName[] = Object.keys(FAULTS) as FaultName[];

/** These, each with this chance of being part of a seed, in millionths. */
export const faultsOf = (names: readonly FaultName[], chance: number): readonly Fault[] =>
  names.flatMap((name) => FAULTS[name].map((fault): Fault => ({ ...fault, chance })));
