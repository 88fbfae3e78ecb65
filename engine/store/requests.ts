/**
 * Clients' calls: the checks that decide whether this store may serve them, then the way in.
 *
 * Raw reads are answered at once under the leader's lease, else they wait for Raft to name an index
 * (always, on followers). Raw writes of one step share log entries, region by region.
 */
import { EMPTY_BYTES } from "../base/bytes.ts";
import type { RegionId, Ticket } from "../base/ids.ts";
import {
  BroadcastTxnStatusResponse,
  GetHealthFeedbackResponse,
  RawCoprocessorResponse,
} from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../protocol/services.ts";
import { committed, isLeader, leaseValid } from "../raft/query.ts";
import { commandsOf, type RawRead, type RawWrite, strayKey, writeReply } from "../raw/request.ts";
import { epochOf } from "../region/descriptor.ts";
import { drive } from "../region/drive.ts";
import {
  epochNotMatch,
  keyNotInRegion,
  type RegionError,
  regionErrorReply,
  regionNotFound,
} from "../region/errors.ts";
import { isMvccWrite } from "../mvcc/calls.ts";
import { pack, type RawProposal } from "../region/propose.ts";
import { answerNow, awaitIndex, noteReadIndex, serveReads } from "../region/reads.ts";
import { type ReadCall, type Replica, regionId } from "../region/replica.ts";
import { reply } from "../region/turn.ts";
import { admit, answerError, holdsCommitted, refuse } from "./admission.ts";
import { knock } from "./line.ts";
import { onSplitCall } from "./splits.ts";
import { onUnsafeDestroyRange } from "./transactions/destroying.ts";
import { admitRead, isStaleRead, passesLocks, questionsOf } from "./transactions/reads.ts";
import { onCheckLeader, onGetStoreSafeTs } from "./transactions/stale.ts";
import { onGetLockWaitInfo } from "./transactions/waits.ts";
import { onMvccWrite } from "./transactions/writes.ts";
import { type StoreTurn, takeTicket } from "./turn.ts";

const UNIMPLEMENTED = 12;

export function onRequest(turn: StoreTurn, ticket: Ticket, call: TikvCall): void {
  switch (call.method) {
    case "RawGet":
    case "RawBatchGet":
    case "RawScan":
    case "RawBatchScan":
    case "RawGetKeyTTL":
    case "RawChecksum":
      onRead(turn, ticket, call);
      return;
    case "RawPut":
    case "RawBatchPut":
    case "RawDelete":
    case "RawBatchDelete":
    case "RawDeleteRange":
    case "RawCompareAndSwap":
      onWrite(turn, ticket, call);
      return;
    case "KvGet":
    case "KvBatchGet":
    case "KvBufferBatchGet":
    case "KvScan":
    case "KvScanLock":
    case "MvccGetByKey":
    case "MvccGetByStartTs": {
      const replica = admitRead(turn, ticket, call);
      if (replica === undefined) return;
      if (isStaleRead(call)) answerNow(turn, replica, { ticket, call });
      else read(turn, replica, { ticket, call });
      return;
    }
    case "KvPrewrite":
    case "KvPessimisticLock":
    case "KvFlush":
      knock(turn, { type: "transactional", ticket, call });
      return;
    case "KvCommit":
    case "KvBatchRollback":
    case "KvCleanup":
    case "KVPessimisticRollback":
    case "KvTxnHeartBeat":
    case "KvCheckTxnStatus":
    case "KvCheckSecondaryLocks":
    case "KvResolveLock":
    case "KvDeleteRange":
    case "KvPrepareFlashbackToVersion":
    case "KvFlashbackToVersion":
      onMvccWrite(turn, ticket, call);
      return;
    case "SplitRegion": {
      const replica = admit(turn, ticket, call, call.request.context, true);
      if (replica !== undefined) onSplitCall(turn, replica, ticket, call.request);
      return;
    }
    case "UnsafeDestroyRange":
      onUnsafeDestroyRange(turn, ticket, call.request);
      return;
    case "GetStoreSafeTS":
      onGetStoreSafeTs(turn, ticket, call.request);
      return;
    case "GetLockWaitInfo":
      onGetLockWaitInfo(turn, ticket);
      return;
    case "CheckLeader":
      onCheckLeader(turn, ticket, call.request);
      return;
    case "GetHealthFeedback":
      reply(turn, ticket, { method: call.method, response: GetHealthFeedbackResponse.make() });
      return;
    case "BroadcastTxnStatus":
      // A hint for stores that remember fates of transactions. This one looks them up.
      reply(turn, ticket, { method: call.method, response: BroadcastTxnStatusResponse.make() });
      return;
    case "RawCoprocessor":
      reply(turn, ticket, {
        method: call.method,
        response: RawCoprocessorResponse.make({
          error: `coprocessor plugin ${call.request.coprName} is not found`,
        }),
      });
      return;
    default:
      refuse(turn, ticket, UNIMPLEMENTED, `${call.method} is not implemented`);
  }
}

