/**
 * What a store knows of the oracle's time, and the timestamps that it does not believe because of
 * it. Reads raise `max_ts`, and every commit calculated here lies above it: one request with a
 * timestamp that the oracle never gave would carry all later commits away into the future.
 *
 * A timestamp is doubtful that lies further ahead than the oracle can have come since it was last
 * asked. Whoever brings one is told to come again, and the oracle is asked. It is refused for good
 * once an answer, asked for after it was first seen, has not reached it.
 */
import { MAX_TIMESTAMP, physicalOf, type Timestamp } from "../../base/timestamp.ts";
import { type MvccCall, maxTsOf } from "../../mvcc/calls.ts";
import { TsoRequest, type TsoResponse } from "../../protocol/gen/pdpb.ts";
import { invalidMaxTs, readIndexNotReady, type RegionError } from "../../region/errors.ts";
import type { Replica } from "../../region/replica.ts";
import { header } from "../header.ts";
import { ask, type StoreTurn } from "../turn.ts";
import { withParts } from "./parts.ts";

export interface Oracle {
  /** Its latest answer; undefined before the first. */
  readonly heard: Heard | undefined;
  /** Monotonic time at which it was last asked for this. */
  readonly askedAt: number;
  /** Timestamps that are not believed yet, oldest first. */
  readonly doubts: readonly Doubt[];
}

interface Heard {
  /** Milliseconds of the timestamp: the oracle's time. */
  readonly ms: number;
  /** Monotonic time at which it was asked for. */
  readonly askedAt: number;
}

interface Doubt {
  readonly ts: Timestamp;
  /** Monotonic time at which it first came. */
  readonly since: number;
}

export const unheardOracle = (): Oracle => ({
  heard: undefined,
  askedAt: Number.NEGATIVE_INFINITY,
  doubts: [],
});

/** Doubts that are remembered, and for how long, in milliseconds. */
const MOST_DOUBTS = 64;
const DOUBT_MS = 10_000;
/** No oracle gives timestamps from here on before the year 3084, whatever it says. */
const ABSURD = (1n << 63n) as Timestamp;

/** Asks when it is time, and at every tick while nothing has been heard. */
export function seekOracle(turn: StoreTurn): void {
  const { oracle } = turn.transactions;
  const now = turn.now.monotonicMs;
  const { syncMs } = turn.before.config.maxTs;
  const latest = Math.max(oracle.askedAt, oracle.heard?.askedAt ?? Number.NEGATIVE_INFINITY);
  if (oracle.heard === undefined || now - latest >= syncMs) askOracle(turn);
}

function askOracle(turn: StoreTurn): void {
  if (turn.registration.type !== "joined") return;
  if (turn.asked.some(({ purpose }) => purpose.type === "oracle")) return;
  change(turn, { askedAt: turn.now.monotonicMs });
  const request = TsoRequest.make({ header: header(turn), count: 1 });
  ask(turn, { type: "oracle" }, { method: "Tso", request });
}

/** A timestamp that was asked for at `askedAt`, for whatever purpose. */
export function hearOracle(turn: StoreTurn, askedAt: number, { timestamp }: TsoResponse): void {
  const { heard } = turn.transactions.oracle;
  if (timestamp === undefined || (heard !== undefined && heard.askedAt > askedAt)) return;
  change(turn, { heard: { ms: timestamp.physical, askedAt } });
}

/** Why the call must not raise `max_ts` as it would, if so. */
export function notOfOracle(
  turn: StoreTurn,
  replica: Replica,
  call: MvccCall,
): RegionError | undefined {
  const ts = maxTsOf(call);
  if (isBelievable(turn, ts)) return undefined;
  const { action } = turn.before.config.maxTs;
  const limit = limitMs(turn);
  if (ts < ABSURD && !isConfirmed(turn, ts)) {
    doubt(turn, ts);
    return readIndexNotReady(replica.region.id, `the oracle is asked whether it gave ${ts}`);
  }
  const error = invalidMaxTs(ts, limit);
  turn.effects.push({
    type: "log",
    level: "error",
    message: "invalid max_ts update",
    fields: { method: call.method, attempted: String(ts), limit_ms: limit },
  });
  if (action === "panic") turn.effects.push({ type: "stop", reason: error.message });
  return action === "log" && ts < ABSURD ? undefined : error;
}

/** Whether somebody may be answered for whom `max_ts` is raised to `ts`. */
export function isBelievable(turn: StoreTurn, ts: Timestamp): boolean {
  if (ts <= turn.transactions.concurrency.maxTs || ts === MAX_TIMESTAMP) return true;
  return physicalOf(ts) <= limitMs(turn);
}

/** Notes that `ts` was met and is not believed, and asks the oracle. */
export function doubt(turn: StoreTurn, ts: Timestamp): void {
  const now = turn.now.monotonicMs;
  const { doubts } = turn.transactions.oracle;
  if (!doubts.some((known) => known.ts === ts)) {
    const fresh = doubts.filter(({ since }) => now - since < DOUBT_MS);
    change(turn, { doubts: [...fresh, { ts, since: now }].slice(-MOST_DOUBTS) });
  }
  askOracle(turn);
}

/** The greatest time that the oracle can have come to by now, and a bit; -1: nothing is known. */
function limitMs({ transactions, now, before }: StoreTurn): number {
  const { heard } = transactions.oracle;
  if (heard === undefined) return -1;
  return heard.ms + Math.ceil(now.monotonicMs - heard.askedAt) + before.config.maxTs.driftMs;
}

/** Whether the oracle has been asked since `ts` came, and has not come near it. */
function isConfirmed({ transactions }: StoreTurn, ts: Timestamp): boolean {
  const { heard, doubts } = transactions.oracle;
  const known = doubts.find((other) => other.ts === ts);
  return heard !== undefined && known !== undefined && heard.askedAt >= known.since;
}

function change(turn: StoreTurn, part: Partial<Oracle>): void {
  const oracle = { ...turn.transactions.oracle, ...part };
  turn.transactions = withParts(turn.transactions, { oracle });
}
