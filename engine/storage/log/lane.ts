/**
 * The lane of the log: group commit. At any time one write is under way; what arrives meanwhile
 * waits and goes out with the next one. Nothing is reported durable before the write that holds it
 * has been synced.
 */
import { assert, unreachable } from "../../base/assert.ts";
import type { Ticket } from "../../base/ids.ts";
import type { DiskOperation } from "../disk.ts";
import type { StorageState } from "../state.ts";
import type { LogRecord, StorageEffect } from "../types.ts";
import { nextBatch } from "./batch.ts";
import { withQueue, withWriting } from "./state.ts";
import type { LogState, LogWriting, RecordsWriting } from "./state.ts";

/** A write of the lane: `log` is its state while that is under way. */
export interface LogWrite {
  readonly log: LogState;
  readonly operations: readonly DiskOperation[];
}

/** Keeps the records for the next write. */
export function enqueue(log: LogState, records: readonly LogRecord[], ticket: Ticket): LogState {
  const { pending, pendingTicket } = log;
  assert(pendingTicket === undefined || ticket > pendingTicket, "tickets of the log ascend");
  const all = pending.length === 0 ? records : [...pending, ...records];
  return withQueue(log, all, ticket, log.due);
}

/** What waits may go out now. */
export function endTurn(log: LogState): LogState {
  const { pending, pendingTicket, due } = log;
  if (due || pendingTicket === undefined) return log;
  return withQueue(log, pending, pendingTicket, true);
}

/** The write under way is done. */
export function finishLog(log: LogState, effects: StorageEffect[]): LogState {
  const { writing } = log;
  assert(writing !== undefined, "a write is under way");
  const next = withWriting(log, undefined, writing.type === "records");
  switch (writing.type) {
    case "repairs":
      effects.push({ type: "opened" });
      return next;
    case "records":
      if (writing.durable !== undefined) {
        effects.push({ type: "durable", ticket: writing.durable });
      }
      return next;
    case "removal":
      return withoutRemoved(next);
    default:
      return unreachable(writing);
  }
}

/**
 * The next write, where none is under way and there is something to write. Records go first, but
 * take turns with the removal of segments.
 */
export function nextLogWrite(state: StorageState): LogWrite | undefined {
  const { log, nextTicket: ticket } = state;
  if (log.writing !== undefined) return repeated(log, ticket);
  const removes = log.segments.length > 0 && log.segments[0]!.number < log.oldest;
  if (log.due && !(log.wroteLog && removes)) {
    const { log: next, operations } = nextBatch(state);
    const writing: LogWriting = {
      type: "records",
      ticket,
      durable: log.pendingTicket,
      operations,
      behind: operations[0]?.type === "create" ? undefined : endOf(log),
      stage: "under_way",
    };
    return { log: withWriting(next, writing, log.wroteLog), operations };
  }
  if (!removes) return undefined;
  const writing: LogWriting = { type: "removal", ticket };
  return { log: withWriting(log, writing, log.wroteLog), operations: removal(log) };
}

/** The end of the last segment. */
function endOf({ segments }: LogState): RecordsWriting["behind"] {
  const last = segments[segments.length - 1];
  return last === undefined ? undefined : { file: last.file, size: last.size };
}

/**
 * The disk has no room for the records under way. They wait, and with them everything behind: for
 * all others this is a disk that takes very long. Undefined where something else was written.
 */
export function refuseLog(log: LogState): LogState | undefined {
  const { writing } = log;
  if (writing?.type !== "records") return undefined;
  return withWriting(log, { ...writing, stage: "refused" }, log.wroteLog);
}

/** There may be room now. */
export function retryLog(log: LogState): LogState {
  const { writing } = log;
  if (writing?.type !== "records" || writing.stage !== "refused") return log;
  return withWriting(log, { ...writing, stage: "again" }, log.wroteLog);
}

/**
 * The refused write once more. What it has left behind the end of the segment goes first, durably:
 * nothing may ever be written behind a torn tail. One that begins a segment begins it anew.
 */
function repeated(log: LogState, ticket: Ticket): LogWrite | undefined {
  const { writing } = log;
  if (writing?.type !== "records" || writing.stage !== "again") return undefined;
  const { behind, operations } = writing;
  const cut: DiskOperation[] =
    behind === undefined
      ? []
      : [
          { type: "truncate", file: behind.file, size: behind.size },
          { type: "sync", file: behind.file },
        ];
  const next: LogWriting = { ...writing, ticket, stage: "under_way" };
  return { log: withWriting(log, next, log.wroteLog), operations: [...cut, ...operations] };
}

/** One after another and each durably, so that what remains after a crash is without gaps. */
function removal(log: LogState): DiskOperation[] {
  const operations: DiskOperation[] = [];
  for (const segment of log.segments) {
    if (segment.number >= log.oldest) break;
    operations.push({ type: "remove", file: segment.file });
    operations.push({ type: "sync_directory" });
  }
  return operations;
}

const withoutRemoved = (log: LogState): LogState => ({
  ...log,
  segments: log.segments.filter((segment) => segment.number >= log.oldest),
});
