/**
 * Transactional writes: latched in the order they came, evaluated on data that hold everything that
 * was committed, replicated, and answered when they are applied (docs/design/010-transactions.md).
 */
import { assert, unreachable } from "../../base/assert.ts";
import { idKey } from "../../base/big-endian.ts";
import { EMPTY_KEY } from "../../base/bytes.ts";
import type { Ticket } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import {
  evaluateWrite,
  footprintOf,
  type MvccWrite,
  needsSyncedMaxTs,
  type Part,
  partOf,
  wholePart,
} from "../../mvcc/calls.ts";
import type { Evaluation } from "../../mvcc/evaluation.ts";
import type { TikvReply } from "../../protocol/services.ts";
import { leaseValid, term } from "../../raft/query.ts";
import { encodeEntry } from "../../region/command.ts";
import { isSound } from "../../region/damage.ts";
import { epochOf } from "../../region/descriptor.ts";
import { drive } from "../../region/drive.ts";
import {
  epochNotMatch,
  maxTimestampNotSynced,
  raftEntryTooLarge,
  type RegionError,
  regionErrorReply,
  regionNotFound,
} from "../../region/errors.ts";
import { type Replica, regionId } from "../../region/replica.ts";
import { tooOld } from "../../region/safe-point.ts";
import { reply, type Settled } from "../../region/turn.ts";
import type { KvOperation } from "../../storage/types.ts";
import { forget, show } from "../../transaction/concurrency.ts";
import { acquire, release } from "../../transaction/latches.ts";
import { admit, answerError, holdsCommitted, misdirected } from "../admission.ts";
import type { StoreTurn } from "../turn.ts";
import { isInside, raiseMaxTs } from "./reads.ts";
import type { Batch } from "./batch.ts";
import { onDestroyed } from "./destroying.ts";
import {
  admitFlashback,
  doneReply,
  type FlashbackCall,
  isFlashback,
  isFlashedBack,
  proposeGate,
  readdress,
} from "./flashback.ts";
import { onWritten, takeInMemory, viewOf } from "./memory.ts";
import { notOfOracle } from "./oracle.ts";
import { withParts } from "./parts.ts";
import { type Running, runningOf, type Transactions } from "./state.ts";
import { park, wakeWaiters } from "./waits.ts";

export function onMvccWrite(turn: StoreTurn, ticket: Ticket, call: MvccWrite): void {
  const replica = admit(turn, ticket, call, call.request.context, true);
  if (replica === undefined) return;
  const footprint = footprintOf(call);
  if (!isInside(turn, replica, ticket, call, footprint)) return;
  const error = notOfOracle(turn, replica, call);
  if (error !== undefined) {
    answerError(turn, ticket, call, error);
    return;
  }
  raiseMaxTs(turn, call);
  const running: Running = {
    ticket,
    region: regionId(replica),
    call,
    // Keys that the call does not name are looked for when the data are known to be all there.
    part: footprint.type === "keys" ? wholePart(footprint.keys) : undefined,
    response: undefined,
    memoryLocks: [],
    released: [],
    operations: [],
    gate: undefined,
    answered: false,
  };
  put(turn, running);
  if (running.part === undefined) confirm(turn, running);
  else latch(turn, running, running.part);
}

/** Takes the keys of `part`; the call goes on when it has them all. */
export function latch(turn: StoreTurn, running: Running, part: Part): void {
  put(turn, { ...running, part });
  const { latches, granted } = acquire(turn.transactions.latches, running.ticket, part.keys);
  change(turn, { latches });
  if (granted) confirm(turn, running);
}

/** Lets the call be evaluated as soon as the data are known to hold all that was committed. */
function confirm(turn: StoreTurn, { ticket, region, call }: Running): void {
  const replica = turn.replicas.get(region);
  if (replica !== undefined && isCurrent(turn, replica)) {
    turn.confirmed.push(ticket);
    return;
  }
  turn.reads ??= new Map();
  const calls = turn.reads.get(region) ?? [];
  turn.reads.set(region, [...calls, { ticket, call }]);
}

const isCurrent = (turn: StoreTurn, replica: Replica): boolean =>
  leaseValid(replica.raft, turn.now.monotonicMs) && holdsCommitted(replica);

/** Evaluates what can be, gives the log what came of it, and goes on with what that sets free. */
export function advance(turn: StoreTurn, submitReads: () => void): void {
  for (;;) {
    if (turn.reads !== undefined) submitReads();
    for (const ticket of turn.confirmed.splice(0)) evaluateCall(turn, ticket);
    propose(turn);
    const settled = turn.settled.splice(0);
    if (settled.length === 0 && turn.confirmed.length === 0 && turn.reads === undefined) return;
    for (const one of settled) onSettled(turn, one);
  }
}

