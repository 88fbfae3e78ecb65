/**
 * How much the store lets in. What it is behind with (layers waiting for their flush, tables in
 * level 0, levels too large) slows writes down between a soft and a hard limit: a bucket is filled
 * with bytes as time passes, ever more slowly, and a write that it cannot pay for waits in line. At
 * the hard limit, at a full line, or at the budget of memory, a write is refused with the reason
 * and a time to come back. Nobody just waits.
 */
import { assert } from "../base/assert.ts";

export interface ThrottleConfig {
  /**
   * Bytes of frozen memtables: writes are slowed down from the one on, and refused at the other.
   */
  readonly softFrozenBytes: number;
  readonly hardFrozenBytes: number;
  /** Tables of level 0 over one key, likewise. */
  readonly softTables: number;
  readonly hardTables: number;
  /** Bytes of levels 0 and 1 that should have gone down, likewise. */
  readonly softDebtBytes: number;
  readonly hardDebtBytes: number;
  /** Bytes a second that are let in right at the soft limit; next to nothing at the hard one. */
  readonly bytesPerSecond: number;
  /** Bytes of writes that may wait in line, and for how long, in milliseconds. */
  readonly lineBytes: number;
  readonly lineMs: number;
  /** The budget of memory: at this many bytes writes are refused. */
  readonly memoryBytes: number;
  /** Room on the disk that is kept for compactions and deletions: below it writes are refused. */
  readonly reserveBytes: number;
}

/** What decides, as the store finds it at the beginning of a step. */
export interface Load {
  readonly frozenBytes: number;
  readonly levelZero: number;
  readonly debtBytes: number;
  /** In use for memtables, cached tables, logs and waiting writes. */
  readonly memoryBytes: number;
  /** Room on the disk, and whether the log waits for some. */
  readonly freeBytes: number;
  readonly blocked: boolean;
}

/** Between steps. A value. */
export interface Bucket {
  /** Bytes that may be let in; negative after one that was larger than what there was. */
  readonly bytes: number;
  /** Monotonic milliseconds up to which it has been filled. */
  readonly filledAt: number;
}

export const emptyBucket = (nowMs: number): Bucket => ({ bytes: 0, filledAt: nowMs });

export type Verdict =
  /** Everything may pass. */
  | { readonly type: "open" }
  /** Bytes are let in at this rate. */
  | { readonly type: "slow"; readonly bytesPerSecond: number }
  | { readonly type: "refuse"; readonly reason: string; readonly backoffMs: number }
  /** There is no room on the disk for more than what is under way. */
  | { readonly type: "full"; readonly reason: string };

const OPEN: Verdict = { type: "open" };

/** At the hard limit a client may ask again after this long, in milliseconds. */
const HARD_BACKOFF_MS = 1000;
/** The slowest rate before writes are refused: a part of the rate at the soft limit. */
const SLOWEST = 1 / 64;

/** What is to be done with writes under `load`. */
export function judge(load: Load, config: ThrottleConfig): Verdict {
  if (load.blocked) return { type: "full", reason: "there is no room for the log" };
  if (load.freeBytes < config.reserveBytes) {
    return { type: "full", reason: `${load.freeBytes} bytes are free, and kept in reserve` };
  }
  if (load.memoryBytes >= config.memoryBytes) {
    return refusal("the store is at its memory budget", HARD_BACKOFF_MS);
  }
  const parts = [
    [
      "memtables wait to be flushed",
      load.frozenBytes,
      config.softFrozenBytes,
      config.hardFrozenBytes,
    ],
    ["tables wait in level 0", load.levelZero, config.softTables, config.hardTables],
    ["compaction is behind", load.debtBytes, config.softDebtBytes, config.hardDebtBytes],
  ] as const;
  let worst = 0;
  for (const [reason, value, soft, hard] of parts) {
    assert(hard > soft, "a hard limit is beyond its soft one");
    if (value >= hard) return refusal(reason, HARD_BACKOFF_MS);
    worst = Math.max(worst, (value - soft) / (hard - soft));
  }
  if (worst <= 0) return OPEN;
  // Falls by the same factor over each part of the way, so that it is felt early and bites late.
  const steps = Math.round(worst * 12);
  let bytesPerSecond = config.bytesPerSecond;
  for (let i = 0; i < steps; i++) bytesPerSecond *= Math.SQRT1_2;
  return {
    type: "slow",
    bytesPerSecond: Math.max(bytesPerSecond, config.bytesPerSecond * SLOWEST),
  };
}

const refusal = (reason: string, backoffMs: number): Verdict => ({
  type: "refuse",
  reason,
  backoffMs,
});

/** The bucket at `nowMs`, filled at `bytesPerSecond`. It holds at most a tenth of a second's. */
export function filled(bucket: Bucket, nowMs: number, bytesPerSecond: number): Bucket {
  const most = bytesPerSecond / 10;
  const passedMs = Math.max(0, nowMs - bucket.filledAt);
  const bytes = Math.min(most, bucket.bytes + (passedMs * bytesPerSecond) / 1000);
  return { bytes, filledAt: nowMs };
}

/** Whether a write may pass now: one at a time may overdraw, so that large ones pass too. */
export const mayPass = (bucket: Bucket): boolean => bucket.bytes > 0;

export const taken = (bucket: Bucket, bytes: number): Bucket => ({
  bytes: bucket.bytes - bytes,
  filledAt: bucket.filledAt,
});

/** When a line of `bytes` will have passed, in whole milliseconds: what to tell who is refused. */
export const waitMs = (bytes: number, bytesPerSecond: number): number =>
  Math.ceil((bytes * 1000) / bytesPerSecond);
