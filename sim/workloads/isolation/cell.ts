/** What lies under the keys of recorded transactions: numbers, and some bytes behind them. */
import { keyFromBytes } from "../../../engine/base/bytes.ts";

/** `numbers` as a value; with `padding`, too long to lie beside its version. */
export const cellOf = (numbers: readonly number[], padding: number): string =>
  `${numbers.join(" ")}|${"-".repeat(padding)}`;

/** Empty where there is no such key. NaN where this is none of our values. */
export function numbersIn(value: Uint8Array | undefined): readonly number[] {
  if (value === undefined) return [];
  const [numbers = ""] = keyFromBytes(value).split("|");
  return numbers.split(" ").map(Number);
}