function evaluateCall(turn: StoreTurn, ticket: Ticket): void {
  const running = runningOf(turn.transactions, ticket);
  if (running === undefined) return;
  const { call, region: id } = running;
  const replica = turn.replicas.get(id);
  const { context } = call.request;
  assert(context !== undefined, "a call that was admitted has a context");
  const error = misdirected(turn, replica, context, true);
  if (error !== undefined || replica === undefined) {
    endWith(turn, running, error ?? regionNotFound(id));
    return;
  }
  if (running.part === undefined) {
    if (isFlashback(call)) beginFlashback(turn, running, replica, call);
    else nextPart(turn, running, replica, EMPTY_KEY);
  } else if (needsSyncedMaxTs(call) && !isSynced(turn, replica)) {
    endWith(turn, running, maxTimestampNotSynced());
  } else {
    evaluatePart(turn, running, running.part, replica);
  }
}

/** Goes on with a flashback where an earlier call, or an earlier leader, has left it. */
function beginFlashback(
  turn: StoreTurn,
  running: Running,
  replica: Replica,
  call: FlashbackCall,
): void {
  const admission = admitFlashback(viewOf(turn, replica), replica, call);
  if (!isSound(turn)) {
    endWith(turn, running, regionNotFound(replica.region.id));
    return;
  }
  switch (admission.type) {
    case "passes":
      nextPart(turn, running, replica, EMPTY_KEY);
      return;
    case "close_first":
      passGate(turn, running, replica, call, "close");
      return;
    case "open_only":
      passGate(turn, running, replica, call, "open");
      return;
    case "answer":
      end(turn, running, admission.reply);
      return;
    case "refuse":
      endWith(turn, running, admission.error);
      return;
    default:
      unreachable(admission);
  }
}

function passGate(
  turn: StoreTurn,
  running: Running,
  replica: Replica,
  call: FlashbackCall,
  gate: "close" | "open",
): void {
  put(turn, { ...running, gate });
  proposeGate(turn, replica, running.ticket, call, gate);
}

/** The region is closed for the flashback, or open again. */
function onGatePassed(turn: StoreTurn, running: Running, call: FlashbackCall): void {
  const replica = turn.replicas.get(running.region);
  if (running.gate === "open") end(turn, running, doneReply(call));
  else if (replica === undefined) endWith(turn, running, regionNotFound(running.region));
  else {
    const closed: Running = { ...running, call: readdress(call, replica), gate: undefined };
    put(turn, closed);
    confirm(turn, closed);
  }
}

function isSynced(turn: StoreTurn, replica: Replica): boolean {
  return tree.get(turn.transactions.synced, idKey(regionId(replica))) === term(replica.raft);
}

function evaluatePart(turn: StoreTurn, running: Running, part: Part, replica: Replica): void {
  const { startKey, endKey } = replica.region;
  const evaluation = evaluateWrite(viewOf(turn, replica), running.call, part, {
    bounds: { start: startKey, end: endKey },
    maxTs: turn.transactions.concurrency.maxTs,
  });
  if (!isSound(turn)) {
    endWith(turn, running, regionNotFound(replica.region.id));
  } else if (park(turn, running, evaluation, (next) => free(turn, next))) {
    // It waits for somebody's lock.
  } else if (evaluation.operations.length === 0) {
    // Whoever asks again for what was done already hears that it was, however old it is.
    onPartDone(turn, running, evaluation.response, replica);
  } else {
    const refusal = tooOld(turn, running.region, running.call);
    if (refusal !== undefined) end(turn, running, refusal);
    else if (takeInMemory(turn, replica, running.call, evaluation.operations)) {
      onPartDone(turn, running, evaluation.response, replica);
    } else replicate(turn, running, evaluation, replica);
  }
}

function replicate(
  turn: StoreTurn,
  running: Running,
  { operations, memoryLocks, released, response }: Evaluation<TikvReply>,
  replica: Replica,
): void {
  const size = sizeOf(operations);
  if (size > turn.config.maxEntryBytes) {
    endWith(turn, running, raftEntryTooLarge(replica.region.id, size));
    return;
  }
  change(turn, { concurrency: show(turn.transactions.concurrency, memoryLocks) });
  put(turn, { ...running, response, memoryLocks, released, operations });
  turn.batches ??= new Map();
  const { version } = epochOf(replica.region);
  const batch = turn.batches.get(running.region) ?? { version, operations: [], parts: [] };
  turn.batches.set(running.region, batch);
  for (const operation of operations) batch.operations.push(operation);
  batch.parts.push({ ticket: running.ticket, method: running.call.method, commands: 0 });
}

