/**
 * Pessimistic lock requests that wait for somebody's lock to go. They wait by key, oldest
 * transaction first: it is the one that others may already depend on. The release of the lock wakes
 * the first; the others follow a little later, by when the first has probably locked the key again
 * and they find its lock instead of starting over for nothing.
 */
import { assert } from "../base/assert.ts";
import type { Key } from "../base/bytes.ts";
import type { Ticket } from "../base/ids.ts";
import type { Timestamp } from "../base/timestamp.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import type { LockInfo } from "../protocol/gen/kvrpcpb.ts";

export interface Waiter {
  readonly ticket: Ticket;
  /** Encoded: the key whose lock it waits for. */
  readonly key: Key;
  /** Of the waiting transaction. */
  readonly startTs: Timestamp;
  /** The lock that it met. */
  readonly lock: LockInfo;
  /** The resource group that its client names, for people who look for culprits. */
  readonly tag: Uint8Array;
  /** Monotonic time at which it is told that the lock is still there. */
  readonly until: number;
  /** Monotonic time from which on it tries again, though nobody has woken it by name. */
  readonly retryAt: number;
  /** What it is told of the lock's end: timestamps of the transaction that released it. */
  readonly released: Released | undefined;
}

export interface Released {
  readonly startTs: Timestamp;
  /** 0 where it was rolled back. */
  readonly commitTs: Timestamp;
}

/** By encoded key, oldest transaction first; no empty lists. */
export type WaitQueues = Tree<readonly Waiter[]>;

export const noWaiters = (): WaitQueues => tree.empty();

export function add(queues: WaitQueues, waiter: Waiter): WaitQueues {
  const queue = tree.get(queues, waiter.key) ?? [];
  const at = queue.findIndex(({ startTs }) => startTs > waiter.startTs);
  const place = at < 0 ? queue.length : at;
  const next = [...queue.slice(0, place), waiter, ...queue.slice(place)];
  return tree.set(queues, waiter.key, next);
}

export interface Woken {
  readonly queues: WaitQueues;
  readonly waiters: readonly Waiter[];
}

const NOBODY: readonly Waiter[] = [];

/**
 * The lock of `released` on `key` is gone: the oldest waiter tries again at once, the others after
 * `delayMs` unless they are woken before.
 */
export function wake(
  queues: WaitQueues,
  key: Key,
  released: Released,
  nowMs: number,
  delayMs: number,
): Woken {
  const queue = tree.get(queues, key);
  if (queue === undefined) return { queues, waiters: NOBODY };
  const [first, ...rest] = queue;
  assert(first !== undefined, "a queue has somebody in it");
  const later = rest.map((waiter): Waiter => {
    const retryAt = Math.min(waiter.retryAt, nowMs + delayMs);
    return { ...waiter, retryAt, released };
  });
  return { queues: withQueue(queues, key, later), waiters: [{ ...first, released }] };
}

/** Those whose time has come: to try again, or (`until` has passed) to be told of the lock. */
export function due(queues: WaitQueues, nowMs: number): Woken {
  const waiters: Waiter[] = [];
  let left = queues;
  for (const [key, queue] of tree.entries(queues)) {
    const staying = queue.filter(({ until, retryAt }) => until > nowMs && retryAt > nowMs);
    if (staying.length === queue.length) continue;
    for (const waiter of queue) if (!staying.includes(waiter)) waiters.push(waiter);
    left = withQueue(left, key, staying);
  }
  return waiters.length === 0 ? { queues, waiters: NOBODY } : { queues: left, waiters };
}

/**
 * Takes out those that `leave` chooses: their region has gone, or they were found in a deadlock.
 */
export function remove(queues: WaitQueues, leave: (waiter: Waiter) => boolean): Woken {
  const waiters: Waiter[] = [];
  let left = queues;
  for (const [key, queue] of tree.entries(queues)) {
    const leaving = queue.filter(leave);
    if (leaving.length === 0) continue;
    waiters.push(...leaving);
    left = withQueue(
      left,
      key,
      queue.filter((waiter) => !leaving.includes(waiter)),
    );
  }
  return { queues: left, waiters };
}

const withQueue = (queues: WaitQueues, key: Key, queue: readonly Waiter[]): WaitQueues =>
  queue.length === 0 ? tree.remove(queues, key) : tree.set(queues, key, queue);

/** Everybody, in the order of keys. */
export function* waiters(queues: WaitQueues): IterableIterator<Waiter> {
  for (const [, queue] of tree.entries(queues)) yield* queue;
}

/** Those who wait for the lock of `key`, oldest transaction first. */
export const waitersAt = (queues: WaitQueues, key: Key): readonly Waiter[] =>
  tree.get(queues, key) ?? NOBODY;
