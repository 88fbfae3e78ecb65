/**
 * The storage machine: one shared log for all groups with group commit, and checkpoints written
 * beside it. At any time one write is under way; what arrives meanwhile waits and goes out with the
 * next one. Nothing is reported durable before the write that holds it has been synced, and after
 * a failed write nothing is written again: the page cache may have dropped what the disk refused.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Ticket } from "../base/ids.ts";
import type { DiskOperation } from "./disk.ts";
import { beginDraft, nextSlice } from "./draft.ts";
import { nextBatch } from "./log/batch.ts";
import { durableCheckpoint, segmentFile, withQueue, withWriting } from "./state.ts";
import type { StorageState, Writing } from "./state.ts";
import type { Checkpoint, StorageEffect, StorageInput } from "./types.ts";

export interface Step {
  readonly state: StorageState;
  readonly effects: readonly StorageEffect[];
}

const NO_EFFECTS: readonly StorageEffect[] = Object.freeze([]);

export function step(state: StorageState, input: StorageInput): Step {
  switch (input.type) {
    case "identify":
      assert(state.identity === undefined, "a directory is identified once");
      assert(state.segments.length === 0, "a log belongs to someone");
      return quiet(withPending({ ...state, identity: input.identity }, [], input.ticket));
    case "log":
      assert(state.identity !== undefined, "a log belongs to someone");
      return quiet(withPending(state, input.records, input.ticket));
    case "turn_ended":
      return proceed(onTurnEnded(state), []);
    case "checkpoint":
      return quiet(onCheckpoint(state, input.checkpoint));
    case "written":
      return onWritten(state, input.ticket);
    case "write_failed": {
      assert(state.writing?.ticket === input.ticket, "only the write under way can fail");
      const { reason, file } = input;
      return {
        state: { ...state, closed: true, writing: undefined, pending: [], draft: undefined },
        effects: [{ type: "failed", reason, file }],
      };
    }
    default:
      return unreachable(input);
  }
}

const quiet = (state: StorageState): Step => ({ state, effects: NO_EFFECTS });

function withPending(
  state: StorageState,
  records: StorageState["pending"],
  ticket: Ticket,
): StorageState {
  if (state.closed) return state;
  assert(
    state.pendingTicket === undefined || ticket > state.pendingTicket,
    "tickets of the log ascend",
  );
  const pending = state.pending.length === 0 ? records : [...state.pending, ...records];
  return withQueue(state, pending, ticket, state.due);
}

/** What waits may go out now. */
function onTurnEnded(state: StorageState): StorageState {
  const { pending, pendingTicket, due } = state;
  if (due || pendingTicket === undefined) return state;
  return withQueue(state, pending, pendingTicket, true);
}

function onCheckpoint(state: StorageState, checkpoint: Checkpoint): StorageState {
  assert(state.identity !== undefined, "a checkpoint belongs to someone");
  if (state.closed || state.draft !== undefined) return state;
  return { ...state, draft: beginDraft(state, checkpoint) };
}

function onWritten(state: StorageState, ticket: Ticket): Step {
  const { writing } = state;
  assert(writing?.ticket === ticket, "only the write under way can be done");
  const effects: StorageEffect[] = [];
  const next = withWriting(state, undefined, writing.type === "records");
  switch (writing.type) {
    case "repairs":
      effects.push({ type: "opened" });
      return proceed(next, effects);
    case "records":
      if (writing.durable !== undefined) {
        effects.push({ type: "durable", ticket: writing.durable });
      }
      return proceed(next, effects);
    case "removal":
      return proceed(withoutRemoved(next), effects);
    case "slice": {
      if (writing.next !== undefined) return proceed({ ...next, draft: writing.next }, effects);
      const { draft } = state;
      assert(draft !== undefined, "a slice is of a draft");
      const { groups } = draft.checkpoint;
      effects.push({ type: "checkpointed", groups });
      const checkpoint = durableCheckpoint(draft.number, groups);
      return proceed({ ...next, draft: undefined, checkpoint }, effects);
    }
    default:
      return unreachable(writing);
  }
}

/** Starts the next write where none is under way. Records go first, but take turns with slices. */
function proceed(state: StorageState, effects: StorageEffect[]): Step {
  if (state.closed || state.writing !== undefined) return { state, effects };
  const ticket = state.nextTicket;
  const removes = state.segments.length > 0 && state.segments[0]!.number < state.oldest;
  const draft = state.draft;
  const slices = draft !== undefined && draft.sequence <= state.sequence;
  if (state.due && !(state.wroteLog && (removes || slices))) {
    const batch = nextBatch(state);
    const writing: Writing = { type: "records", ticket, durable: state.pendingTicket };
    return begin(batch.state, writing, batch.operations, effects);
  }
  if (removes) {
    return begin(state, { type: "removal", ticket }, removal(state), effects);
  }
  if (slices) {
    const { operations, next } = nextSlice(state, draft);
    return begin(state, { type: "slice", ticket, next }, operations, effects);
  }
  return { state, effects };
}

function begin(
  state: StorageState,
  writing: Writing,
  operations: readonly DiskOperation[],
  effects: StorageEffect[],
): Step {
  effects.push({ type: "write", lane: "log", ticket: writing.ticket, operations });
  return { state: withWriting(state, writing, state.wroteLog), effects };
}

/** One after another and each durably, so that what remains after a crash is without gaps. */
function removal(state: StorageState): DiskOperation[] {
  const operations: DiskOperation[] = [];
  for (const segment of state.segments) {
    if (segment.number >= state.oldest) break;
    operations.push({ type: "remove", file: segmentFile(segment.number) });
    operations.push({ type: "sync_directory" });
  }
  return operations;
}

const withoutRemoved = (state: StorageState): StorageState => ({
  ...state,
  segments: state.segments.filter((segment) => segment.number >= state.oldest),
});
