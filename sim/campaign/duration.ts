/** Spans of time and counts for people. */
import { formatNumber } from "../cli/table.ts";

/** As `2h 05m`, `5m 03s` or `12s`. */
export function durationText(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h}h ${two(m)}m`;
  return m > 0 ? `${m}m ${two(s)}s` : `${s}s`;
}

/** As `one run` or `1,234 runs`. */
export const runsText = (runs: number): string =>
  runs === 1 ? "one run" : `${formatNumber(runs)} runs`;

/** As `one kind` or `3 kinds`. */
export const kindsText = (kinds: number): string => (kinds === 1 ? "one kind" : `${kinds} kinds`);

const two = (value: number): string => String(value).padStart(2, "0");
