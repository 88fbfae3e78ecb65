/**
 * What all requests have in common: timestamps that somebody else made up.
 */
import { MAX_TIMESTAMP, Timestamp } from "../../base/timestamp.ts";
import type { Refusal } from "../refusal.ts";

/**
 * Why a request cannot be served, if the named timestamps are not what an oracle gives out. 0 and
 * the greatest one stand for "none" and "the newest"; neither is anybody's.
 */
export function checkTimestamps(fields: Readonly<Record<string, bigint>>): Refusal | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (value === 0n || value === MAX_TIMESTAMP) {
      return { type: "invalid_request", detail: `${name} is ${value}` };
    }
  }
  return undefined;
}

/** As `checkTimestamps`, of fields that may be 0. */
export function checkOptionalTimestamps(
  fields: Readonly<Record<string, bigint>>,
): Refusal | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (value === MAX_TIMESTAMP) return { type: "invalid_request", detail: `${name} is ${value}` };
  }
  return undefined;
}

/** Why a transaction cannot commit at `commitTs`, if it cannot. */
export const checkCommitTs = (startTs: bigint, commitTs: bigint): Refusal | undefined =>
  commitTs > startTs && commitTs !== MAX_TIMESTAMP
    ? undefined
    : { type: "invalid_txn_tso", startTs: Timestamp(startTs), commitTs: Timestamp(commitTs) };
