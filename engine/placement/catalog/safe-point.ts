/**
 * The two garbage-collection safe points and the barriers that hold them. Versions below the safe
 * point may be gone; transactions may not read below the transaction safe point, which is never
 * lower and never passes a live barrier. Neither goes back.
 *
 * The older protocol has one list of services, where `gc_worker` stands for the collector itself:
 * its entry is the transaction safe point, every other service is a barrier.
 */
import { unreachable } from "../../base/assert.ts";

/** The service that older clients run the collection under. */
export const GC_WORKER = "gc_worker";

/** Seconds since the epoch at which what never expires expires. */
export const NEVER: number = Number.MAX_SAFE_INTEGER;

export interface Barrier {
  readonly id: string;
  readonly timestamp: bigint;
  /** Seconds since the Unix epoch. */
  readonly expiresAt: number;
  /**
   * Of all keyspaces rather than of one. As they share one collection it holds back the same; but
   * it is listed apart, and its name is another than the same one of a keyspace's barrier.
   */
  readonly global: boolean;
}

export interface SafePoints {
  readonly gc: bigint;
  readonly transaction: bigint;
  /** How often the transaction safe point has moved: its revision for who reads it as a key. */
  readonly moves: number;
  /** In ascending order of id. */
  readonly barriers: readonly Barrier[];
}

export const NO_SAFE_POINTS: SafePoints = { gc: 0n, transaction: 0n, moves: 0, barriers: [] };

/** `lenient` is the older protocol's manner: what cannot be is left as it is, without an error. */
export type SafePointCommand =
  | { readonly type: "advance_gc"; readonly target: bigint; readonly lenient: boolean }
  | {
      readonly type: "advance_transaction";
      readonly target: bigint;
      readonly lenient: boolean;
      /** The leader's wall clock, in seconds. */
      readonly now: number;
    }
  | { readonly type: "set_barrier"; readonly barrier: Barrier; readonly lenient: boolean }
  | { readonly type: "delete_barrier"; readonly id: string; readonly global: boolean };

export type SafePointResult =
  | {
      readonly ok: true;
      readonly points: SafePoints;
      readonly before: bigint;
      readonly after: bigint;
      /** The barrier that kept the safe point below its target; empty where none did. */
      readonly blocker: string;
      /** The barrier that was removed, if one was. */
      readonly removed?: Barrier | undefined;
    }
  | { readonly ok: false; readonly message: string };

export function applySafePoint(points: SafePoints, command: SafePointCommand): SafePointResult {
  switch (command.type) {
    case "advance_gc":
      return advanceGc(points, command.target, command.lenient);
    case "advance_transaction":
      return advanceTransaction(expire(points, command.now), command.target, command.lenient);
    case "set_barrier":
      return setBarrier(points, command.barrier, command.lenient);
    case "delete_barrier":
      return deleteBarrier(points, command);
    default:
      return unreachable(command);
  }
}

/** The service that holds the collection back most, as the older protocol asks for it. */
export function lowestService(points: SafePoints, now: number): Barrier {
  const { transaction: timestamp } = points;
  let lowest: Barrier = { id: GC_WORKER, timestamp, expiresAt: NEVER, global: false };
  for (const barrier of expire(points, now).barriers) {
    if (barrier.timestamp < lowest.timestamp) lowest = barrier;
  }
  return lowest;
}

/** `points` without the barriers whose time is over at `now` (seconds). */
export function expire(points: SafePoints, now: number): SafePoints {
  if (points.barriers.every(({ expiresAt }) => expiresAt > now)) return points;
  return { ...points, barriers: points.barriers.filter(({ expiresAt }) => expiresAt > now) };
}

function advanceGc(points: SafePoints, target: bigint, lenient: boolean): SafePointResult {
  const before = points.gc;
  if (target < before) {
    return lenient
      ? unmoved(points, before)
      : {
          ok: false,
          message: `[PD:gc:ErrDecreasingGCSafePoint]trying to update GC safe point to a smaller value, current value: ${before}, given: ${target}`,
        };
  }
  if (target > points.transaction && !lenient) {
    return {
      ok: false,
      message: `[PD:gc:ErrGCSafePointExceedsTxnSafePoint]trying to update GC safe point to a too large value that exceeds the txn safe point, current value: ${before}, given: ${target}, current txn safe point: ${points.transaction}`,
    };
  }
  // An older collector knows no transaction safe point: it moves along, as it is never lower.
  return {
    ok: true,
    points: { ...withTransaction(points, target), gc: target },
    before,
    after: target,
    blocker: "",
  };
}

function advanceTransaction(points: SafePoints, target: bigint, lenient: boolean): SafePointResult {
  const before = points.transaction;
  if (target < before) {
    return lenient
      ? unmoved(points, before)
      : {
          ok: false,
          message: `[PD:gc:ErrDecreasingTxnSafePoint]trying to update txn safe point to a smaller value, current value: ${before}, given: ${target}`,
        };
  }
  let after = target;
  let blocker = "";
  for (const barrier of points.barriers) {
    if (barrier.timestamp >= after) continue;
    after = barrier.timestamp;
    const kind = barrier.global ? "GlobalBarrier" : "Barrier";
    blocker = `${kind}ID:${JSON.stringify(barrier.id)}, BarrierTS:${barrier.timestamp}`;
  }
  if (after < before) after = before;
  return { ok: true, points: withTransaction(points, after), before, after, blocker };
}

/** `points` with the transaction safe point at `target`, unless it is there or beyond. */
const withTransaction = (points: SafePoints, target: bigint): SafePoints =>
  target > points.transaction
    ? { ...points, transaction: target, moves: points.moves + 1 }
    : points;

function setBarrier(points: SafePoints, barrier: Barrier, lenient: boolean): SafePointResult {
  if (barrier.timestamp < points.transaction) {
    return lenient
      ? unmoved(points)
      : {
          ok: false,
          message: `[PD:gc:${barrier.global ? "ErrGlobalGCBarrierTSBehindTxnSafePoint" : "ErrGCBarrierTSBehindTxnSafePoint"}]trying to set a GC barrier on ts ${barrier.timestamp} which is already behind the txn safe point ${points.transaction}`,
        };
  }
  const others = points.barriers.filter((other) => !isNamed(other, barrier));
  const barriers = [...others, barrier].sort(byName);
  return unmoved({ ...points, barriers });
}

function deleteBarrier(
  points: SafePoints,
  named: { readonly id: string; readonly global: boolean },
): SafePointResult {
  const removed = points.barriers.find((other) => isNamed(other, named));
  const barriers = points.barriers.filter((other) => other !== removed);
  return unmoved({ ...points, barriers }, points.transaction, removed);
}

const isNamed = (
  barrier: Barrier,
  { id, global }: { readonly id: string; readonly global: boolean },
): boolean => barrier.id === id && barrier.global === global;

/** By id; of two with one id the keyspace's comes first. */
const byName = (a: Barrier, b: Barrier): number =>
  a.id === b.id ? Number(a.global) - Number(b.global) : a.id < b.id ? -1 : 1;

const unmoved = (
  points: SafePoints,
  at: bigint = points.transaction,
  removed?: Barrier,
): SafePointResult => ({ ok: true, points, before: at, after: at, blocker: "", removed });
