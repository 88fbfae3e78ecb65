/** Marks of stores: regions, tables, and what a step has left waiting. */
import type { Ticket } from "../../engine/base/ids.ts";
import type { Replica } from "../../engine/region/replica.ts";
import type { StoreState } from "../../engine/store/index.ts";
import type { StoreEffect } from "../../engine/store/types.ts";
import type { Job } from "../../engine/storage/lsm/types.ts";
import type { LogEffect } from "../../engine/base/log.ts";
import { runningOf } from "../../engine/store/transactions/state.ts";
import { waiters } from "../../engine/transaction/waiting.ts";
import type { World } from "../model.ts";
import { type MarkName, reached } from "./marks.ts";

/** Looks at a store that was `before` a step of the same life. */
export function markStore(
  world: World,
  before: StoreState,
  state: StoreState,
  effects: readonly StoreEffect[],
): void {
  if (state.storage !== before.storage) markTree(world, before, state);
  if (state.line.length > 0 && before.line.length === 0) reached(world, "writes slowed down");
  if (state.trouble !== undefined && before.trouble === undefined) {
    reached(world, "store in trouble");
  }
  if (state.transactions !== before.transactions) markWaiting(world, before, state, effects);
}

function markTree(world: World, before: StoreState, state: StoreState): void {
  const { tree } = state.storage;
  const old = before.storage.tree;
  if (tree === old) return;
  if (tree.layers.length >= 2 && old.layers.length < 2) reached(world, "flushes queued");
  if (tree.stalled && !old.stalled) reached(world, "disk full");
}

/** Who waited for a lock and waits no longer has been told of it, or has tried again. */
function markWaiting(
  world: World,
  before: StoreState,
  state: StoreState,
  effects: readonly StoreEffect[],
): void {
  const old = before.transactions;
  const { waiting, held } = state.transactions;
  if (held.bytes > 0 && old.held.bytes === 0) reached(world, "locks held in memory");
  if (waiting === old.waiting) return;
  const waited = new Set([...waiters(old.waiting)].map(({ ticket }) => ticket));
  for (const { ticket } of waiters(waiting)) {
    if (!waited.delete(ticket)) reached(world, "pessimistic lock waited");
  }
  for (const ticket of waited) {
    const triesAgain = runningOf(state.transactions, ticket) !== undefined;
    if (triesAgain || isGiven(effects, ticket)) reached(world, "pessimistic lock woken");
  }
}

const isGiven = (effects: readonly StoreEffect[], ticket: Ticket): boolean =>
  effects.some(
    (effect) =>
      effect.type === "reply" &&
      effect.ticket === ticket &&
      effect.reply.method === "KvPessimisticLock" &&
      effect.reply.response.errors.length === 0,
  );

/** Looks at a replica that a store has changed. */
export function markReplica(world: World, before: Replica, replica: Replica): void {
  if (before.damaged !== undefined && replica.damaged === undefined) {
    reached(world, "replica rebuilt");
  }
  if (before.incoming !== undefined && before.incoming !== replica.incoming) {
    const { incoming } = before;
    const goesOn = replica.incoming?.attempt === incoming.attempt || incoming.complete;
    // Its last piece may complete it and be taken in one step.
    const isTaken = replica.raft.restoring !== undefined || replica.applied >= incoming.index;
    if (!goesOn && !isTaken) reached(world, "snapshot abandoned");
  }
  if (before.region === replica.region) return;
  const { regionEpoch: old } = before.region;
  const { regionEpoch } = replica.region;
  if ((regionEpoch?.version ?? 0) > (old?.version ?? 0) && before.region.peers.length > 0) {
    reached(world, "region split");
  }
}

/** A job that a store begins. */
export function markJob(world: World, job: Job): void {
  if (job.type === "flush") reached(world, "memtable flushed");
  else if (job.type === "extract") reached(world, "tables extracted");
  else if (job.toLevel === 1) reached(world, "compaction into level 1");
  else if (job.toLevel === 2) reached(world, "compaction into level 2");
  else if (job.toLevel > 2) reached(world, "compaction into a deep level");
}

/** What a start does first. */
export function markStart(world: World, effects: readonly { readonly type: string }[]): void {
  for (const effect of effects as readonly StoreEffect[]) {
    if (effect.type !== "write") continue;
    if (effect.operations.some(({ type }) => type === "truncate")) reached(world, "torn tail cut");
  }
}

/** What nodes say of themselves in constant sentences. */
const SENTENCES: ReadonlyMap<string, MarkName> = new Map([
  ["replica created by a message", "replica created"],
  ["replica destroyed", "replica destroyed"],
  ["data is damaged: the replica is out of service until it is replaced", "replica quarantined"],
]);

export function markLine(world: World, { message }: LogEffect): void {
  const name = SENTENCES.get(message);
  if (name !== undefined) reached(world, name);
}
