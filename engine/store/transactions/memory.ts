/**
 * Pessimistic locks in memory: taken without a word to followers, seen by everything that this
 * store evaluates, written when something else writes the key, and before leadership is handed on.
 */
import { idKey } from "../../base/big-endian.ts";
import { nextTerm, type RegionId } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import type { MvccWrite } from "../../mvcc/calls.ts";
import { isLeader, isTransferring, role, term } from "../../raft/query.ts";
import { encodeEntry } from "../../region/command.ts";
import { epochOf } from "../../region/descriptor.ts";
import { drive } from "../../region/drive.ts";
import { type Replica, regionId } from "../../region/replica.ts";
import { INITIAL_TERM } from "../../region/split.ts";
import type { KvOperation } from "../../storage/types.ts";
import type { KvView } from "../../storage/view.ts";
import {
  areLocks,
  type HeldLocks,
  hold,
  noHeldLocks,
  partOfHeld,
  recordsOf,
  supersede,
} from "../../transaction/held.ts";
import { withLocks } from "../../transaction/overlay.ts";
import type { StoreTurn } from "../turn.ts";
import { withParts } from "./parts.ts";

export interface MemoryLocks {
  /** By `idKey` of the region; no empty ones. */
  readonly tables: Tree<HeldLocks>;
  /** Of all of them. */
  readonly bytes: number;
}

export const noMemoryLocks = (): MemoryLocks => ({ tables: tree.empty(), bytes: 0 });

/** What `replica` has applied, beneath the locks that it holds as the leader. */
export function viewOf(turn: StoreTurn, replica: Replica): KvView {
  const held = heldBy(turn, replica);
  const data = turn.data.snapshot();
  return held === undefined ? data : withLocks(data, held.locks);
}

function heldBy(turn: StoreTurn, replica: Replica): HeldLocks | undefined {
  const { tables } = turn.transactions.held;
  if (tables.size === 0 || !isLeader(replica.raft)) return undefined;
  const held = tree.get(tables, idKey(regionId(replica)));
  return held?.term === term(replica.raft) ? held : undefined;
}

/** Takes the locks of `call`, where that is all its operations do and there is room for them. */
export function takeInMemory(
  turn: StoreTurn,
  replica: Replica,
  { method }: MvccWrite,
  operations: readonly KvOperation[],
): boolean {
  const { inMemory, regionBytes, storeBytes } = turn.before.config.pessimistic;
  if (!inMemory || method !== "KvPessimisticLock" || !areLocks(operations)) return false;
  // What was handed over must not be changed behind the next leader's back.
  if (isTransferring(replica.raft)) return false;
  const data = turn.data.snapshot();
  if (operations.some(({ key }) => data.get("lock", key) !== undefined)) return false;
  const before = heldBy(turn, replica) ?? noHeldLocks(term(replica.raft));
  const after = hold(before, operations);
  const total = turn.transactions.held.bytes - before.bytes + after.bytes;
  if (after.bytes > regionBytes || total > storeBytes) return false;
  keep(turn, regionId(replica), after);
  return true;
}

/** These operations of `region` have been applied. */
export function onWritten(
  turn: StoreTurn,
  region: RegionId,
  operations: readonly KvOperation[],
): void {
  const { tables } = turn.transactions.held;
  if (tables.size === 0) return;
  const held = tree.get(tables, idKey(region));
  if (held !== undefined) keep(turn, region, supersede(held, operations));
}

/**
 * Writes the locks into the log, whose end the next leader must have before it is one. Here they
 * stay in memory as well, for the case that nothing comes of it. A key that is latched may be
 * written by an entry that stands before this one: its lock is left to that.
 */
export function handOver(turn: StoreTurn, replica: Replica): Replica | undefined {
  const held = heldBy(turn, replica);
  if (held === undefined) return replica;
  const { queues } = turn.transactions.latches;
  const operations = recordsOf(held).filter(({ key }) => !tree.has(queues, key));
  if (operations.length === 0) return replica;
  const { version } = epochOf(replica.region);
  const data = encodeEntry({ type: "write", version, operations }, turn.wire);
  return drive(turn, replica, { type: "propose", commands: [data] }, [{ data, parts: [] }]);
}

/**
 * Gives regions that were split off in this step their locks. Nobody can have led such a region
 * before its first leader, and no later leader of its parent can have written below the split: so
 * they hold if this store is that first leader.
 */
export function divideLocks(turn: StoreTurn, grown: readonly RegionId[]): void {
  for (const id of grown) {
    const child = turn.replicas.get(id);
    if (child === undefined) continue;
    const { startKey, endKey } = child.region;
    const first = nextTerm(INITIAL_TERM);
    for (const parent of turn.replicas.all()) {
      const held = parent === child ? undefined : heldBy(turn, parent);
      if (held === undefined) continue;
      const part = partOfHeld(held, startKey, endKey, first);
      if (part.locks.size === 0) continue;
      keep(turn, regionId(parent), supersede(held, recordsOf(part)));
      keep(turn, id, part);
    }
  }
}

/** Drops tables whose term is over. */
export function tickMemoryLocks(turn: StoreTurn): void {
  const all = turn.transactions.held.tables;
  if (all.size === 0) return;
  const replicas = new Map(turn.replicas.all().map((one) => [idKey(regionId(one)), one]));
  for (const [key, held] of tree.entries(all)) {
    const replica = replicas.get(key);
    if (replica !== undefined && mayLead(replica, held)) continue;
    const { tables, bytes } = turn.transactions.held;
    note(turn, { tables: tree.remove(tables, key), bytes: bytes - held.bytes });
  }
}

/** Whether `replica` leads in the term of the locks, or may yet. */
function mayLead({ raft }: Replica, held: HeldLocks): boolean {
  if (term(raft) !== held.term) return term(raft) < held.term;
  return role(raft) !== "follower";
}

function keep(turn: StoreTurn, region: RegionId, held: HeldLocks): void {
  const { tables, bytes } = turn.transactions.held;
  const key = idKey(region);
  const before = tree.get(tables, key)?.bytes ?? 0;
  const left = held.locks.size === 0 ? tree.remove(tables, key) : tree.set(tables, key, held);
  note(turn, { tables: left, bytes: bytes - before + held.bytes });
}

function note(turn: StoreTurn, held: MemoryLocks): void {
  turn.transactions = withParts(turn.transactions, { held });
}
