/**
 * The storage machine: two lanes of writes, of which the log's never waits for the tables'. In each
 * at most one write is under way. The lanes know of each other only through completions: an edit of
 * the manifest waits for the batch of the log that it presupposes, and the log is compacted up to
 * what edits have made durable.
 *
 * A write for which there is no room is tried again when there may be some. After any other failure
 * of a write of the log or the manifest nothing is written again: the page cache may have dropped
 * what the disk refused.
 */
import { assert } from "../base/assert.ts";
import type { Ticket } from "../base/ids.ts";
import type { DiskFailure, FileName } from "./disk.ts";
import { endTurn, enqueue, finishLog, nextLogWrite, refuseLog, retryLog } from "./log/lane.ts";
import { enterTreeInput } from "./lsm/inputs.ts";
import { failTreeWrite, finishTreeWrite } from "./lsm/lane.ts";
import { isIdle } from "./lsm/state.ts";
import { beginTreeWork } from "./lsm/work.ts";
import { withLog } from "./state.ts";
import type { StorageState } from "./state.ts";
import type { StorageEffect, StorageInput } from "./types.ts";

export interface Step {
  readonly state: StorageState;
  readonly effects: readonly StorageEffect[];
}

const NO_EFFECTS: readonly StorageEffect[] = Object.freeze([]);

export function step(state: StorageState, input: StorageInput): Step {
  // What comes of writes and jobs that were under way is of no use any more.
  if (state.closed) return { state, effects: NO_EFFECTS };
  const effects: StorageEffect[] = [];
  const entered = enter(state, input, effects);
  return { state: entered.closed ? entered : proceed(entered, effects), effects };
}

function enter(state: StorageState, input: StorageInput, effects: StorageEffect[]): StorageState {
  switch (input.type) {
    case "identify": {
      assert(state.identity === undefined, "a directory is identified once");
      assert(state.log.segments.length === 0, "a log belongs to someone");
      const log = enqueue(state.log, [], input.ticket);
      return { ...state, identity: input.identity, log };
    }
    case "log":
      assert(state.identity !== undefined, "a log belongs to someone");
      return withLog(state, enqueue(state.log, input.records, input.ticket));
    case "turn_ended":
      return withLog(state, endTurn(state.log));
    case "written":
      return onWritten(state, input.ticket, effects);
    case "write_failed":
      return onWriteFailed(state, input, effects);
    case "retry":
      return enterTreeInput(withLog(state, retryLog(state.log)), input, effects);
    default:
      return enterTreeInput(state, input, effects);
  }
}

function onWritten(state: StorageState, ticket: Ticket, effects: StorageEffect[]): StorageState {
  const { log, tree } = state;
  if (tree.writing?.ticket === ticket) return finishTreeWrite(state, effects);
  assert(log.writing?.ticket === ticket, "only a write under way can be done");
  const next = withLog(state, finishLog(log, effects));
  return log.writing.type === "repairs" ? { ...next, opened: true } : next;
}

function onWriteFailed(
  state: StorageState,
  {
    ticket,
    reason,
    file,
  }: { readonly ticket: Ticket; readonly reason: DiskFailure; readonly file: FileName },
  effects: StorageEffect[],
): StorageState {
  if (state.tree.writing?.ticket === ticket) {
    const next = failTreeWrite(state, reason, file, effects);
    if (next !== undefined) return next;
  } else {
    assert(state.log.writing?.ticket === ticket, "only a write under way can fail");
    const waiting = reason === "no_space" ? refuseLog(state.log) : undefined;
    if (waiting !== undefined) {
      effects.push({ type: "stalled", reason, file });
      return withLog(state, waiting);
    }
  }
  effects.push({ type: "failed", reason, file });
  return { ...state, closed: true };
}

/** Begins what can begin in both lanes. */
function proceed(state: StorageState, effects: StorageEffect[]): StorageState {
  const { nextTicket: ticket } = state;
  const write = nextLogWrite(state);
  let next = state;
  if (write !== undefined) {
    effects.push({ type: "write", lane: "log", ticket, operations: write.operations });
    next = withLog(state, write.log, ticket);
  }
  return next.opened && !isIdle(next.tree) ? beginTreeWork(next, effects) : next;
}
