/**
 * Applies committed entries to the data and to the replica itself, in order, on every replica
 * alike.
 */
import { fail as failProgram } from "../base/assert.ts";
import type { Entry } from "../raft/types.ts";
import { evaluate, type RawResult } from "../raw/command.ts";
import { decodeEntry, type RawEntry, type WriteEntry } from "./command.ts";
import { isSound } from "./damage.ts";
import { epochOf } from "./descriptor.ts";
import { applyFlashback } from "./flashback.ts";
import { applyMembers } from "./members.ts";
import { type Outcome, settle } from "./propose.ts";
import { quarantine } from "./quarantine.ts";
import { type Replica, withApplied } from "./replica.ts";
import { applySplit } from "./split.ts";
import type { Turn } from "./turn.ts";

/**
 * Applies `entries`, which follow `replica.applied`, or those of them before one that reads damaged
 * data. Returns undefined where one of them destroyed the replica.
 */
export function applyEntries(
  turn: Turn,
  replica: Replica,
  entries: readonly Entry[],
): Replica | undefined {
  let current = replica;
  for (const entry of entries) {
    if (entry.index !== current.applied + 1) failProgram("entries are applied in order");
    const next = applyEntry(turn, current, entry);
    if (next === undefined) return undefined;
    if (next.damaged !== undefined && current.damaged === undefined) return next;
    current = next;
  }
  return current;
}

function applyEntry(turn: Turn, replica: Replica, entry: Entry): Replica | undefined {
  const { index, term } = entry;
  let next = withApplied(replica, index, term, replica.pending);
  let outcome: Outcome | undefined;
  if (entry.type === "configuration") {
    return applyMembers(turn, next, entry);
  }
  if (entry.data.length > 0) {
    const command = decodeEntry(entry.data, turn.wire);
    if (command.type === "raw") {
      outcome = applyRaw(turn, next, command);
      // What it has written by a wrong reading goes with all other data of the range. A start goes
      // on nevertheless: the regions that are split off further on must come to be.
      if (!isSound(turn) && !turn.replaying) {
        return quarantine(turn, replica, turn.damage[turn.damage.length - 1]!);
      }
    } else if (command.type === "write") {
      outcome = applyWrite(turn, next, command);
    } else if (command.type === "flashback") {
      const result = applyFlashback(turn, next, command);
      next = result.replica;
      outcome = result.outcome;
    } else {
      const result = applySplit(turn, next, command);
      next = result.replica;
      outcome = result.outcome;
    }
  }
  const pending = settle(turn, next.pending, entry, outcome);
  return pending === next.pending ? next : withApplied(next, index, term, pending);
}

function applyWrite(turn: Turn, { region }: Replica, entry: WriteEntry): Outcome {
  if (entry.version !== epochOf(region).version) return { type: "void", currentRegions: [region] };
  for (const operation of entry.operations) turn.data.perform(operation);
  return { type: "write" };
}

function applyRaw(turn: Turn, replica: Replica, entry: RawEntry): Outcome {
  if (entry.version !== epochOf(replica.region).version) {
    return { type: "void", currentRegions: [replica.region] };
  }
  const results: RawResult[] = [];
  for (const command of entry.commands) {
    results.push(evaluate(command, turn.data, turn.config.raw, entry.nowSeconds));
  }
  return { type: "raw", results };
}
