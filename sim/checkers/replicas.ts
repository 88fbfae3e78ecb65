/**
 * Equal replicas: members of a region that have applied the same index hold the same data. A state
 * is a value, so the checker keeps the state of the first to reach an index and compares when
 * others get there; how often is limited by a budget of compared keys, so that it costs a fixed
 * part of a run. What is garbage at the latest safe point is no part of it.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { KvCursor, KvView } from "../../engine/storage/view.ts";
import type { ColumnFamily } from "../../engine/storage/types.ts";
import type { TableCache } from "../../engine/storage/table/cache.ts";
import type { World } from "../model.ts";
import { equalBytes, hex } from "../../engine/base/bytes.ts";
import { maxTimestamp, type Timestamp, ZERO_TIMESTAMP } from "../../engine/base/timestamp.ts";
import { COLUMN_FAMILIES } from "../../engine/storage/types.ts";
import { type Garbage, garbageOf, passGarbage } from "./garbage.ts";
import { isExplained } from "./named-tables.ts";
import { reached } from "../search/marks.ts";
import { passed, violated } from "./verdict.ts";

/** One region's data at one applied index, on one store. */
export interface Applied {
  readonly region: number;
  readonly index: number;
  readonly startKey: Key;
  readonly endKey: Key;
  readonly view: KvView;
  /** What the view reads through: it says where tables could not be read, or are there no more. */
  readonly tables: TableCache;
  readonly store: string;
}

/** Mutable: one for each run. */
export interface ReplicaChecker {
  /** Of each region the latest states, by who got there first; the oldest is dropped first. */
  readonly states: Map<number, Applied[]>;
  /** Keys compared so far. */
  compared: number;
  /** The latest point that any store has collected at: what is garbage there is not compared. */
  safePoint: Timestamp;
}

/** States kept of a region: replicas are seldom further apart than this many applied indices. */
const KEPT = 16;
/** Keys compared per event of the run, on average. */
const KEYS_PER_EVENT = 0.25;

export const replicaChecker = (): ReplicaChecker => ({
  states: new Map(),
  compared: 0,
  safePoint: ZERO_TIMESTAMP,
});

/** A replica has reached an applied index. */
export function replicaApplied(world: World, applied: Applied): void {
  const { replicas } = world.checks;
  let states = replicas.states.get(applied.region);
  if (states === undefined) {
    states = [];
    replicas.states.set(applied.region, states);
  }
  const other = states.find((one) => one.index === applied.index);
  if (other === undefined) {
    states.push(applied);
    if (states.length > KEPT) states.shift();
    return;
  }
  if (other.store === applied.store) return;
  if (replicas.compared > world.events * KEYS_PER_EVENT) return;
  compareReplicas(world, other, applied);
}

/** Compares two replicas of one region at one applied index, key by key. */
export function compareReplicas(world: World, a: Applied, b: Applied): void {
  passed(world, "equal replicas");
  if (a.startKey !== b.startKey || a.endKey !== b.endKey) {
    differ(world, a, b, "in the range of the region");
    return;
  }
  a.tables.takeDamage();
  b.tables.takeDamage();
  const { safePoint } = world.checks.replicas;
  const [leftGarbage, rightGarbage] = [a, b].map(({ view, startKey, endKey }) =>
    garbageOf(view, startKey, endKey, safePoint),
  ) as [Garbage, Garbage];
  for (const family of COLUMN_FAMILIES) {
    const left = dataOf(a, family);
    const right = dataOf(b, family);
    for (;;) {
      passGarbage(left, leftGarbage[family]);
      passGarbage(right, rightGarbage[family]);
      const more = left.valid;
      if (more !== right.valid) {
        const cursor = more ? left : right;
        return differ(world, a, b, `in key ${hex(cursor.key)} of ${family}: one has it not`);
      }
      if (!more) break;
      world.checks.replicas.compared += 1;
      if (left.key !== right.key) {
        const first = left.key < right.key ? left.key : right.key;
        return differ(world, a, b, `in key ${hex(first)} of ${family}: one has it not`);
      }
      if (left.value !== right.value && !equalBytes(left.value, right.value)) {
        return differ(world, a, b, `in the value of key ${hex(left.key)} of ${family}`);
      }
      left.next();
      right.next();
    }
  }
}

/** A store collects at this point. */
export function collectedAt(world: World, safePoint: Timestamp): void {
  const { replicas } = world.checks;
  if (safePoint > replicas.safePoint) reached(world, "garbage collected");
  replicas.safePoint = maxTimestamp(replicas.safePoint, safePoint);
}

/** A cursor at the first key of the region. */
function dataOf({ view, startKey, endKey }: Applied, family: ColumnFamily): KvCursor {
  const cursor = view.cursor(family, { lower: startKey, upper: endKey });
  cursor.seek(startKey);
  return cursor;
}

function differ(world: World, a: Applied, b: Applied, where: string): void {
  // The engine must find damage by itself; what cannot be read is no difference.
  const unread = unreadable(world, a) + unreadable(world, b);
  if (unread > 0) return;
  const text = `region ${a.region} at index ${a.index} differs on ${a.store} and ${b.store} ${where}`;
  violated(world, "equal replicas", text);
}

/** How many tables of this state could not be read: they are gone by now, or were damaged. */
function unreadable(world: World, { tables, store }: Applied): number {
  const found = tables.takeDamage();
  const machine = world.stores.find(({ name }) => name === store);
  for (const damage of found) {
    const { file, offset, detail } = damage;
    if (machine === undefined || machine.disk.size(file) === undefined) continue;
    if (isExplained(machine, damage)) continue;
    violated(world, "tables", `${store}: ${file} at ${offset}: ${detail}`);
  }
  return found.length;
}
