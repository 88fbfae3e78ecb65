/**
 * The two clocks of one machine, against the true time of the world (microseconds, known to no
 * machine). Both run off one oscillator whose rate may be wrong. The wall clock may also be offset,
 * step either way and stand still; the monotonic clock never does any of that.
 */
import type { Now } from "../../engine/base/time.ts";
import { assert } from "../../engine/base/assert.ts";

/** Mutable: one for each machine. */
export interface Clock {
  /** True time at which the rate was last set, and what the oscillator showed then. */
  sinceUs: number;
  shownUs: number;
  /** How much too fast the oscillator runs, in millionths; negative is slow. */
  driftMillionths: number;
  /** Wall clock minus oscillator. */
  wallOffsetUs: number;
  /** What the wall clock shows while it stands still. */
  frozenWallUs: number | undefined;
}

/** The true date of the world's time 0, in milliseconds: an arbitrary day. */
export const EPOCH_MS = 1_700_000_000_000;

export function clockOf(originUs: number, driftMillionths: number, wallErrorUs: number): Clock {
  return {
    sinceUs: 0,
    shownUs: originUs,
    driftMillionths,
    wallOffsetUs: EPOCH_MS * 1000 + wallErrorUs - originUs,
    frozenWallUs: undefined,
  };
}

/** What both clocks show at true time `timeUs`, in whole milliseconds. */
export function readClock(clock: Clock, timeUs: number): Now {
  const shownUs = oscillator(clock, timeUs);
  const wallUs = clock.frozenWallUs ?? shownUs + clock.wallOffsetUs;
  return { monotonicMs: Math.floor(shownUs / 1000), wallMs: Math.floor(wallUs / 1000) };
}

/** How long, in true microseconds, this machine takes to see `localUs` pass. */
export const trueDelay = (clock: Clock, localUs: number): number =>
  Math.max(1, Math.round((localUs * 1_000_000) / (1_000_000 + clock.driftMillionths)));

/** Changes the rate from `timeUs` on. What the clocks show stays continuous. */
export function setDrift(clock: Clock, timeUs: number, driftMillionths: number): void {
  assert(driftMillionths > -1_000_000, "a clock does not run backwards");
  clock.shownUs = oscillator(clock, timeUs);
  clock.sinceUs = timeUs;
  clock.driftMillionths = driftMillionths;
}

/** Moves the wall clock by `deltaUs`, either way. */
export function stepWall(clock: Clock, deltaUs: number): void {
  clock.wallOffsetUs += deltaUs;
}

/** The wall clock stands still from `timeUs` on. */
export function freezeWall(clock: Clock, timeUs: number): void {
  clock.frozenWallUs ??= oscillator(clock, timeUs) + clock.wallOffsetUs;
}

/** The wall clock runs again: from where it stood, or (`caughtUp`) from where it would be. */
export function thawWall(clock: Clock, timeUs: number, caughtUp: boolean): void {
  if (clock.frozenWallUs === undefined) return;
  if (!caughtUp) clock.wallOffsetUs = clock.frozenWallUs - oscillator(clock, timeUs);
  clock.frozenWallUs = undefined;
}

function oscillator(clock: Clock, timeUs: number): number {
  const elapsed = timeUs - clock.sinceUs;
  assert(elapsed >= 0, "true time goes forward");
  return clock.shownUs + elapsed + Math.floor((elapsed * clock.driftMillionths) / 1_000_000);
}
