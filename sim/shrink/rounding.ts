/** The numbers of a schedule, each made round: whole seconds rather than microseconds. */
import type { Schedule } from "../decisions/schedule.ts";

/** From coarse to fine, in microseconds. */
const GRAINS: readonly number[] = [1_000_000, 100_000, 10_000, 1000];

/**
 * Schedules whose number at place `at` is rounder, the roundest first; undefined behind the last
 * place. Places are the times and lengths of strikes, then the times of operations and delays.
 */
export function roundings(schedule: Schedule, at: number): readonly Schedule[] | undefined {
  const { strikes, operations, fates } = schedule;
  if (at < strikes.length) {
    return rounded(strikes[at]?.atUs ?? 0).map((atUs) => ({
      ...schedule,
      strikes: strikes.map((one, i) => (i === at ? { ...one, atUs } : one)),
    }));
  }
  const length = at - strikes.length;
  if (length < strikes.length) {
    return rounded(strikes[length]?.lastsUs ?? 0).map((lastsUs) => ({
      ...schedule,
      strikes: strikes.map((one, i) => (i === length ? { ...one, lastsUs } : one)),
    }));
  }
  const operation = length - strikes.length;
  if (operation < operations.length) {
    return rounded(operations[operation]?.atUs ?? 0).map((atUs) => ({
      ...schedule,
      operations: operations.map((one, i) => (i === operation ? { ...one, atUs } : one)),
    }));
  }
  const message = operation - operations.length;
  const fate = fates[message];
  if (fate === undefined) return undefined;
  const isRounder = (grain: number): boolean =>
    fate.delays.some((us) => us % grain !== 0) && fate.delays.every((us) => us >= grain / 2);
  return GRAINS.filter(isRounder).map((grain) => ({
    ...schedule,
    fates: fates.map((one, i) =>
      i === message ? { ...one, delays: one.delays.map((us) => round(us, grain)) } : one,
    ),
  }));
}

/** Rounder numbers than this one, the roundest first. */
const rounded = (us: number): readonly number[] =>
  GRAINS.filter((grain) => us % grain !== 0 && us >= grain / 2).map((grain) => round(us, grain));

const round = (us: number, grain: number): number => Math.max(1, Math.round(us / grain) * grain);
