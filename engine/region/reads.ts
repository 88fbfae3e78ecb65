/**
 * Linearizable reads: at once under the leader's lease, else as soon as Raft has named an index and
 * the data holds it. Followers go the second way too.
 */
import type { LogIndex, Ticket } from "../base/ids.ts";
import { answerRead as answerMvcc, isMvccRead, isMvccWrite, refuseCall } from "../mvcc/calls.ts";
import type { MvccRead } from "../mvcc/calls.ts";
import type { LockInfo } from "../protocol/gen/kvrpcpb.ts";
import { decodeVerdicts } from "../transaction/questions.ts";
import type { TikvReply } from "../protocol/services.ts";
import { answerRead, type RawRead } from "../raw/request.ts";
import { isSound } from "./damage.ts";
import { epochOf } from "./descriptor.ts";
import {
  epochNotMatch,
  readIndexNotReady,
  type RegionError,
  regionErrorReply,
  regionNotFound,
} from "./errors.ts";
import { type ReadCall, type Replica, type WaitingReads, withReplica } from "./replica.ts";
import { tooOld } from "./safe-point.ts";
import { reply, type Turn } from "./turn.ts";

/**
 * Answers `call` from what the replica has applied by now. What was read from damaged data is no
 * answer: the client looks for another replica.
 */
export function answerNow(turn: Turn, replica: Replica, { ticket, call }: ReadCall): void {
  if (isWrite(call)) {
    turn.confirmed.push(ticket);
    return;
  }
  const answer = answerOf(turn, replica, call);
  if (replica.damaged === undefined && isSound(turn)) reply(turn, ticket, answer);
  else reply(turn, ticket, regionErrorReply(call.method, regionNotFound(replica.region.id)));
}

const isWrite = ({ method }: ReadCall["call"]): boolean => isMvccWrite(method);

function answerOf(turn: Turn, replica: Replica, call: ReadCall["call"]): TikvReply {
  const { startKey: start, endKey: end } = replica.region;
  if (isMvccRead(call.method)) {
    const read = call as MvccRead;
    const refusal = tooOld(turn, replica.region.id, read);
    return refusal ?? answerMvcc(turn.viewOf(replica), read, { start, end }).response;
  }
  const data = turn.data.snapshot();
  const nowSeconds = Math.floor(turn.now.wallMs / 1000);
  return answerRead(call as RawRead, { data, mode: turn.config.raw, nowSeconds }, { start, end });
}

/** Lets `calls` wait for Raft's answer to the question `ticket`. */
export function awaitIndex(
  turn: Turn,
  replica: Replica,
  ticket: Ticket,
  calls: readonly ReadCall[],
): Replica {
  const reads: WaitingReads = {
    ticket,
    index: undefined,
    since: turn.now.monotonicMs,
    version: epochOf(replica.region).version,
    calls,
  };
  return withReplica(replica, { reads: [...replica.reads, reads] });
}

/** Raft's answer. */
export interface ReadIndex {
  readonly ticket: Ticket;
  readonly index: LogIndex;
  /** Of a follower's reads: what the leader says to its questions, one for each call. */
  readonly note: Uint8Array;
}

export function noteReadIndex(
  turn: Turn,
  replica: Replica,
  { ticket, index, note }: ReadIndex,
): Replica {
  const verdicts = decodeVerdicts(note, turn.wire);
  if (verdicts === undefined) return dropReads(turn, replica, ticket);
  const reads = replica.reads.map((waiting): WaitingReads => {
    if (waiting.ticket !== ticket) return waiting;
    const calls = waiting.calls.filter((read, i) => !refuseLocked(turn, read, verdicts[i]));
    return { ...waiting, index, calls };
  });
  return withReplica(replica, { reads });
}

/** Answers a call that the leader has met a lock for. */
function refuseLocked(turn: Turn, { ticket, call }: ReadCall, lock: LockInfo | undefined): boolean {
  if (lock === undefined || !isMvccRead(call.method)) return false;
  reply(turn, ticket, refuseCall(call.method, { type: "locked", info: lock }));
  return true;
}

/** Answers the reads whose index is applied. */
export function serveReads(turn: Turn, replica: Replica): Replica {
  if (replica.reads.length === 0) return replica;
  const left: WaitingReads[] = [];
  for (const waiting of replica.reads) {
    if (waiting.index === undefined || waiting.index > replica.applied) {
      left.push(waiting);
    } else if (waiting.version !== epochOf(replica.region).version) {
      refuseReads(turn, waiting, epochNotMatch([replica.region]));
    } else {
      for (const call of waiting.calls) answerNow(turn, replica, call);
    }
  }
  return left.length === replica.reads.length ? replica : withReplica(replica, { reads: left });
}

/** Raft can't say: the leader is unknown or not sure of itself. */
export function dropReads(turn: Turn, replica: Replica, ticket: Ticket): Replica {
  return refuseWhere(turn, replica, "no leader has confirmed it", (w) => w.ticket === ticket);
}

/** Refuses reads that Raft has left without an answer for too long. */
export function expireReads(turn: Turn, replica: Replica): Replica {
  const limit = turn.now.monotonicMs - turn.config.readTimeoutMs;
  if (!replica.reads.some((waiting) => waiting.since < limit)) return replica;
  return refuseWhere(turn, replica, "it took too long", (waiting) => waiting.since < limit);
}

function refuseWhere(
  turn: Turn,
  replica: Replica,
  reason: string,
  chosen: (waiting: WaitingReads) => boolean,
): Replica {
  const left: WaitingReads[] = [];
  for (const waiting of replica.reads) {
    if (chosen(waiting)) {
      refuseReads(turn, waiting, readIndexNotReady(replica.region.id, reason));
    } else {
      left.push(waiting);
    }
  }
  return withReplica(replica, { reads: left });
}

export function refuseReads(turn: Turn, waiting: WaitingReads, error: RegionError): void {
  for (const { ticket, call } of waiting.calls) {
    if (isMvccWrite(call.method)) turn.settled.push({ ticket, error });
    else reply(turn, ticket, regionErrorReply(call.method, error));
  }
}