function onRead(turn: StoreTurn, ticket: Ticket, call: RawRead): void {
  const context = call.request.context;
  const replica = admit(turn, ticket, call, context, context?.replicaRead !== true);
  if (replica === undefined) return;
  const { startKey: start, endKey: end } = replica.region;
  const stray = strayKey(call, { start, end });
  if (stray !== undefined) {
    answerError(turn, ticket, call, keyNotInRegion(stray, replica.region));
  } else {
    read(turn, replica, { ticket, call });
  }
}

/** Answers at once where the lease allows it, else when Raft has named an index. */
function read(turn: StoreTurn, replica: Replica, call: ReadCall): void {
  if (leaseValid(replica.raft, turn.now.monotonicMs) && holdsCommitted(replica)) {
    answerNow(turn, replica, call);
    return;
  }
  turn.reads ??= new Map();
  add(turn.reads, regionId(replica), call);
}

function onWrite(turn: StoreTurn, ticket: Ticket, call: RawWrite): void {
  const replica = admit(turn, ticket, call, call.request.context, true);
  if (replica === undefined) return;
  const { startKey: start, endKey: end } = replica.region;
  const stray = strayKey(call, { start, end });
  if (stray !== undefined) {
    answerError(turn, ticket, call, keyNotInRegion(stray, replica.region));
    return;
  }
  const translated = commandsOf(call, turn.config.raw, Math.floor(turn.now.wallMs / 1000));
  if (!translated.ok) {
    reply(turn, ticket, translated.reply);
    return;
  }
  const { maxKeyBytes } = turn.config;
  for (const command of translated.commands) {
    if (command.type !== "delete_range" && command.key.length > maxKeyBytes) {
      const text = `max key size exceeded, size: ${command.key.length}, limit: ${maxKeyBytes}`;
      reply(turn, ticket, writeReply(call.method, text));
      return;
    }
  }
  const part = { ticket, method: call.method, commands: translated.commands.length };
  const { version } = epochOf(replica.region);
  const proposal = { part, version, commands: translated.commands };
  knock(turn, { type: "raw", region: regionId(replica), proposal });
}

function add<T>(lists: Map<RegionId, T[]>, region: RegionId, item: T): void {
  const list = lists.get(region);
  if (list === undefined) lists.set(region, [item]);
  else list.push(item);
}

/** Gives each region the writes and the unconfirmed reads that this step has brought it. */
export function submit(turn: StoreTurn): void {
  const { writes, reads } = turn;
  turn.writes = undefined;
  turn.reads = undefined;
  if (writes !== undefined) {
    for (const [region, proposals] of writes) submitWrites(turn, region, proposals);
  }
  if (reads !== undefined) {
    for (const [region, calls] of reads) submitReads(turn, region, calls);
  }
}

function submitWrites(turn: StoreTurn, region: RegionId, writes: readonly RawProposal[]): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || replica.damaged !== undefined) {
    for (const { part } of writes) {
      reply(turn, part.ticket, regionErrorReply(part.method, regionNotFound(region)));
    }
    return;
  }
  const proposals = pack(turn, replica, writes);
  if (proposals.length === 0) return;
  const commands = proposals.map(({ data }) => data);
  drive(turn, replica, { type: "propose", commands }, proposals);
}

function refuseRead(turn: StoreTurn, { ticket, call }: ReadCall, error: RegionError): void {
  if (isMvccWrite(call.method)) turn.settled.push({ ticket, error });
  else answerError(turn, ticket, call, error);
}

function submitReads(turn: StoreTurn, region: RegionId, calls: readonly ReadCall[]): void {
  const replica = turn.replicas.get(region);
  if (replica === undefined || replica.damaged !== undefined) {
    for (const call of calls) refuseRead(turn, call, regionNotFound(region));
    return;
  }
  const { version } = epochOf(replica.region);
  const current: ReadCall[] = [];
  for (const read of calls) {
    // A split may have been applied since the call was checked, earlier in this step.
    if (read.call.request.context?.regionEpoch?.version === version) {
      // So may have become of a follower that took the call the leader who answers it.
      if (!isLeader(replica.raft) || passesLocks(turn, read)) current.push(read);
    } else refuseRead(turn, read, epochNotMatch([replica.region]));
  }
  if (current.length === 0) return;
  const ticket = takeTicket(turn);
  const waiting = awaitIndex(turn, replica, ticket, current);
  if (leaseValid(replica.raft, turn.now.monotonicMs)) {
    // The lease makes the commit index a read index; only the data is not there yet.
    const index = committed(replica.raft);
    const confirmed = noteReadIndex(turn, waiting, { ticket, index, note: EMPTY_BYTES });
    turn.replicas.put(serveReads(turn, confirmed));
  } else {
    const note = questionsOf(turn, replica, current);
    drive(turn, waiting, { type: "read", ticket, note });
  }
}
