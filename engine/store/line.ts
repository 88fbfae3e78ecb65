/**
 * Writes at the door: let in, kept in line, or told why not and when to come back (see
 * `throttle.ts`, and `docs/design/009-lsm.md`, "Debt and budget").
 */
import { unreachable } from "../base/assert.ts";
import { logBytes } from "../raft/query.ts";
import { diskFull, type RegionError, regionErrorReply, serverIsBusy } from "../region/errors.ts";
import { fail, sizeOf } from "../region/propose.ts";
import { reply } from "../region/turn.ts";
import { pressure } from "../storage/lsm/pressure.ts";
import { filled, judge, type Load, mayPass, taken, type Verdict, waitMs } from "./throttle.ts";
import type { Arriving, WaitingWrite } from "./state.ts";
import { onMvccWrite } from "./transactions/writes.ts";
import type { StoreTurn } from "./turn.ts";

/** What is to be done with writes in this step. */
export function verdictOf(turn: StoreTurn): Verdict {
  return (turn.verdict ??= judge(loadOf(turn), turn.before.config.throttle));
}

function loadOf(turn: StoreTurn): Load {
  const { frozenBytes, levelZero, debtBytes, blocked } = pressure(turn.before.storage);
  const { freeBytes } = turn;
  return { frozenBytes, levelZero, debtBytes, memoryBytes: memoryBytes(turn), freeBytes, blocked };
}

/** What counts for the budget: memtables, cached tables, logs and waiting writes. */
export function memoryBytes(turn: StoreTurn): number {
  const { memtableBytes, frozenBytes } = pressure(turn.before.storage);
  const { raftBytes, lineBytes } = turn;
  return memtableBytes + frozenBytes + turn.tables.usedBytes + raftBytes + lineBytes;
}

/** Whether memory is so short that nothing is kept for convenience. */
export const isTight = (turn: StoreTurn): boolean =>
  memoryBytes(turn) >= 0.75 * turn.before.config.throttle.memoryBytes;

/** At every tick: what is too dear to be asked at every step. */
export function measure(turn: StoreTurn): void {
  turn.freeBytes = turn.tables.disk.free();
  turn.raftBytes = 0;
  for (const { raft } of turn.replicas.all()) turn.raftBytes += logBytes(raft);
  // A flush gives back the memtable, and the logs up to it.
  if (isTight(turn) && pressure(turn.before.storage).memtableBytes > 0) turn.wantsFreeze = true;
}

/** A write is at the door: in with it, or into the line, or away. */
export function knock(turn: StoreTurn, write: Arriving): void {
  const verdict = verdictOf(turn);
  if (verdict.type === "open" && turn.line.length === 0) {
    enter(turn, write);
    return;
  }
  const bytes = bytesOf(write);
  const error = refusalOf(turn, verdict, bytes);
  if (error !== undefined) {
    sendAway(turn, write, error);
    return;
  }
  turn.line = [...turn.line, { write, bytes, since: turn.now.monotonicMs }];
  turn.lineBytes += bytes;
}

function enter(turn: StoreTurn, write: Arriving): void {
  if (write.type === "transactional") {
    onMvccWrite(turn, write.ticket, write.call);
    return;
  }
  turn.writes ??= new Map();
  const list = turn.writes.get(write.region);
  if (list === undefined) turn.writes.set(write.region, [write.proposal]);
  else list.push(write.proposal);
}

function sendAway(turn: StoreTurn, write: Arriving, error: RegionError): void {
  if (write.type === "raw") fail(turn, write.proposal.part, error);
  else reply(turn, write.ticket, regionErrorReply(write.call.method, error));
}

function bytesOf(write: Arriving): number {
  if (write.type === "raw") return sizeOf(write.proposal.commands);
  let bytes = 0;
  for (const { key, value } of write.call.request.mutations) {
    bytes += 64 + key.length + value.length;
  }
  return bytes;
}

/** Why a write of `bytes` cannot even wait, if it cannot. */
function refusalOf(turn: StoreTurn, verdict: Verdict, bytes: number): RegionError | undefined {
  switch (verdict.type) {
    case "refuse":
      return serverIsBusy(verdict.reason, verdict.backoffMs);
    case "full":
      return diskFull(turn.store, verdict.reason);
    case "open":
      return undefined;
    case "slow": {
      const { lineBytes } = turn.before.config.throttle;
      // A single write that is larger than the line may wait alone.
      if (turn.lineBytes === 0 || turn.lineBytes + bytes <= lineBytes) return undefined;
      const backoffMs = waitMs(turn.lineBytes, verdict.bytesPerSecond);
      return serverIsBusy("too many writes wait for the disk", backoffMs);
    }
    default:
      return unreachable(verdict);
  }
}

/** Lets in of the line what may pass by now, and sends away what has waited for too long. */
export function passLine(turn: StoreTurn): void {
  if (turn.line.length === 0) return;
  const verdict = verdictOf(turn);
  const { throttle } = turn.before.config;
  const now = turn.now.monotonicMs;
  if (verdict.type === "slow") turn.bucket = filled(turn.bucket, now, verdict.bytesPerSecond);
  const left: WaitingWrite[] = [];
  for (const waiting of turn.line) {
    const { write, bytes, since } = waiting;
    const passes = left.length === 0 && (verdict.type === "open" || mayPass(turn.bucket));
    if (verdict.type === "refuse" || verdict.type === "full") {
      sendAway(turn, write, refusalOf(turn, verdict, bytes) as RegionError);
    } else if (passes) {
      if (verdict.type === "slow") turn.bucket = taken(turn.bucket, bytes);
      enter(turn, write);
    } else if (now - since >= throttle.lineMs) {
      sendAway(turn, write, serverIsBusy("writes are slowed down", throttle.lineMs));
    } else {
      left.push(waiting);
      continue;
    }
    turn.lineBytes -= bytes;
  }
  turn.line = left;
}
