/**
 * Pessimistic lock requests that wait for others: parked without latches, woken when the lock that
 * they met is gone, told of it when they have waited long enough.
 */
import { assert } from "../../base/assert.ts";
import { encodeKey } from "../../mvcc/keys.ts";
import { idKey } from "../../base/big-endian.ts";
import type { RegionId, Ticket } from "../../base/ids.ts";
import { EMPTY_BYTES, keyToBytes } from "../../base/bytes.ts";
import { crc64 } from "../../base/checksum.ts";
import { Timestamp } from "../../base/timestamp.ts";
import * as tree from "../../base/tree.ts";
import { refuseCall } from "../../mvcc/calls.ts";
import type { Evaluation, ReleasedLock } from "../../mvcc/evaluation.ts";
import { WaitForEntry } from "../../protocol/gen/deadlock.ts";
import {
  Deadlock,
  GetLockWaitInfoResponse,
  KeyError,
  type PessimisticLockRequest,
  PessimisticLockResponse,
  PessimisticLockWakeUpMode,
  WriteConflict_Reason,
} from "../../protocol/gen/kvrpcpb.ts";
import type { TikvReply } from "../../protocol/services.ts";
import { isSame, type Wait } from "../../transaction/deadlock.ts";
import {
  add,
  due,
  remove,
  type Waiter,
  waiters,
  waitersAt,
  wake,
} from "../../transaction/waiting.ts";
import { misdirected } from "../admission.ts";
import { regionErrorReply } from "../../region/errors.ts";
import { reply } from "../../region/turn.ts";
import type { StoreTurn } from "../turn.ts";
import { withParts } from "./parts.ts";
import { type Running, runningOf } from "./state.ts";

type LockCall = Extract<Running["call"], { readonly method: "KvPessimisticLock" }>;

/**
 * Lets `running` wait for the lock it has met, if it did and wants to. True where it waits or has
 * been answered. `free` gives its latches back.
 */
export function park(
  turn: StoreTurn,
  running: Running,
  { blockedBy, response }: Evaluation<TikvReply>,
  free: (running: Running) => void,
): boolean {
  const { call, ticket } = running;
  if (blockedBy === undefined || call.method !== "KvPessimisticLock") return false;
  const timeoutMs = timeoutOf(turn, call.request);
  if (timeoutMs === 0) return false;
  const waiter: Waiter = {
    ticket,
    key: encodeKey(blockedBy.key),
    startTs: Timestamp(call.request.startVersion),
    lock: blockedBy,
    tag: call.request.context?.resourceGroupTag ?? EMPTY_BYTES,
    until: turn.now.monotonicMs + timeoutMs,
    retryAt: Number.POSITIVE_INFINITY,
    released: undefined,
  };
  const { transactions } = turn;
  turn.transactions = withParts(transactions, {
    waiting: add(transactions.waiting, waiter),
    running: tree.set(transactions.running, idKey(ticket), { ...running, response }),
  });
  turn.begun.push(waitOf(turn, waiter));
  free(running);
  return true;
}

/** Milliseconds that the request waits; 0: it does not. */
function timeoutOf(turn: StoreTurn, { waitTimeout }: PessimisticLockRequest): number {
  const { waitMs } = turn.before.config.pessimistic;
  if (waitTimeout < 0n) return 0;
  return waitTimeout === 0n || waitTimeout > waitMs ? waitMs : Number(waitTimeout);
}

/** The wait as the detector knows it. */
export const waitOf = (turn: StoreTurn, { ticket, startTs, lock, tag }: Waiter): Wait => ({
  waiter: startTs,
  holder: Timestamp(lock.lockVersion),
  key: lock.key,
  tag,
  store: turn.store,
  number: ticket,
});

/** Those who wait for a lock that is held, as far as this store knows. */
export function* lastingWaits(turn: StoreTurn): IterableIterator<Wait> {
  for (const waiter of waiters(turn.transactions.waiting)) {
    if (waiter.released === undefined) yield waitOf(turn, waiter);
  }
}

/** Who waits here, for people and tools. */
export function onGetLockWaitInfo(turn: StoreTurn, ticket: Ticket): void {
  const entries = [...lastingWaits(turn)].map(entryOf);
  const response = GetLockWaitInfoResponse.make({ entries });
  reply(turn, ticket, { method: "GetLockWaitInfo", response });
}

/** Locks are gone: the oldest waiter of each is woken, the others a little later. */
export function wakeWaiters(
  turn: StoreTurn,
  released: readonly ReleasedLock[],
  retry: (running: Running) => void,
): void {
  const { wakeDelayMs } = turn.before.config.pessimistic;
  for (const { key, startTs, commitTs } of released) {
    if (turn.transactions.waiting.size === 0) return;
    const { monotonicMs } = turn.now;
    const lock = { startTs, commitTs };
    // Whoever is not woken now does not wait for this lock any more either.
    for (const waiter of waitersAt(turn.transactions.waiting, key)) {
      if (waiter.released === undefined) turn.ended.push(waitOf(turn, waiter));
    }
    const woken = wake(turn.transactions.waiting, key, lock, monotonicMs, wakeDelayMs);
    turn.transactions = withParts(turn.transactions, { waiting: woken.queues });
    for (const waiter of woken.waiters) resume(turn, waiter, retry);
  }
}

