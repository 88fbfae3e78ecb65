/**
 * Transactional reads. A read first raises `maxTs`, so that whoever calculates a commit timestamp
 * later takes a greater one, and then looks for the locks of those who have calculated theirs.
 */
import { EMPTY_BYTES } from "../../base/bytes.ts";
import type { RegionId, Ticket } from "../../base/ids.ts";
import { Timestamp } from "../../base/timestamp.ts";
import { isLeader } from "../../raft/query.ts";
import {
  footprintOf,
  isMvccRead,
  maxTsOf,
  type Footprint,
  type MvccCall,
  type MvccRead,
  refuseCall,
} from "../../mvcc/calls.ts";
import { rangeOfScanLock, within } from "../../mvcc/command/scan.ts";
import { checksLocks, snapshotOf } from "../../mvcc/read/snapshot.ts";
import type { Refusal } from "../../mvcc/refusal.ts";
import { keyNotInRegion } from "../../region/errors.ts";
import { containsKey } from "../../region/descriptor.ts";
import type { ReadCall, Replica } from "../../region/replica.ts";
import { reply } from "../../region/turn.ts";
import { conflictWith, raise } from "../../transaction/concurrency.ts";
import {
  answer,
  decodeQuestions,
  encodeQuestions,
  encodeVerdicts,
  type Question,
} from "../../transaction/questions.ts";
import { admit, answerError } from "../admission.ts";
import type { StoreTurn } from "../turn.ts";
import { doubt, isBelievable, notOfOracle } from "./oracle.ts";
import { notReady } from "./stale.ts";
import { withParts } from "./parts.ts";

/**
 * The replica that reads for `call`, or undefined where the call is answered already. A follower,
 * which does not know what commits are being calculated, asks its leader (`questionsOf`).
 */
export function admitRead(turn: StoreTurn, ticket: Ticket, call: MvccRead): Replica | undefined {
  const { context } = call.request;
  const isStale = isStaleRead(call);
  const byLeader = !isStale && !(isVersioned(call) && context?.replicaRead === true);
  const replica = admit(turn, ticket, call, context, byLeader);
  if (replica === undefined || !isInside(turn, replica, ticket, call)) return undefined;
  if (isStale) {
    const error = notReady(turn, replica, call.request.version);
    if (error !== undefined) answerError(turn, ticket, call, error);
    return error === undefined ? replica : undefined;
  }
  const error = notOfOracle(turn, replica, call);
  if (error !== undefined) {
    answerError(turn, ticket, call, error);
    return undefined;
  }
  if (isLeader(replica.raft) && !passesLocks(turn, { ticket, call })) return undefined;
  return replica;
}

/**
 * As the leader: notes at which timestamp `call` reads and looks for locks that it must not pass.
 * Where there is one, the call is answered.
 */
export function passesLocks(turn: StoreTurn, { ticket, call }: ReadCall): boolean {
  if (!isMvccRead(call.method)) return true;
  const read = call as MvccRead;
  raiseMaxTs(turn, read);
  const refusal = memoryConflict(turn, read);
  if (refusal === undefined) return true;
  reply(turn, ticket, refuseCall(read.method, refusal));
  return false;
}

/** What a follower must ask its leader on behalf of these calls. */
export function questionsOf(
  turn: StoreTurn,
  { raft }: Replica,
  calls: readonly ReadCall[],
): Uint8Array {
  if (isLeader(raft)) return EMPTY_BYTES;
  return encodeQuestions(calls.map(questionOf), turn.wire);
}

function questionOf({ call }: ReadCall): Question | undefined {
  if (!isMvccRead(call.method)) return undefined;
  const read = call as MvccRead;
  if (!isVersioned(read)) return undefined;
  const { context, version } = read.request;
  if (!checksLocks(snapshotOf(context, version))) return undefined;
  return { readTs: Timestamp(version), footprint: footprintOf(read) };
}

/**
 * As the leader: the answer to a follower's questions; undefined where they are not understood, or
 * about timestamps that the oracle cannot have given.
 */
export function answerQuestions(turn: StoreTurn, note: Uint8Array): Uint8Array | undefined {
  const questions = decodeQuestions(note, turn.wire);
  if (questions === undefined) return undefined;
  for (const question of questions) {
    if (question === undefined || isBelievable(turn, question.readTs)) continue;
    doubt(turn, question.readTs);
    return undefined;
  }
  const { concurrency, verdicts } = answer(turn.transactions.concurrency, questions);
  turn.transactions = withParts(turn.transactions, { concurrency });
  return encodeVerdicts(verdicts, turn.wire);
}

/** Whether the call is content with what is settled anyway. */
export const isStaleRead = (call: MvccRead): call is VersionedRead =>
  isVersioned(call) && call.request.context?.staleRead === true;

type VersionedRead = Extract<MvccRead, { readonly method: "KvGet" | "KvBatchGet" | "KvScan" }>;

/** Whether the call reads as of a timestamp that its client has drawn. */
const isVersioned = (call: MvccRead): call is VersionedRead =>
  call.method === "KvGet" || call.method === "KvBatchGet" || call.method === "KvScan";

/** Whether the call's keys lie in the region; it is answered where not. */
export function isInside(
  turn: StoreTurn,
  { region }: Replica,
  ticket: Ticket,
  call: MvccCall,
  footprint: Footprint = footprintOf(call),
): boolean {
  if (footprint.type === "range") return true;
  const stray = footprint.keys.find((key) => !containsKey(region, key));
  if (stray === undefined) return true;
  answerError(turn, ticket, call, keyNotInRegion(stray, region));
  return false;
}

export function raiseMaxTs(turn: StoreTurn, call: MvccCall): void {
  const { concurrency } = turn.transactions;
  const raised = raise(concurrency, maxTsOf(call));
  if (raised !== concurrency)
    turn.transactions = withParts(turn.transactions, { concurrency: raised });
}

function memoryConflict(turn: StoreTurn, call: MvccRead): Refusal | undefined {
  const { concurrency } = turn.transactions;
  if (concurrency.locks.size === 0) return undefined;
  if (isVersioned(call)) {
    const { context, version } = call.request;
    return conflictWith(concurrency, snapshotOf(context, version), footprintOf(call));
  }
  if (call.method !== "KvScanLock") return undefined;
  // What is calculated from now on lies above the timestamp, and what was calculated before lies
  // in the data or here: whoever has seen all locks has seen all commits that are still to come.
  const { context, maxVersion } = call.request;
  const region = turn.replicas.get(context?.regionId as RegionId)?.region;
  if (region === undefined) return undefined;
  const bounds = { start: region.startKey, end: region.endKey };
  const range = within(rangeOfScanLock(call.request), bounds);
  return conflictWith(concurrency, snapshotOf(undefined, maxVersion), { type: "range", range });
}
