/** Keeps a job to its bytes a second: says how long to wait behind each slice. */
import type { DiskOperation } from "../../engine/storage/disk.ts";

/** A job that was held up may catch up on this much, not more. */
const SLACK_MS = 100;

export class Pace {
  readonly #bytesPerMs: number;
  /** When the next slice may begin. */
  #next: number;

  /** `bytesPerSecond` 0 is no limit. Times are milliseconds of a monotonic clock. */
  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#next = nowMs;
  }

  /** Milliseconds to wait now that `bytes` more were written; 0 to go on at once. */
  delay(bytes: number, nowMs: number): number {
    if (this.#bytesPerMs === 0) return 0;
    this.#next = Math.max(this.#next, nowMs - SLACK_MS) + bytes / this.#bytesPerMs;
    // A timer is not finer than a millisecond.
    return Math.max(0, Math.floor(this.#next - nowMs));
  }
}

/** Bytes that a slice appends. */
export function bytesOf(operations: readonly DiskOperation[]): number {
  let total = 0;
  for (const operation of operations) {
    if (operation.type === "append") total += operation.bytes.length;
  }
  return total;
}
