/**
 * How a simulated disk behaves: how long operations take and how often they fail. A model is plain
 * data; the fault injector swaps it while the disk runs.
 */
import type { DiskOperation } from "../../engine/storage/disk.ts";
import type { Random } from "./content.ts";

export interface DiskModel {
  /** Shortest and mean time of handing bytes to the operating system, in microseconds. */
  readonly writeUs: Latency;
  /** Shortest and mean time of a sync of a file or of the directory, in microseconds. */
  readonly syncUs: Latency;
  /** Mean time of a read, whatever its length, in microseconds. */
  readonly readUs: number;
  readonly bytesPerSecond: number;
  /** Multiplies every latency: 1 is a healthy disk. */
  readonly slowdown: number;
  /** Sum of the sizes of all files at which appends fail with `no_space`. */
  readonly capacityBytes: number;
  /** Chance of any operation to fail with `no_space`, wherever the bytes went. */
  readonly spaceFailure: number;
  /** Chance of any operation to be stuck, and for how many microseconds then. */
  readonly sticking: number;
  readonly stuckUs: number;
  /** Chance of a sync to fail and to drop what was not synced before. */
  readonly syncFailure: number;
  /** Chance of any other operation to fail with `io_error`. */
  readonly writeFailure: number;
  /** Chance of a sector that was being written when power was lost to hold parts of two states. */
  readonly tearing: number;
}

/** Exponentially distributed above a minimum. */
export interface Latency {
  readonly minimumUs: number;
  readonly meanUs: number;
}

/** A solid-state disk that keeps its promises. */
export const HEALTHY_DISK: DiskModel = {
  writeUs: { minimumUs: 2, meanUs: 5 },
  syncUs: { minimumUs: 60, meanUs: 120 },
  readUs: 4,
  bytesPerSecond: 500_000_000,
  slowdown: 1,
  capacityBytes: Number.MAX_SAFE_INTEGER,
  spaceFailure: 0,
  sticking: 0,
  stuckUs: 0,
  syncFailure: 0,
  writeFailure: 0,
  tearing: 0.25,
};

/** Virtual microseconds that `operations` take one after another: whole, at least one. */
export function durationUs(
  model: DiskModel,
  operations: readonly DiskOperation[],
  random: Random,
): number {
  let total = 0;
  let stuck = 0;
  for (const operation of operations) {
    const syncs = operation.type === "sync" || operation.type === "sync_directory";
    total += draw(syncs ? model.syncUs : model.writeUs, random());
    if (operation.type === "append") {
      total += (operation.bytes.length * 1_000_000) / model.bytesPerSecond;
    }
    if (model.sticking > 0 && random() < model.sticking) stuck += model.stuckUs;
  }
  return Math.max(1, Math.round(total * model.slowdown + stuck));
}

/** Virtual microseconds that a read of `length` bytes takes: a fraction for most. */
export const readingUs = (model: DiskModel, length: number): number =>
  (model.readUs + (length * 1_000_000) / model.bytesPerSecond) * model.slowdown;

/**
 * A draw from an exponential distribution, cut at five times the mean. The quantiles stand in a
 * table because logarithms may differ between JavaScript engines in the last bit.
 */
function draw(latency: Latency, fraction: number): number {
  const place = fraction * (QUANTILES.length - 1);
  const below = Math.floor(place);
  const low = QUANTILES[below] ?? 0;
  const high = QUANTILES[below + 1] ?? low;
  const quantile = low + (high - low) * (place - below);
  return latency.minimumUs + (latency.meanUs - latency.minimumUs) * quantile;
}

/** -ln(1 - p) for p = 0, 1/16, …, 15/16, and the cut in place of infinity. */
const QUANTILES: readonly number[] = [
  0, 0.0645, 0.1335, 0.2076, 0.2877, 0.3747, 0.47, 0.5754, 0.6931, 0.8267, 0.9808, 1.1632, 1.3863,
  1.674, 2.0794, 2.7726, 5,
];