/** Time has passed. */
export function tickWaiters(turn: StoreTurn, retry: (running: Running) => void): void {
  const { transactions, now } = turn;
  if (transactions.waiting.size === 0) return;
  const woken = due(transactions.waiting, now.monotonicMs);
  turn.transactions = withParts(transactions, { waiting: woken.queues });
  for (const waiter of woken.waiters) {
    if (waiter.released === undefined) turn.ended.push(waitOf(turn, waiter));
    resume(turn, waiter, retry);
  }
}

/** This store does not lead `region` any more: who waits there has to ask whoever does. */
export function dismissWaiters(
  turn: StoreTurn,
  region: RegionId,
  retry: (running: Running) => void,
): void {
  const { transactions } = turn;
  if (transactions.waiting.size === 0) return;
  const isThere = ({ ticket }: Waiter): boolean =>
    runningOf(transactions, ticket)?.region === region;
  const { queues, waiters: leaving } = remove(transactions.waiting, isThere);
  turn.transactions = withParts(transactions, { waiting: queues });
  for (const waiter of leaving) {
    if (waiter.released === undefined) turn.ended.push(waitOf(turn, waiter));
    resume(turn, waiter, retry);
  }
}

/** The wait of one is over: for a lock that was released, or because it took too long. */
function resume(turn: StoreTurn, waiter: Waiter, retry: (running: Running) => void): void {
  const running = runningOf(turn.transactions, waiter.ticket);
  if (running === undefined) return;
  const { call, region } = running;
  const context = call.request.context;
  assert(call.method === "KvPessimisticLock" && context !== undefined, "locks wait for locks");
  const error = misdirected(turn, turn.replicas.get(region), context, true);
  if (error !== undefined) {
    finish(turn, running, regionErrorReply(call.method, error));
  } else if (waiter.released === undefined) {
    assert(running.response !== undefined, "whoever waits knows what for");
    finish(turn, running, running.response);
  } else if (call.request.wakeUpMode === PessimisticLockWakeUpMode.WakeUpModeForceLock) {
    retry(running);
  } else {
    finish(turn, running, conflictReply(call, waiter, waiter.released));
  }
}

/** The client draws another timestamp and tries again: what it would lock has changed. */
function conflictReply(
  call: LockCall,
  waiter: Waiter,
  released: NonNullable<Waiter["released"]>,
): TikvReply {
  return refuseCall(call.method, {
    type: "write_conflict",
    startTs: waiter.startTs,
    conflictStartTs: released.startTs,
    conflictCommitTs: released.commitTs,
    key: waiter.lock.key,
    primary: call.request.primaryLock,
    reason: WriteConflict_Reason.PessimisticRetry,
  });
}

/** The detector has found that `wait` never ends; it may have ended all the same. */
export function refuseWait(turn: StoreTurn, wait: Wait, chain: readonly Wait[]): void {
  const isMeant = (waiter: Waiter): boolean =>
    waiter.released === undefined && isSame(waitOf(turn, waiter), wait);
  const { queues, waiters: found } = remove(turn.transactions.waiting, isMeant);
  turn.transactions = withParts(turn.transactions, { waiting: queues });
  for (const waiter of found) {
    const running = runningOf(turn.transactions, waiter.ticket);
    if (running !== undefined) finish(turn, running, deadlockReply(wait, chain));
  }
}

function deadlockReply(wait: Wait, chain: readonly Wait[]): TikvReply {
  const closing = chain.at(-1) ?? wait;
  const deadlock = Deadlock.make({
    lockTs: wait.holder,
    lockKey: wait.key,
    deadlockKey: closing.key,
    deadlockKeyHash: hashOf(closing),
    waitChain: [...chain, wait].map(entryOf),
  });
  const errors = [KeyError.make({ deadlock })];
  return { method: "KvPessimisticLock", response: PessimisticLockResponse.make({ errors }) };
}

const entryOf = (wait: Wait): WaitForEntry =>
  WaitForEntry.make({
    txn: wait.waiter,
    waitForTxn: wait.holder,
    keyHash: hashOf(wait),
    key: wait.key,
    resourceGroupTag: wait.tag,
  });

const hashOf = ({ key }: Wait): bigint => crc64(keyToBytes(key));

/** Answers a call that holds no latches. */
function finish(turn: StoreTurn, { ticket }: Running, answer: TikvReply): void {
  reply(turn, ticket, answer);
  const { transactions } = turn;
  turn.transactions = withParts(transactions, {
    running: tree.remove(transactions.running, idKey(ticket)),
  });
}
