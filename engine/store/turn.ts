/**
 * One step of a store: opened on its state, worked in, closed to the next state and the effects.
 */
import { nextTicket, type RegionId, type StoreId, type Ticket } from "../base/ids.ts";
import type { Now } from "../base/time.ts";
import type { PdCall } from "../protocol/services.ts";
import type { ReadCall } from "../region/reads.ts";
import type { RawProposal } from "../region/propose.ts";
import { Registry } from "../region/registry.ts";
import type { Persisting, Turn } from "../region/turn.ts";
import { NO_TABLES, stackOf } from "../storage/lsm/stack.ts";
import { Workspace } from "../storage/lsm/workspace.ts";
import { step as stepStorage } from "../storage/storage.ts";
import type { StorageInput, StorageEffect, LogRecord } from "../storage/types.ts";
import { dueCheckpoint } from "./checkpoint.ts";
import type { Asked, Durability, Purpose, Registration, StoreState } from "./state.ts";
import type { StoreEffect, StoreTrouble } from "./types.ts";

/** The store's own side of a turn. Fields that are not readonly become the next state's. */
export interface StoreTurn extends Turn {
  readonly effects: StoreEffect[];
  readonly before: StoreState;
  /** Writes and unconfirmed reads of this step, by region: each region takes its own in one go. */
  writes: Map<RegionId, RawProposal[]> | undefined;
  reads: Map<RegionId, ReadCall[]> | undefined;
  registration: Registration;
  identity: StoreState["identity"];
  storage: StoreState["storage"];
  lastTicket: Ticket;
  durability: readonly Durability[];
  asked: readonly Asked[];
  loggedBytes: number;
  checkpointing: boolean;
  opened: boolean;
  heartbeatAt: number;
  trouble: StoreTrouble | undefined;
}

export function openTurn(state: StoreState, now: Now): StoreTurn {
  return {
    now,
    store: (state.identity?.store ?? 0) as StoreId,
    config: state.config.region,
    seed: state.config.seed,
    wire: state.wire,
    effects: [],
    records: [],
    persisting: [],
    data: new Workspace(stackOf(state.memtable), NO_TABLES),
    replicas: new Registry(state.replicas),
    news: undefined,
    started: [],
    wantsCheckpoint: false,
    before: state,
    writes: undefined,
    reads: undefined,
    registration: state.registration,
    identity: state.identity,
    storage: state.storage,
    lastTicket: state.nextTicket,
    durability: state.durability,
    asked: state.asked,
    loggedBytes: state.loggedBytes,
    checkpointing: state.checkpointing,
    opened: state.opened,
    heartbeatAt: state.heartbeatAt,
    trouble: state.trouble,
  };
}

export function takeTicket(turn: StoreTurn): Ticket {
  const ticket = turn.lastTicket;
  turn.lastTicket = nextTicket(ticket);
  return ticket;
}

/** Asks the placement driver; the answer comes back with its purpose. */
export function ask(turn: StoreTurn, purpose: Purpose, call: PdCall): void {
  const ticket = takeTicket(turn);
  turn.asked = [...turn.asked, { ticket, at: turn.now.monotonicMs, purpose }];
  turn.effects.push({ type: "ask_placement", ticket, call });
}

/** Steps the storage; effects that are not the disk's own come back to be handled. */
export function stepDisk(turn: StoreTurn, input: StorageInput): readonly StorageEffect[] {
  const { state, effects } = stepStorage(turn.storage, input);
  turn.storage = state;
  if (effects.length === 0) return effects;
  const own: StorageEffect[] = [];
  for (const effect of effects) {
    if (effect.type === "write") turn.effects.push(effect);
    else own.push(effect);
  }
  return own;
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

/** Ends the turn. */
export function closeTurn(turn: StoreTurn): {
  readonly state: StoreState;
  readonly effects: readonly StoreEffect[];
} {
  logRecords(turn);
  const checkpoint = dueCheckpoint(turn);
  if (checkpoint !== undefined) {
    turn.checkpointing = true;
    turn.loggedBytes = 0;
    stepDisk(turn, { type: "checkpoint", checkpoint });
  }
  stepDisk(turn, { type: "turn_ended" });
  const { config, wire, startedSeconds } = turn.before;
  const state: StoreState = {
    config,
    wire,
    identity: turn.identity,
    registration: turn.registration,
    storage: turn.storage,
    memtable: turn.data.done(),
    replicas: turn.replicas.done(),
    nextTicket: turn.lastTicket,
    durability: turn.durability,
    asked: turn.asked,
    loggedBytes: turn.loggedBytes,
    checkpointing: turn.checkpointing,
    opened: turn.opened,
    heartbeatAt: turn.heartbeatAt,
    startedSeconds,
    trouble: turn.trouble,
  };
  return { state, effects: turn.effects };
}
