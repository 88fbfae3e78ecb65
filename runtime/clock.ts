/** The real clocks. */
import type { Now } from "../engine/base/time.ts";

/**
 * Reads both. The monotonic clock counts from the start of the process, in milliseconds with
 * fractions.
 */
export function readClocks(): Now {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}
