/**
 * Transactional reads. A read first raises `maxTs`, so that whoever calculates a commit timestamp
 * later takes a greater one, and then looks for the locks of those who have calculated theirs.
 */
import type { Ticket } from "../../base/ids.ts";
import {
  footprintOf,
  maxTsOf,
  type MvccCall,
  type MvccRead,
  refuseCall,
} from "../../mvcc/calls.ts";
import { snapshotOf } from "../../mvcc/read/snapshot.ts";
import type { Refusal } from "../../mvcc/refusal.ts";
import { keyNotInRegion } from "../../region/errors.ts";
import { containsKey } from "../../region/descriptor.ts";
import type { Replica } from "../../region/replica.ts";
import { reply } from "../../region/turn.ts";
import { conflictWith, raise } from "../../transaction/concurrency.ts";
import { admit, answerError } from "../admission.ts";
import type { StoreTurn } from "../turn.ts";

/**
 * The replica that reads for `call`, or undefined where the call is answered already. Only a leader
 * does: a follower does not know which commits are being calculated.
 */
export function admitRead(turn: StoreTurn, ticket: Ticket, call: MvccRead): Replica | undefined {
  const replica = admit(turn, ticket, call, call.request.context, true);
  if (replica === undefined || !isInside(turn, replica, ticket, call)) return undefined;
  raiseMaxTs(turn, call);
  const refusal = memoryConflict(turn, call);
  if (refusal === undefined) return replica;
  reply(turn, ticket, refuseCall(call.method, refusal));
  return undefined;
}

/** Whether the call's keys lie in the region; it is answered where not. */
export function isInside(
  turn: StoreTurn,
  { region }: Replica,
  ticket: Ticket,
  call: MvccCall,
): boolean {
  const footprint = footprintOf(call);
  if (footprint.type === "range") return true;
  const stray = footprint.keys.find((key) => !containsKey(region, key));
  if (stray === undefined) return true;
  answerError(turn, ticket, call, keyNotInRegion(stray, region));
  return false;
}

export function raiseMaxTs(turn: StoreTurn, call: MvccCall): void {
  const { concurrency } = turn.transactions;
  const raised = raise(concurrency, maxTsOf(call));
  if (raised !== concurrency) turn.transactions = { ...turn.transactions, concurrency: raised };
}

function memoryConflict(turn: StoreTurn, call: MvccRead): Refusal | undefined {
  const { concurrency } = turn.transactions;
  if (concurrency.locks.size === 0) return undefined;
  if (call.method !== "KvGet" && call.method !== "KvBatchGet" && call.method !== "KvScan") {
    return undefined;
  }
  const { context, version } = call.request;
  return conflictWith(concurrency, snapshotOf(context, version), footprintOf(call));
}
