/**
 * Writes on their way into the log, and back out to whoever asked for them.
 */
import { assert, unreachable } from "../base/assert.ts";
import { plusIndex, type LogIndex, type Term, type Ticket } from "../base/ids.ts";
import { SplitRegionResponse } from "../protocol/gen/kvrpcpb.ts";
import type { Region } from "../protocol/gen/metapb.ts";
import type { TikvReply } from "../protocol/services.ts";
import type { Entry, RaftEffect } from "../raft/types.ts";
import { isMvccWrite } from "../mvcc/calls.ts";
import type { RawCommand, RawResult } from "../raw/command.ts";
import { writeReply } from "../raw/request.ts";
import { epochOf } from "./descriptor.ts";
import { encodeEntry } from "./command.ts";
import {
  epochNotMatch,
  notLeader,
  raftEntryTooLarge,
  type RegionError,
  regionErrorReply,
  serverIsBusy,
  staleCommand,
} from "./errors.ts";
import type { Pending, PendingPart, Replica } from "./replica.ts";
import { withApplied } from "./replica.ts";
import { reply, type Turn } from "./turn.ts";

/** One log entry to be, and who waits for it. */
export interface Proposal {
  readonly data: Uint8Array;
  readonly parts: readonly PendingPart[];
}

/** A write call that has passed all checks, against the region as of `version`. */
export interface RawProposal {
  readonly part: PendingPart;
  readonly version: number;
  readonly commands: readonly RawCommand[];
}

/**
 * Packs writes into as few entries as `batchBytes` allows; a write is never torn apart. One that is
 * too large for any entry is answered at once.
 */
export function pack(
  turn: Turn,
  replica: Replica,
  writes: readonly RawProposal[],
): readonly Proposal[] {
  const proposals: Proposal[] = [];
  let parts: PendingPart[] = [];
  let commands: RawCommand[] = [];
  let bytes = 0;
  const close = (): void => {
    if (parts.length === 0) return;
    proposals.push({ data: encodeWrites(turn, replica, commands), parts });
    parts = [];
    commands = [];
    bytes = 0;
  };
  for (const write of writes) {
    if (write.version !== epochOf(replica.region).version) {
      // A split was applied since it was checked: its keys may be another region's by now.
      fail(turn, write.part, epochNotMatch([replica.region]));
      continue;
    }
    const size = sizeOf(write.commands);
    if (size > turn.config.maxEntryBytes) {
      fail(turn, write.part, raftEntryTooLarge(replica.region.id, size));
      continue;
    }
    if (bytes + size > turn.config.batchBytes) close();
    parts.push(write.part);
    for (const command of write.commands) commands.push(command);
    bytes += size;
  }
  close();
  return proposals;
}

function encodeWrites(turn: Turn, replica: Replica, commands: readonly RawCommand[]): Uint8Array {
  return encodeEntry(
    {
      type: "raw",
      version: epochOf(replica.region).version,
      nowSeconds: Math.floor(turn.now.wallMs / 1000),
      commands,
    },
    turn.wire,
  );
}

/** Bytes that the user gave, and a little for each command around them. */
export function sizeOf(commands: readonly RawCommand[]): number {
  let size = 0;
  for (const command of commands) {
    size += 16;
    switch (command.type) {
      case "put":
        size += command.key.length + command.value.length;
        break;
      case "delete":
        size += command.key.length;
        break;
      case "delete_range":
        size += command.start.length + command.end.length;
        break;
      case "compare_and_swap":
        size += command.key.length + (command.expected?.length ?? 0);
        size += command.replacement?.length ?? 0;
        break;
    }
  }
  return size;
}

/** Raft has given the proposals their places. */
export function noteProposed(
  replica: Replica,
  proposals: readonly Proposal[],
  first: LogIndex,
  term: Term,
): Replica {
  if (proposals.length === 0) return replica;
  const added = proposals.map(({ parts }, i): Pending => ({
    index: plusIndex(first, i),
    term,
    parts,
  }));
  const pending = replica.pending.length === 0 ? added : [...replica.pending, ...added];
  return withApplied(replica, replica.applied, replica.appliedTerm, pending);
}

