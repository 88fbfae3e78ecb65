/**
 * `UnsafeDestroyRange`: everything in a range goes, with all versions and locks, in all regions.
 * The caller asks every store and sees to it that nobody uses the range any more.
 *
 * TiKV deletes in its own data, past all logs. Here each store has the regions that it leads do it
 * through theirs, so that replicas stay equal, and a crash forgets nothing that was answered. What
 * cannot be done in one of them is told as an error: the caller asks again.
 */
import { assert } from "../../base/assert.ts";
import { idKey } from "../../base/big-endian.ts";
import type { RegionId, Ticket } from "../../base/ids.ts";
import * as tree from "../../base/tree.ts";
import type { Tree } from "../../base/tree.ts";
import { deleteRange, rangeOfDeleteRange } from "../../mvcc/command/delete-range.ts";
import {
  DeleteRangeRequest,
  type UnsafeDestroyRangeRequest,
  UnsafeDestroyRangeResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import { isLeader } from "../../raft/query.ts";
import { epochOf } from "../../region/descriptor.ts";
import { regionId } from "../../region/replica.ts";
import { reply, type Settled } from "../../region/turn.ts";
import type { KvOperation } from "../../storage/types.ts";
import { refuse } from "../admission.ts";
import type { StoreTurn } from "../turn.ts";
import { onWritten } from "./memory.ts";
import { withParts } from "./parts.ts";

/** A call under way, by `idKey` of its ticket. */
export type Destroying = Tree<Destruction>;

interface Destruction {
  readonly regions: readonly RegionPart[];
  /** Regions whose entry has not been applied yet. */
  readonly left: number;
  /** Why it was not done in some region; empty where it was in all so far. */
  readonly problem: string;
}

interface RegionPart {
  readonly region: RegionId;
  readonly operations: readonly KvOperation[];
}

const UNAVAILABLE = 14;

export function onUnsafeDestroyRange(
  turn: StoreTurn,
  ticket: Ticket,
  { startKey, endKey }: UnsafeDestroyRangeRequest,
): void {
  if (turn.identity === undefined || !turn.opened) {
    refuse(turn, ticket, UNAVAILABLE, "the store is starting");
    return;
  }
  if (turn.trouble !== undefined) {
    answer(turn, ticket, `the disk has failed at ${turn.trouble.file}`);
    return;
  }
  const request = DeleteRangeRequest.make({ startKey, endKey });
  const { start, end } = rangeOfDeleteRange(request);
  const regions: RegionPart[] = [];
  for (const replica of turn.replicas.overlapping(start, end)) {
    if (!isLeader(replica.raft) || replica.damaged !== undefined) continue;
    const bounds = { start: replica.region.startKey, end: replica.region.endKey };
    const { operations } = deleteRange(request, bounds);
    if (operations.length === 0) continue;
    const region = regionId(replica);
    const { version } = epochOf(replica.region);
    turn.batches ??= new Map();
    const batch = turn.batches.get(region) ?? { version, operations: [], parts: [] };
    turn.batches.set(region, batch);
    batch.operations.push(...operations);
    // To the log it is one of these.
    batch.parts.push({ ticket, method: "KvDeleteRange", commands: 0 });
    regions.push({ region, operations });
  }
  if (regions.length === 0) answer(turn, ticket, "");
  else note(turn, ticket, { regions, left: regions.length, problem: "" });
}

/** One region has done it, or could not. False where the ticket is of another kind of call. */
export function onDestroyed(turn: StoreTurn, { ticket, error }: Settled): boolean {
  const under = tree.get(turn.transactions.destroying, idKey(ticket));
  if (under === undefined) return false;
  const left = under.left - 1;
  assert(left >= 0, "each region settles its part once");
  const problem = under.problem === "" ? (error?.message ?? "") : under.problem;
  if (left > 0) {
    note(turn, ticket, { regions: under.regions, left, problem });
    return true;
  }
  const { destroying } = turn.transactions;
  turn.transactions = withParts(turn.transactions, {
    destroying: tree.remove(destroying, idKey(ticket)),
  });
  for (const { region, operations } of under.regions) onWritten(turn, region, operations);
  answer(turn, ticket, problem);
  return true;
}

function note(turn: StoreTurn, ticket: Ticket, destruction: Destruction): void {
  const { transactions } = turn;
  const destroying = tree.set(transactions.destroying, idKey(ticket), destruction);
  turn.transactions = withParts(transactions, { destroying });
}

function answer(turn: StoreTurn, ticket: Ticket, error: string): void {
  const response = UnsafeDestroyRangeResponse.make({ error });
  reply(turn, ticket, { method: "UnsafeDestroyRange", response });
}
