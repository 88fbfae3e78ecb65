/**
 * Families of delays, in microseconds. Exponential and heavy-tailed draws read tables of quantiles
 * and interpolate: exact integer arithmetic, where `Math.log` may differ between JavaScript
 * engines.
 */
import type { Random } from "../random.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { between } from "../random.ts";

export type Latency =
  | { readonly type: "constant"; readonly us: number }
  | { readonly type: "uniform"; readonly lowUs: number; readonly highUs: number }
  /** `minUs` plus an exponential part with this mean. */
  | { readonly type: "exponential"; readonly minUs: number; readonly meanUs: number }
  /**
   * `minUs` plus a Pareto part (shape 1.2): half of the draws below 0.8 scales, one in 250 above
   * 100.
   */
  | { readonly type: "heavy_tail"; readonly minUs: number; readonly scaleUs: number };

/** -ln(1 - i/64) in thousandths. */
const EXPONENTIAL: readonly number[] = [
  0, 16, 32, 48, 65, 81, 98, 116, 134, 152, 170, 189, 208, 227, 247, 267, 288, 309, 330, 352, 375,
  398, 421, 445, 470, 495, 521, 548, 575, 604, 633, 662, 693, 725, 758, 792, 827, 863, 901, 940,
  981, 1023, 1068, 1114, 1163, 1214, 1269, 1326, 1386, 1451, 1520, 1594, 1674, 1761, 1856, 1962,
  2079, 2213, 2367, 2549, 2773, 3060, 3466, 4159,
];
/** (1 - i/64)^(-1/1.2) - 1 in thousandths. */
const PARETO: readonly number[] = [
  0, 13, 27, 41, 55, 70, 85, 101, 118, 135, 152, 170, 189, 208, 228, 249, 271, 293, 317, 341, 366,
  393, 421, 449, 479, 511, 544, 579, 615, 654, 694, 737, 782, 830, 880, 934, 992, 1053, 1118, 1189,
  1265, 1346, 1435, 1531, 1636, 1751, 1878, 2018, 2175, 2350, 2548, 2775, 3035, 3338, 3697, 4128,
  4657, 5323, 6189, 7369, 9079, 11810, 16959, 31000,
];
/** Times a draw may fall into the last 64th in a row: the greatest draw stays finite. */
const TAILS = 3;

/** One delay of the family. */
export function draw(latency: Latency, random: Random): number {
  switch (latency.type) {
    case "constant":
      return latency.us;
    case "uniform":
      return between(random, latency.lowUs, latency.highUs);
    case "exponential":
      return latency.minUs + Math.floor((latency.meanUs * exponential(random)) / 1000);
    case "heavy_tail":
      return latency.minUs + Math.floor((latency.scaleUs * pareto(random)) / 1000);
    default:
      return unreachable(latency);
  }
}

/** Memoryless: the last 64th is the whole distribution again, behind its beginning. */
function exponential(random: Random): number {
  let before = 0;
  for (let tail = 0; ; tail++) {
    const bits = random.int32() >>> 0;
    if (bits >>> 26 < 63 || tail === TAILS) return before + interpolated(EXPONENTIAL, bits);
    before += EXPONENTIAL[63] as number;
  }
}

/** Self-similar: the last 64th is the whole distribution again, 64^(1/1.2) = 32 times as large. */
function pareto(random: Random): number {
  let scale = 1;
  for (let tail = 0; ; tail++) {
    const bits = random.int32() >>> 0;
    if (bits >>> 26 < 63 || tail === TAILS) {
      return scale * (interpolated(PARETO, bits) + 1000) - 1000;
    }
    scale *= 32;
  }
}

/** The quantile at `bits` of 2^32, in thousandths. */
function interpolated(quantiles: readonly number[], bits: number): number {
  const low = quantiles[bits >>> 26] as number;
  const high = quantiles[(bits >>> 26) + 1] ?? low;
  return low + ((high - low) * (bits & 0x3ffffff)) / 0x4000000;
}

/** The family in words. */
export function describeLatency(latency: Latency): string {
  switch (latency.type) {
    case "constant":
      return `${latency.us} us`;
    case "uniform":
      return `${latency.lowUs} to ${latency.highUs} us`;
    case "exponential":
      return `${latency.minUs} us + exponential ${latency.meanUs} us`;
    case "heavy_tail":
      return `${latency.minUs} us + heavy tail ${latency.scaleUs} us`;
    default:
      return unreachable(latency);
  }
}
