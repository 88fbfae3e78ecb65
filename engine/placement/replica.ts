/**
 * The Raft group and the storage of a member as one thing: carries effects of the one to the other
 * and applies what is committed. Every write waits in `writes` under its ticket until storage
 * reports it durable, and only then Raft hears of it.
 */
import { assert, fail, unreachable } from "../base/assert.ts";
import { nextIndex, nextTicket } from "../base/ids.ts";
import type { LogIndex, PeerId, Ticket } from "../base/ids.ts";
import { step as stepRaft } from "../raft/step.ts";
import type { Entry, RaftEffect } from "../raft/types.ts";
import { complain } from "../storage/complaint.ts";
import { pressure } from "../storage/lsm/pressure.ts";
import type { GroupMark } from "../storage/lsm/types.ts";
import { step as stepStorage } from "../storage/storage.ts";
import type { LogRecord, StorageEffect, StorageInput } from "../storage/types.ts";
import { apply } from "./catalog/catalog.ts";
import { decodeCommand, encodeCatalog } from "./catalog/command-codec.ts";
import { abdicate, onApplied, onDropped, onProposed, onStatus } from "./leader.ts";
import { configurationOf, GROUP } from "./state.ts";
import type { PendingWrite } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Tells Raft what it is to be told, until there is nothing more. */
export function pump(turn: Turn): void {
  for (let input = turn.raftInputs.shift(); input !== undefined; input = turn.raftInputs.shift()) {
    if (turn.draft.stopped) continue;
    const { state, effects } = stepRaft(turn.draft.raft, turn.now.monotonicMs, input);
    turn.draft.raft = state;
    for (const effect of effects) perform(turn, effect);
  }
}

function perform(turn: Turn, effect: RaftEffect): void {
  switch (effect.type) {
    case "send":
      turn.effects.push({
        type: "send",
        to: effect.to,
        message: { type: "raft", message: effect.message },
      });
      break;
    case "persist": {
      const { hardState, entries } = effect;
      log(turn, { type: "append", region: GROUP, hardState, entries }, effect.ticket, undefined);
      break;
    }
    case "restore": {
      const { offered } = turn;
      assert(offered !== undefined, "Raft restores only what it is offered");
      const { hardState, metadata } = effect;
      const chunks = [offered.bytes];
      const at = { index: metadata.index, term: metadata.term };
      const restored = { catalog: offered.catalog, at };
      const tables = [] as const;
      const record = {
        type: "restore",
        region: GROUP,
        hardState,
        metadata,
        chunks,
        tables,
      } as const;
      log(turn, record, effect.ticket, restored);
      break;
    }
    case "apply":
      applyEntries(turn, effect.entries);
      break;
    case "send_snapshot":
      sendSnapshot(turn, effect.to, effect.atLeast);
      break;
    case "proposed":
      onProposed(turn, effect.first);
      break;
    case "proposal_dropped":
      onDropped(turn, effect.reason);
      break;
    case "status":
      onStatus(turn, effect.role, effect.term, effect.leader);
      break;
    case "read_ready":
    case "read_dropped":
      return assert(false, "reads go by the lease");
    default:
      unreachable(effect);
  }
}

function applyEntries(turn: Turn, entries: readonly Entry[]): void {
  const { draft } = turn;
  for (const { index, term, type, data } of entries) {
    assert(index === nextIndex(draft.applied.index), "entries are applied in order");
    assert(type === "normal", "the membership is fixed");
    draft.applied = { index, term };
    if (data.length === 0) {
      onApplied(turn, index, term, undefined);
      continue;
    }
    const command = decodeCommand(data, draft.wire);
    assert(command.ok, () => `entry ${index} is a command: ${command.ok ? "" : command.reason}`);
    const { catalog, outcome } = apply(draft.catalog, command.value);
    draft.catalog = catalog;
    onApplied(turn, index, term, outcome);
  }
  turn.raftInputs.push({ type: "applied", index: draft.applied.index });
}

