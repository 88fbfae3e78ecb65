/**
 * The timestamp oracle of one leadership. A timestamp is (physical milliseconds, logical count).
 *
 * The rule it upholds: every timestamp is greater than every one granted before, by any member.
 * Three things together make it hold. A grant lies below `limit`, which a majority has stored
 * before; a new leader begins at the stored limit; and the value lives inside the leadership, so
 * that losing it drops the value whole. (That a grant is made only while no other leader can exist
 * is the caller's duty: it asks the lease first.)
 */
import { assert } from "../base/assert.ts";
import type { Now } from "../base/time.ts";

/** Logical counts of one millisecond are below this. */
export const LOGICAL_END: number = 1 << 18;

/**
 * A clock that shows more than this (the year 3084) is not believed further: half of the 46 bits
 * stay in reserve.
 */
const LAST_BELIEVED_MS = 2 ** 45;

/** An oracle that is ahead of the wall clock by less waits for it. */
const AHEAD_MS = 1000;

export interface Oracle {
  /** Milliseconds of the last grant, or from where the first one may begin. */
  readonly physical: number;
  /** The largest count granted in `physical`. */
  readonly logical: number;
  /**
   * Grants stay below these milliseconds. 0 until the first window of this leadership is stored.
   */
  readonly limit: number;
  /** The highest limit that is stored or on its way. */
  readonly wanted: number;
  /** The monotonic clock when `physical` last followed the wall clock. */
  readonly followedMs: number;
}

export interface Granted {
  readonly physical: number;
  /** The largest of the counts granted. */
  readonly logical: number;
}

/** All oracles are made here, so that they have one shape (`docs/design/001-base-and-tree.md`). */
const oracleOf = (
  physical: number,
  logical: number,
  limit: number,
  wanted: number,
  followedMs: number,
): Oracle => ({ physical, logical, limit, wanted, followedMs });

const withWindow = (
  { physical, logical, followedMs }: Oracle,
  limit: number,
  wanted: number,
): Oracle => oracleOf(physical, logical, limit, wanted, followedMs);

/** The oracle of a new leader, where every grant of its predecessors lies below `storedLimit`. */
export function begin(storedLimit: number, now: Now): Oracle {
  const physical = Math.max(storedLimit, believed(now.wallMs));
  return oracleOf(physical, 0, 0, 0, now.monotonicMs);
}

/**
 * The window to propose now: the first one, or the next where more than half of the last is used
 * up.
 */
export function nextWindow(
  oracle: Oracle,
  windowMs: number,
): { readonly oracle: Oracle; readonly limit: number } | undefined {
  assert(windowMs >= 2, "a window has room for a grant");
  const limit = oracle.physical + windowMs;
  if (oracle.wanted !== oracle.limit || limit - oracle.limit <= windowMs / 2) return undefined;
  return { oracle: withWindow(oracle, oracle.limit, limit), limit };
}

/** A window of this leadership is stored. */
export function withLimit(oracle: Oracle, limit: number): Oracle {
  assert(limit <= oracle.wanted, "a window was asked for before it is stored");
  return withWindow(oracle, Math.max(oracle.limit, limit), oracle.wanted);
}

/** The proposal of a window was dropped, so that it must be made again. */
export function withoutProposal(oracle: Oracle): Oracle {
  return withWindow(oracle, oracle.limit, oracle.limit);
}

/**
 * Follows the wall clock. It never goes back with it, and runs at most twice as fast as the
 * monotonic clock, so that a clock that leaps ahead and is put right again leaves little behind.
 * What is left it loses by running at half speed: it must not stand still for long, as the life of
 * locks is told by it.
 */
export function follow(oracle: Oracle, now: Now): Oracle {
  const wallMs = believed(now.wallMs);
  const room = oracle.limit - 1 - oracle.physical;
  const behind = Math.min(wallMs - oracle.physical, room);
  const elapsed = now.monotonicMs - oracle.followedMs;
  const isFarAhead = oracle.physical - wallMs > AHEAD_MS;
  const due = isFarAhead ? Math.min(elapsed / 2, room) : Math.min(behind, 2 * elapsed);
  const advance = Math.floor(due);
  if (advance <= 0) {
    if (behind > 0) return oracle;
    // A millisecond of credit: the two clocks do not turn over at the same instant.
    const followedMs = Math.max(oracle.followedMs, now.monotonicMs - 1);
    if (followedMs === oracle.followedMs) return oracle;
    return oracleOf(oracle.physical, oracle.logical, oracle.limit, oracle.wanted, followedMs);
  }
  return oracleOf(oracle.physical + advance, 0, oracle.limit, oracle.wanted, now.monotonicMs);
}

/** Grants `count` timestamps, or undefined where the stored window has no room for them yet. */
export function grant(
  oracle: Oracle,
  count: number,
): { readonly oracle: Oracle; readonly granted: Granted } | undefined {
  assert(Number.isSafeInteger(count) && count > 0 && count < LOGICAL_END, "a grant fits one ms");
  const fits = oracle.logical + count < LOGICAL_END;
  const physical = fits ? oracle.physical : oracle.physical + 1;
  const logical = fits ? oracle.logical + count : count;
  if (physical >= oracle.limit) return undefined;
  const next = oracleOf(physical, logical, oracle.limit, oracle.wanted, oracle.followedMs);
  return { oracle: next, granted: { physical, logical } };
}

/** The reading of a wall clock as far as it can be one. */
function believed(wallMs: number): number {
  return wallMs > 0 ? Math.min(Math.floor(wallMs), LAST_BELIEVED_MS) : 0;
}
