/**
 * A turn's dealings with its storage: what the disk and the jobs have to say at its beginning, what
 * is logged and frozen in its course, and the port by which replicas receive and make tables.
 */
import type { RegionId, Ticket } from "../base/ids.ts";
import type { Persisting, TreePort } from "../region/turn.ts";
import type { DiskOperation } from "../storage/disk.ts";
import type { GroupMark } from "../storage/lsm/types.ts";
import { Workspace } from "../storage/lsm/workspace.ts";
import { reserve, stackOf, withMemtable } from "../storage/state.ts";
import { step as stepStorage } from "../storage/storage.ts";
import type { TableMeta } from "../storage/table/types.ts";
import type { LogRecord, StorageInput } from "../storage/types.ts";
import { marksOf } from "./flush.ts";
import { type StoreTurn, takeTicket } from "./turn.ts";
import type { StoreInput } from "./types.ts";

/** What the disk and the jobs say. */
export type DiskNews = Extract<
  StoreInput,
  { readonly type: "written" | "write_failed" | "job_done" | "job_failed" }
>;

export const isDiskNews = (input: StoreInput): input is DiskNews =>
  input.type === "written" ||
  input.type === "write_failed" ||
  input.type === "job_done" ||
  input.type === "job_failed";

/**
 * Steps the storage. Effects for the world leave with the turn's; the others are kept in `heard`.
 */
export function stepDisk(turn: StoreTurn, input: StorageInput): void {
  const { state, effects } = stepStorage(turn.storage, input);
  turn.storage = state;
  for (const effect of effects) {
    switch (effect.type) {
      case "write":
      case "job":
        turn.effects.push(effect);
        break;
      case "removed":
        turn.removed.push(effect.number);
        break;
      default:
        turn.heard.push(effect);
    }
  }
}

/** Opens the data anew: the stack under it has changed. */
export function reopenData(turn: StoreTurn): void {
  turn.data = new Workspace(stackOf(turn.storage), turn.tables);
}

/**
 * Hands what the replicas want written to the log, as one batch. Returns its ticket if there was
 * any.
 */
export function logRecords(turn: StoreTurn): Ticket | undefined {
  if (turn.records.length === 0) return undefined;
  const ticket = takeTicket(turn);
  const records: readonly LogRecord[] = turn.records.splice(0);
  const persisting: readonly Persisting[] = turn.persisting.splice(0);
  turn.loggedBytes += bytesOf(records);
  turn.durability = [...turn.durability, { ticket, persisting }];
  stepDisk(turn, { type: "log", ticket, records });
  return ticket;
}

/** About as many bytes as the records take in the log. */
function bytesOf(records: readonly LogRecord[]): number {
  let bytes = 0;
  for (const record of records) {
    bytes += 32;
    if (record.type === "append") {
      for (const entry of record.entries) bytes += 16 + entry.data.length;
    } else if (record.type === "restore") {
      for (const chunk of record.chunks) bytes += chunk.length;
    }
  }
  return bytes;
}

/** Gives the memtable back as the turn has left it. */
export function handBack(turn: StoreTurn): void {
  turn.storage = withMemtable(turn.storage, turn.data.done());
}

/** Freezes what is applied. The memtable has been handed back, and what was logged with it. */
export function freeze(turn: StoreTurn): void {
  turn.loggedBytes = 0;
  stepDisk(turn, { type: "freeze", marks: marksOf(turn) });
}

/** What replicas may ask of the storage in this turn. */
export class TurnTree implements TreePort {
  private turn: StoreTurn | undefined;

  /** Before anything is asked. */
  serve(turn: StoreTurn): void {
    this.turn = turn;
  }

  reserve(): number {
    const { turn } = this;
    const { state, number } = reserve(turn!.storage);
    turn!.storage = state;
    return number;
  }

  files(region: RegionId, operations: readonly DiskOperation[]): Ticket {
    const turn = this.turn!;
    const ticket = takeTicket(turn);
    turn.fileWrites = [...turn.fileWrites, { ticket, region }];
    stepDisk(turn, { type: "files", ticket, operations });
    return ticket;
  }

  discard(numbers: readonly number[]): void {
    if (numbers.length > 0) stepDisk(this.turn!, { type: "discard", numbers });
  }

  ingest(tables: readonly TableMeta[], mark: GroupMark): void {
    const turn = this.turn!;
    logRecords(turn);
    handBack(turn);
    freeze(turn);
    stepDisk(turn, { type: "ingest", tables, mark });
    reopenData(turn);
  }

  quarantine(region: RegionId): void {
    stepDisk(this.turn!, { type: "quarantine", region });
  }

  release(ticket: Ticket): void {
    stepDisk(this.turn!, { type: "release", ticket });
  }
}
