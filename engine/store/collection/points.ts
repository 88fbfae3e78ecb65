/** The safe points, which the placement driver keeps and the store asks for now and then. */
import { EMPTY_KEY } from "../../base/bytes.ts";
import { maxTimestamp, Timestamp } from "../../base/timestamp.ts";
import { GetGCStateRequest, type GetGCStateResponse } from "../../protocol/gen/pdpb.ts";
import { header } from "../header.ts";
import { stepDisk } from "../disk.ts";
import { ask, type StoreTurn } from "../turn.ts";

/** Asks when it is time, and at every tick while the store knows no safe point. */
export function seekSafePoints(turn: StoreTurn): void {
  const { pollMs } = turn.before.config.collection;
  const now = turn.now.monotonicMs;
  if (turn.safePoint !== undefined && now - turn.collection.askedAt < pollMs) return;
  if (turn.asked.some(({ purpose }) => purpose.type === "safe_points")) return;
  turn.collection = { ...turn.collection, askedAt: now };
  const request = GetGCStateRequest.make({ header: header(turn), excludeGcBarriers: true });
  ask(turn, { type: "safe_points" }, { method: "GetGCState", request });
}

export function onSafePoints(turn: StoreTurn, { header: head, gcState }: GetGCStateResponse): void {
  if (head?.error !== undefined || gcState === undefined) return;
  const known = turn.safePoint ?? (0n as Timestamp);
  turn.safePoint = maxTimestamp(known, Timestamp(gcState.txnSafePoint));
  const garbageBelow = Timestamp(gcState.gcSafePoint);
  // The driver never lets it pass the transaction safe point; nothing here relies on that.
  if (garbageBelow <= turn.collection.garbageBelow || garbageBelow > turn.safePoint) return;
  turn.collection = { ...turn.collection, garbageBelow };
  if (turn.before.config.collection.inCompactions) {
    const filter = { type: "garbage", safePoint: garbageBelow } as const;
    stepDisk(turn, { type: "filter", cf: "write", filter });
  }
  if (turn.collection.sweep === undefined) beginSweep(turn);
}

/** Begins a round over all regions at the point that is known now. */
export function beginSweep(turn: StoreTurn): void {
  const { garbageBelow: safePoint } = turn.collection;
  const sweep = { safePoint, done: 0, region: undefined, from: EMPTY_KEY, newer: false };
  turn.collection = { ...turn.collection, sweep };
}