function sendSnapshot(turn: Turn, to: PeerId, atLeast: LogIndex): void {
  const { applied, catalog, config, raft, wire } = turn.draft;
  assert(applied.index >= atLeast, "the state machine is not behind its own log");
  const metadata = { ...applied, configuration: configurationOf(config) };
  const bytes = encodeCatalog(catalog, wire);
  turn.effects.push({
    type: "send",
    to,
    message: { type: "snapshot", term: raft.term, metadata, bytes },
  });
  // It travels in one message: if that is lost, Raft finds out as with any other message.
  turn.raftInputs.push({ type: "snapshot_sent", peer: to, index: applied.index, ok: true });
}

/** Writes `record`; Raft hears of it under `raftTicket` when it is durable. */
function log(
  turn: Turn,
  record: LogRecord,
  raftTicket: Ticket | undefined,
  restored: PendingWrite["restored"],
): void {
  const { draft } = turn;
  const ticket = nextTicket(draft.ticket);
  draft.ticket = ticket;
  if (raftTicket !== undefined) {
    draft.writes = [...draft.writes, { ticket, raftTicket, restored }];
  }
  tellStorage(turn, { type: "log", ticket, records: [record] });
}

/** Gives `input` to storage and carries out what comes of it. */
export function tellStorage(turn: Turn, input: StorageInput): void {
  if (turn.draft.stopped) return;
  const { state, effects } = stepStorage(turn.draft.storage, input);
  turn.draft.storage = state;
  for (const effect of effects) carry(turn, effect);
}

function carry(turn: Turn, effect: StorageEffect): void {
  const { draft } = turn;
  switch (effect.type) {
    case "write":
      turn.effects.push(effect);
      break;
    case "opened":
      draft.opened = true;
      break;
    case "durable":
      onDurable(turn, effect.ticket);
      break;
    case "flushed":
      onFlushed(turn, effect.marks[0]!);
      break;
    case "stalled":
      draft.complainedAt = complain(turn, draft.complainedAt, effect);
      break;
    case "failed": {
      draft.stopped = true;
      abdicate(turn);
      const reason = `the disk failed: ${effect.reason} at ${effect.file}`;
      turn.effects.push({ type: "stop", reason });
      break;
    }
    default:
      fail(`a catalog is a mark and needs no tables: ${effect.type}`);
  }
}

/** Time has passed: what the disk has refused may be possible now. */
export function retryStalled(turn: Turn): void {
  const { stalled, blocked } = pressure(turn.draft.storage);
  if (stalled || blocked) tellStorage(turn, { type: "retry" });
}

function onDurable(turn: Turn, ticket: Ticket): void {
  const { draft } = turn;
  const done = draft.writes.filter((write) => write.ticket <= ticket);
  draft.writes = draft.writes.slice(done.length);
  for (const { raftTicket, restored } of done) {
    if (restored !== undefined) {
      assert(restored.at.index > draft.applied.index, "a snapshot brings something new");
      draft.catalog = restored.catalog;
      draft.applied = restored.at;
      draft.kept = undefined;
      turn.raftInputs.push({ type: "applied", index: restored.at.index });
    }
    turn.raftInputs.push({ type: "persisted", ticket: raftTicket });
  }
}

/** Begins a checkpoint where enough has been applied since the last one. */
export function considerCheckpoint(turn: Turn): void {
  const { draft } = turn;
  const { applied, checkpoint, checkpointing, config } = draft;
  if (checkpointing || applied.index - checkpoint < config.checkpointEntries) return;
  draft.checkpointing = true;
  draft.checkpoint = applied.index;
  const mark = {
    region: GROUP,
    applied: applied.index,
    appliedTerm: applied.term,
    meta: encodeCatalog(draft.catalog, draft.wire),
  };
  tellStorage(turn, { type: "freeze", marks: [mark] });
}

/** Forgets the log up to the checkpoint before this one. */
function onFlushed(turn: Turn, mark: GroupMark): void {
  const { draft } = turn;
  draft.checkpointing = false;
  const { kept } = draft;
  draft.kept = { index: mark.applied, term: mark.appliedTerm };
  const restoring = draft.writes.some(({ restored }) => restored !== undefined);
  if (kept === undefined || restoring) return;
  const { index, term } = kept;
  log(turn, { type: "compact", region: GROUP, index, term }, undefined, undefined);
  turn.raftInputs.push({ type: "compact", index });
}
