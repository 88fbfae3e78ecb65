/**
 * Reads below the safe point are refused, and so are new locks of transactions that began below it:
 * what said that they were over may have been collected with everything else.
 *
 * A store never holds data that were collected at a point beyond the one it knows. It collects at
 * what it knows itself; snapshots bring their maker's point along; and a store that has just been
 * started knows none, and serves none of these calls, until the placement driver has told it.
 */
import type { Timestamp } from "../base/timestamp.ts";
import { maxTimestamp } from "../base/timestamp.ts";
import { type MvccCall, oldestOf, refuseCall } from "../mvcc/calls.ts";
import type { TikvReply } from "../protocol/services.ts";
import { readIndexNotReady, regionErrorReply } from "./errors.ts";
import type { Turn } from "./turn.ts";

/** Data have come in that were collected at `safePoint`, or at one that is not known. */
export function learnSafePoint(turn: Turn, safePoint: Timestamp | undefined): void {
  if (safePoint === undefined || turn.safePoint === undefined) turn.safePoint = undefined;
  else turn.safePoint = maxTimestamp(turn.safePoint, safePoint);
}

/** The answer to `call` where it comes too late for this store's data, or too early to know. */
export function tooOld({ safePoint }: Turn, region: number, call: MvccCall): TikvReply | undefined {
  const startTs = oldestOf(call);
  if (startTs === undefined) return undefined;
  if (safePoint === undefined) {
    return regionErrorReply(call.method, readIndexNotReady(region, "the safe point is not known"));
  }
  if (startTs >= safePoint) return undefined;
  return refuseCall(call.method, { type: "too_old", startTs, safePoint });
}
