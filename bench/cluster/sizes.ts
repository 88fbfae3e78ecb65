/** How much there is, and what a store may keep of it in memory. */
import { positive, refuseOption } from "../options.ts";
import { KEY_BYTES } from "./loadgen.ts";
import type { KeySpace } from "./loadgen.ts";

const MIB = 1024 * 1024;
const KEYS = 100_000;
const VALUE_BYTES = 128;
/** How often the budget of a store goes into what spills over it, and the values of that. */
const SPILL = 8;
const SPILL_VALUE_BYTES = 512;

/** What was said of `--keys`, `--value`, `--memory` and `--spill`. */
export interface SizeValues {
  readonly keys?: string | undefined;
  readonly value?: string | undefined;
  readonly memory?: string | undefined;
  readonly spill?: string | undefined;
}

export interface Sizes {
  readonly space: KeySpace;
  /** Of each store of ours, in MiB; as it comes where undefined. */
  readonly memory: number | undefined;
}

export function sizesOf({ keys, value, memory, spill }: SizeValues): Sizes {
  if (spill === undefined) {
    return {
      space: {
        keys: keys === undefined ? KEYS : positive("keys", keys),
        valueBytes: value === undefined ? VALUE_BYTES : positive("value", value),
      },
      memory: memory === undefined ? undefined : positive("memory", memory),
    };
  }
  if (keys !== undefined || memory !== undefined) {
    return refuseOption("--spill says how many keys there are and what the budget is");
  }
  const budget = positive("spill", spill);
  const valueBytes = value === undefined ? SPILL_VALUE_BYTES : positive("value", value);
  const count = Math.ceil((SPILL * budget * MIB) / (KEY_BYTES + valueBytes));
  return { space: { keys: count, valueBytes }, memory: budget };
}

/** One line. */
export function describeSizes({ space: { keys, valueBytes }, memory }: Sizes): string {
  const bytes = keys * (KEY_BYTES + valueBytes);
  const data = `${keys} keys of ${KEY_BYTES} bytes, values of ${valueBytes}`;
  const all = `${data}: ${Math.round(bytes / MIB)} MiB`;
  if (memory === undefined) return `${all}; stores without a budget`;
  const times = (bytes / MIB / memory).toFixed(1);
  return `${all}; stores with memory-usage-limit = "${memory}MB", ${times} times less`;
}
