/**
 * Timestamps of the oracle: 46 bits of milliseconds since the Unix epoch over 18 bits of a count
 * within that millisecond, as TiKV's clients expect them. Everybody else takes a timestamp as an
 * opaque number to compare.
 */
import { assert } from "./assert.ts";
import type { Brand } from "./ids.ts";

/** An unsigned 64-bit integer. 0 is before every timestamp. */
export type Timestamp = Brand<bigint, "Timestamp">;

export const LOGICAL_BITS = 18;
/** Timestamps in one millisecond. */
export const LOGICAL_COUNT: number = 2 ** LOGICAL_BITS;
/** Milliseconds that can be told apart. */
export const PHYSICAL_COUNT: number = 2 ** 46;

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const LOGICAL_MASK = BigInt(LOGICAL_COUNT - 1);

export const ZERO_TIMESTAMP: Timestamp = 0n as Timestamp;
/** "The newest there is", in requests; the oracle never gives it out. */
export const MAX_TIMESTAMP: Timestamp = MAX_U64 as Timestamp;

/** Checks that `value` is an unsigned 64-bit integer. */
export function Timestamp(value: bigint): Timestamp {
  assert(value >= 0n && value <= MAX_U64, () => `timestamp ${value} is not 64 bits unsigned`);
  return value as Timestamp;
}

/** The timestamp number `logical` of the millisecond `physical`. */
export function composeTimestamp(physical: number, logical: number): Timestamp {
  assert(
    Number.isInteger(physical) && physical >= 0 && physical < PHYSICAL_COUNT,
    () => `physical part ${physical} is not 46 bits unsigned`,
  );
  assert(
    Number.isInteger(logical) && logical >= 0 && logical < LOGICAL_COUNT,
    () => `logical part ${logical} is not ${LOGICAL_BITS} bits unsigned`,
  );
  return ((BigInt(physical) << BigInt(LOGICAL_BITS)) | BigInt(logical)) as Timestamp;
}

/** Milliseconds since the Unix epoch. */
export const physicalOf = (timestamp: Timestamp): number =>
  Number(timestamp >> BigInt(LOGICAL_BITS));

/** The count within the millisecond. */
export const logicalOf = (timestamp: Timestamp): number => Number(timestamp & LOGICAL_MASK);

export const maxTimestamp = (a: Timestamp, b: Timestamp): Timestamp => (a > b ? a : b);

/** The timestamp behind `timestamp`, which must not be the greatest. */
export function nextTimestamp(timestamp: Timestamp): Timestamp {
  assert(timestamp < MAX_U64, "no timestamp comes behind the greatest");
  return (timestamp + 1n) as Timestamp;
}
