/**
 * The sweep: in each tick a little, over all replicas of the store, at the round's safe point.
 *
 * What it removes it removes here alone, and says so in no log. The deletes lie in the memtable
 * beside everything applied; what a crash takes of them is garbage again, for the round after.
 */
import { idKey } from "../../base/big-endian.ts";
import { EMPTY_KEY } from "../../base/bytes.ts";
import * as tree from "../../base/tree.ts";
import { sweep } from "../../mvcc/sweep.ts";
import { isSound } from "../../region/damage.ts";
import { isInitialized } from "../../region/descriptor.ts";
import { type Replica, regionId } from "../../region/replica.ts";
import { verdictOf } from "../line.ts";
import type { StoreTurn } from "../turn.ts";
import { beginSweep } from "./points.ts";
import type { Sweep } from "./state.ts";

/** Goes on with the round, if there is one and the store has nothing better to do. */
export function sweepOn(turn: StoreTurn): void {
  const { sweep: round } = turn.collection;
  if (round === undefined || turn.trouble !== undefined || verdictOf(turn).type !== "open") return;
  let left = turn.before.config.collection.sweepRecords;
  for (const replica of turn.replicas.all()) {
    if (replica.region.id <= (turn.collection.sweep?.done ?? 0)) continue;
    if (left <= 0) return;
    left -= sweepRegion(turn, replica, left);
  }
  if (left > 0) endRound(turn);
}

/** Looks at about `limit` records of the region; returns at how many it did. */
function sweepRegion(turn: StoreTurn, replica: Replica, limit: number): number {
  const { collection } = turn;
  const { sweep: round } = collection;
  if (round === undefined) return limit;
  const id = regionId(replica);
  const { startKey, endKey } = replica.region;
  const goesOn = round.region === id && round.from > startKey;
  const start = goesOn ? round.from : startKey;
  if (!isInitialized(replica.region) || replica.damaged !== undefined) {
    pass(turn, round, replica);
    return 0;
  }
  if (!goesOn && isClean(turn, replica)) {
    pass(turn, round, replica);
    return 0;
  }
  const swept = sweep(turn.data.snapshot(), { start, end: endKey }, round.safePoint, limit);
  if (!isSound(turn)) {
    pass(turn, round, replica);
    return swept.looked;
  }
  for (const operation of swept.operations) turn.data.perform(operation);
  const removed = collection.removed + swept.operations.length;
  const newer = swept.newer || (goesOn && round.newer);
  if (swept.next === undefined) {
    const seen = { applied: replica.applied, newer };
    turn.collection = {
      ...collection,
      removed,
      swept: tree.set(collection.swept, idKey(id), seen),
    };
    pass(turn, round, replica);
    // A region costs something even where it holds nothing.
    return swept.looked + 1;
  }
  const next: Sweep = { ...round, region: id, from: swept.next, newer };
  turn.collection = { ...collection, removed, sweep: next };
  return limit;
}

/** Nothing was applied since it was last seen, and nothing it holds can have become garbage. */
function isClean({ collection }: StoreTurn, replica: Replica): boolean {
  const seen = tree.get(collection.swept, idKey(regionId(replica)));
  return seen !== undefined && !seen.newer && seen.applied === replica.applied;
}

function pass(turn: StoreTurn, round: Sweep, { region }: Replica): void {
  const next: Sweep = { ...round, done: region.id, region: undefined, from: EMPTY_KEY };
  turn.collection = { ...turn.collection, sweep: { ...next, newer: false } };
}

/** All regions are seen. Where the safe point has gone on meanwhile, so does the sweep. */
function endRound(turn: StoreTurn): void {
  const { collection } = turn;
  const safePoint = collection.sweep?.safePoint;
  const here = new Set(turn.replicas.all().map((replica) => idKey(regionId(replica))));
  let { swept } = collection;
  for (const [key] of tree.entries(swept)) if (!here.has(key)) swept = tree.remove(swept, key);
  turn.collection = { ...collection, sweep: undefined, swept };
  if (safePoint !== undefined && collection.garbageBelow > safePoint) beginSweep(turn);
}