function propose(turn: StoreTurn): void {
  const { batches } = turn;
  turn.batches = undefined;
  for (const [id, { version, operations, parts }] of batches ?? []) {
    const replica = turn.replicas.get(id);
    if (replica === undefined || version !== epochOf(replica.region).version) {
      const error = replica === undefined ? regionNotFound(id) : epochNotMatch([replica.region]);
      for (const { ticket } of parts) turn.settled.push({ ticket, error });
      continue;
    }
    const data = encodeEntry({ type: "write", version, operations }, turn.wire);
    drive(turn, replica, { type: "propose", commands: [data] }, [{ data, parts }]);
    if (turn.before.config.pessimistic.pipelined) answerLocks(turn, parts);
  }
}

/**
 * Pessimistic locks are answered when they are in the leader's log: to lose one is no harm. Their
 * latches stay taken until the entry is applied.
 */
function answerLocks(turn: StoreTurn, parts: Batch["parts"]): void {
  for (const { ticket, method } of parts) {
    if (method !== "KvPessimisticLock") continue;
    if (turn.settled.some((settled) => settled.ticket === ticket)) continue;
    const running = runningOf(turn.transactions, ticket);
    if (running?.response === undefined) continue;
    reply(turn, ticket, running.response);
    put(turn, { ...running, answered: true });
  }
}

/** The log has decided, or will never know of it. */
function onSettled(turn: StoreTurn, { ticket, error }: Settled): void {
  const running = runningOf(turn.transactions, ticket);
  if (running === undefined) {
    onDestroyed(turn, { ticket, error });
    return;
  }
  change(turn, { concurrency: forget(turn.transactions.concurrency, running.memoryLocks) });
  if (error !== undefined) {
    endWith(turn, running, error);
    return;
  }
  if (running.gate !== undefined && isFlashback(running.call)) {
    onGatePassed(turn, running, running.call);
    return;
  }
  onWritten(turn, running.region, running.operations);
  wakeWaiters(turn, running.released, (woken) => retry(turn, woken));
  const replica = turn.replicas.get(running.region);
  assert(running.response !== undefined, "what was replicated has an answer");
  onPartDone(turn, running, running.response, replica);
}

/** Goes on with the rest of the call, or answers it. */
function onPartDone(
  turn: StoreTurn,
  running: Running,
  response: TikvReply,
  replica: Replica | undefined,
): void {
  const next = running.part?.next;
  const { call } = running;
  if (next === undefined) {
    if (replica !== undefined && isFlashedBack(call, response)) {
      passGate(turn, running, replica, call, "open");
    } else end(turn, running, response);
  } else if (replica === undefined) {
    endWith(turn, running, regionNotFound(running.region));
  } else {
    free(turn, running);
    const rest: Running = {
      ...running,
      part: undefined,
      memoryLocks: [],
      released: [],
      operations: [],
    };
    nextPart(turn, rest, replica, next);
  }
}

function nextPart(
  turn: StoreTurn,
  running: Running,
  replica: Replica,
  from: NonNullable<Part["next"]>,
): void {
  const { region } = replica;
  const bounds = { start: region.startKey, end: region.endKey };
  const part = partOf(viewOf(turn, replica), running.call, bounds, from);
  if (isSound(turn)) latch(turn, running, part);
  else endWith(turn, running, regionNotFound(region.id));
}

/** A call that waited for a lock tries again. */
export function retry(turn: StoreTurn, running: Running): void {
  assert(running.part !== undefined, "what waited for a lock knows its keys");
  latch(turn, { ...running, response: undefined }, running.part);
}

export function endWith(turn: StoreTurn, running: Running, error: RegionError): void {
  end(turn, running, regionErrorReply(running.call.method, error));
}

/** Answers the call and lets those behind it go on. */
export function end(turn: StoreTurn, running: Running, answer: TikvReply): void {
  if (!running.answered) reply(turn, running.ticket, answer);
  const { running: all } = turn.transactions;
  change(turn, { running: tree.remove(all, idKey(running.ticket)) });
  free(turn, running);
}

/** Gives the latches back; a call without any has none to give. */
function free(turn: StoreTurn, { ticket }: Running): void {
  const { latches } = turn.transactions;
  if (tree.get(latches.holders, idKey(ticket)) === undefined) return;
  const released = release(latches, ticket);
  change(turn, { latches: released.latches });
  for (const next of released.granted) {
    const waiting = runningOf(turn.transactions, next);
    if (waiting !== undefined) confirm(turn, waiting);
  }
}

export function change(turn: StoreTurn, some: Partial<Transactions>): void {
  turn.transactions = withParts(turn.transactions, { ...some });
}

function put(turn: StoreTurn, running: Running): void {
  const { running: all } = turn.transactions;
  change(turn, { running: tree.set(all, idKey(running.ticket), running) });
}

function sizeOf(operations: readonly KvOperation[]): number {
  let size = 0;
  for (const operation of operations) {
    size += 16;
    if (operation.type === "delete_range") size += operation.start.length + operation.end.length;
    else size += operation.key.length + (operation.type === "put" ? operation.value.length : 0);
  }
  return size;
}
