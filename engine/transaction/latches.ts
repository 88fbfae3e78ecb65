/**
 * Latches: calls that touch the same keys are evaluated one after another, in the order in which
 * they came. A call stands in the queues of all its keys from the start and is served when it is
 * first in each, so two calls can never wait for each other.
 */
import { assert } from "../base/assert.ts";
import { idKey } from "../base/big-endian.ts";
import type { Key } from "../base/bytes.ts";
import type { Ticket } from "../base/ids.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";

export interface Latches {
  /** Who wants each key, first come first; the first one of each has it. */
  readonly queues: Tree<readonly Ticket[]>;
  /** By `idKey` of the ticket. */
  readonly holders: Tree<Holder>;
}

interface Holder {
  readonly ticket: Ticket;
  readonly keys: readonly Key[];
  /** How many of its keys others have. */
  readonly missing: number;
}

export const noLatches = (): Latches => ({ queues: tree.empty(), holders: tree.empty() });

/** Puts `ticket` into the queues of `keys`. `granted` says whether it has all of them at once. */
export function acquire(
  latches: Latches,
  ticket: Ticket,
  keys: readonly Key[],
): { readonly latches: Latches; readonly granted: boolean } {
  assert(tree.get(latches.holders, idKey(ticket)) === undefined, "a call takes its latches once");
  const queues = tree.edit(latches.queues);
  const unique = [...new Set(keys)];
  let missing = 0;
  for (const key of unique) {
    const queue = queues.get(key) ?? [];
    if (queue.length > 0) missing += 1;
    queues.set(key, [...queue, ticket]);
  }
  const holders = tree.set(latches.holders, idKey(ticket), { ticket, keys: unique, missing });
  return { latches: { queues: queues.done(), holders }, granted: missing === 0 };
}

/** Takes `ticket` out of all queues. `granted` are those that have all their keys now, in order. */
export function release(
  latches: Latches,
  ticket: Ticket,
): { readonly latches: Latches; readonly granted: readonly Ticket[] } {
  const holder = tree.get(latches.holders, idKey(ticket));
  assert(holder !== undefined, "a call gives back what it took");
  const queues = tree.edit(latches.queues);
  const holders = tree.edit(latches.holders);
  holders.remove(idKey(ticket));
  const granted: Ticket[] = [];
  for (const key of holder.keys) {
    const queue = queues.get(key) ?? [];
    const left = queue.filter((other) => other !== ticket);
    if (left.length === 0) queues.remove(key);
    else queues.set(key, left);
    const next = left[0];
    if (next === undefined || queue[0] !== ticket) continue;
    const waiting = holders.get(idKey(next));
    assert(waiting !== undefined && waiting.missing > 0, "who waits misses a key");
    holders.set(idKey(next), { ...waiting, missing: waiting.missing - 1 });
    if (waiting.missing === 1) granted.push(next);
  }
  granted.sort((a, b) => a - b);
  return { latches: { queues: queues.done(), holders: holders.done() }, granted };
}

/** Whether nobody holds or waits for anything. */
export const isIdle = (latches: Latches): boolean => latches.holders.size === 0;