type DropReason = Extract<RaftEffect, { type: "proposal_dropped" }>["reason"];

/** Raft did not take the proposals: nothing of them is in any log. */
export function dropProposal(
  turn: Turn,
  replica: Replica,
  proposals: readonly Proposal[],
  reason: DropReason,
): void {
  const error = dropError(replica, reason);
  for (const { parts } of proposals) {
    for (const part of parts) fail(turn, part, error);
  }
}

function dropError(replica: Replica, reason: DropReason): RegionError {
  switch (reason) {
    case "not_leader":
      return notLeader(replica.region.id, undefined);
    case "transferring":
      return serverIsBusy("leadership is being transferred", 100);
    case "change_in_progress":
    case "invalid_change":
    case "quorum_behind":
    case "quorum_silent":
    case "voters_lacking":
      return serverIsBusy(`membership change refused: ${reason}`, 100);
    case "too_many_pending":
      return serverIsBusy("too many writes wait for a quorum", 100);
    default:
      return unreachable(reason);
  }
}

/** What became of an entry when it was applied. */
export type Outcome =
  | { readonly type: "raw"; readonly results: readonly RawResult[] }
  | { readonly type: "write" }
  | { readonly type: "split"; readonly regions: readonly Region[] }
  | { readonly type: "void"; readonly currentRegions: readonly Region[] };

/**
 * Answers those who waited for the entry that has just been applied. Whoever waited for another
 * entry at or below this index learns that it was overwritten: it never was committed.
 */
export function settle(
  turn: Turn,
  pending: readonly Pending[],
  entry: Entry,
  outcome: Outcome | undefined,
): readonly Pending[] {
  if (pending.length === 0) return pending;
  // Not in order of index: a leader that was deposed and elected again reuses indexes at which
  // older proposals of its own still wait to learn what became of them.
  const left: Pending[] = [];
  for (const waiting of pending) {
    if (waiting.index > entry.index) {
      left.push(waiting);
    } else if (waiting.index === entry.index && waiting.term === entry.term) {
      assert(outcome !== undefined, "an entry that someone proposed has an outcome");
      answer(turn, waiting, outcome);
    } else {
      for (const part of waiting.parts) fail(turn, part, staleCommand());
    }
  }
  return left.length === pending.length ? pending : left;
}

function answer(turn: Turn, waiting: Pending, outcome: Outcome): void {
  let next = 0;
  for (const part of waiting.parts) {
    if (outcome.type === "write") turn.settled.push({ ticket: part.ticket, error: undefined });
    else if (outcome.type === "void") fail(turn, part, epochNotMatch(outcome.currentRegions));
    else reply(turn, part.ticket, answerPart(part, outcome, next));
    next += part.commands;
  }
}

function answerPart(
  part: PendingPart,
  outcome: Exclude<Outcome, { type: "void" | "write" }>,
  first: number,
): TikvReply {
  if (part.method === "SplitRegion") {
    assert(outcome.type === "split", "a split's outcome is regions");
    return { method: "SplitRegion", response: splitResponse(outcome.regions) };
  }
  assert(outcome.type === "raw", "a raw write's outcome is results");
  assert(!isMvccWrite(part.method), "a transactional write is settled by its owner");
  return writeReply(part.method, "", outcome.results.slice(first, first + part.commands));
}

function splitResponse(regions: readonly Region[]): SplitRegionResponse {
  const [left, right] = regions;
  return SplitRegionResponse.make({
    regions,
    left,
    right: regions.length === 2 ? right : undefined,
  });
}

/** Answers one waiting call with a region error. */
export function fail(
  turn: Turn,
  part: { readonly ticket: Ticket; readonly method: TikvReply["method"] },
  error: RegionError,
): void {
  const { ticket, method } = part;
  if (isMvccWrite(method)) turn.settled.push({ ticket, error });
  else reply(turn, ticket, regionErrorReply(method, error));
}
