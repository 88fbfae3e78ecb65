/**
 * The log of this member and the disk under it. Every change of log, term and vote of one step is
 * one `persist` effect; what promises it to others waits in state until the disk has answered.
 */
import type { LogIndex, Ticket } from "../base/ids.ts";
import type { History } from "./configuration.ts";
import type { MutableProgress } from "./progress.ts";
import type { Held, Write } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { Entry, HardState, RaftMessage } from "./types.ts";
import { assert } from "../base/assert.ts";
import { minIndex, nextIndex, nextTicket, plusIndex } from "../base/ids.ts";
import { createWire } from "../base/wire.ts";
import { decodeConfigurationEntry } from "./codec.ts";
import { inForce, members, rolledBack } from "./configuration.ts";
import * as logs from "./log.ts";
import { newProgress } from "./progress.ts";
import { send } from "./turn.ts";

/** Appends what this leader itself proposes; returns the index of the first. */
export function appendOwn(
  turn: Turn,
  type: Entry["type"],
  commands: readonly Uint8Array[],
): LogIndex {
  const { draft } = turn;
  assert(draft.role === "leader", "only a leader appends entries of its own");
  const first = nextIndex(draft.log.last);
  const entries: Entry[] = [];
  let bytes = 0;
  for (let i = 0; i < commands.length; i++) {
    const entry = { index: plusIndex(first, i), term: draft.term, type, data: commands[i]! };
    bytes += logs.entrySize(entry);
    entries.push(entry);
  }
  draft.uncommittedBytes += bytes;
  appendEntries(turn, entries);
  turn.flush = true;
  return first;
}

/** Appends `entries` behind the last one. A configuration among them is in force from here on. */
export function appendEntries(turn: Turn, entries: readonly Entry[]): void {
  const { draft } = turn;
  draft.log = logs.append(draft.log, entries);
  let changed = false;
  for (const entry of entries) {
    if (entry.type !== "configuration") continue;
    draft.history = withEntry(draft.history, entry);
    changed = true;
  }
  if (changed && draft.role === "leader") matchPeers(turn);
}

/** `history` with the configuration that `entry` holds. */
export function withEntry(history: History, entry: Entry): History {
  const decoded = decodeConfigurationEntry(entry.data, createWire());
  assert(decoded !== undefined, "a configuration entry holds a configuration");
  assert(entry.index > inForce(history).index, "configurations are in the order of the log");
  return [...history, { index: entry.index, configuration: decoded.configuration }];
}

/** Removes the entries behind `last`, and whatever was in force by them. */
export function truncate(turn: Turn, last: LogIndex): void {
  const { draft } = turn;
  assert(draft.role !== "leader", "a leader never removes entries of its log");
  assert(last >= draft.commit, "a committed entry is never removed");
  draft.log = logs.truncateAfter(draft.log, last);
  draft.history = rolledBack(draft.history, last);
  distrust(turn, last);
}

/** From here on nothing behind `last` counts as written or durable, whatever write is under way. */
export function distrust(turn: Turn, last: LogIndex): void {
  const { draft } = turn;
  draft.written = minIndex(draft.written, last);
  draft.durable = minIndex(draft.durable, last);
  draft.writes = draft.writes.map((write) => ({
    ticket: write.ticket,
    last: minIndex(write.last, last),
    hardState: write.hardState,
  }));
}

/** The leader's list of members after a change of the configuration. */
function matchPeers(turn: Turn): void {
  const { draft } = turn;
  const { id } = draft.config;
  const peers: MutableProgress[] = [];
  for (const peer of members(inForce(draft.history).configuration)) {
    if (peer === id) continue;
    const known = draft.peers.find((progress) => progress.peer === peer);
    // Probing begins with the newest entry, so that the first answer tells where the logs part.
    peers.push(known ?? newProgress(peer, draft.log.last, turn.now));
  }
  draft.peers = peers;
  turn.ownsPeers = true;
  turn.fresh = 0;
  turn.recount = true;
}

/**
 * Ends the step for the disk: one write for all that changed, and the messages that wait for it.
 */
export function handOver(turn: Turn): void {
  const { draft, effects } = turn;
  const { written, writtenHardState: old } = draft;
  const hasEntries = draft.log.last > written;
  // A commit index alone is worth no write: it is known again from the next leader.
  if (hasEntries || draft.term !== old.term || draft.vote !== old.vote) {
    const hardState = currentHardState(turn);
    const isNew = hasEntries
      ? draft.term !== old.term || draft.vote !== old.vote || draft.commit !== old.commit
      : true;
    assert(hardState.term >= old.term, "the term on the disk never falls");
    assert(hardState.commit >= old.commit, "the commit index on the disk never falls");
    const ticket = beginWrite(turn, draft.log.last, hardState);
    effects.push({
      type: "persist",
      ticket,
      hardState: isNew ? hardState : undefined,
      entries: hasEntries ? logs.slice(draft.log, nextIndex(written), draft.log.last) : NO_ENTRIES,
    });
  }
  if (turn.held.length > 0) releaseOrHold(turn);
}

const NO_ENTRIES: readonly Entry[] = [];

export function currentHardState(turn: Turn): HardState {
  return { term: turn.draft.term, vote: turn.draft.vote, commit: turn.draft.commit };
}

/**
 * Notes a write under a new ticket, after which everything up to `last` and `hardState` is durable.
 */
export function beginWrite(turn: Turn, last: LogIndex, hardState: HardState): Ticket {
  const { draft } = turn;
  const ticket = nextTicket(draft.ticket);
  const write: Write = { ticket, last, hardState };
  draft.ticket = ticket;
  draft.writes = draft.writes.length === 0 ? [write] : [...draft.writes, write];
  draft.written = last;
  draft.writtenHardState = hardState;
  return ticket;
}

function releaseOrHold(turn: Turn): void {
  const { draft } = turn;
  if (draft.durableTicket === draft.ticket) {
    for (const { to, message } of turn.held) send(turn, to, message);
    return;
  }
  const held: Held[] = draft.held.slice();
  for (const { to, message } of turn.held) held.push({ ticket: draft.ticket, to, message });
  draft.held = held;
}

/** The disk has everything up to `ticket`. Returns the messages that waited for it, in order. */
export function onDurable(turn: Turn, ticket: Ticket): readonly Held[] {
  const { draft } = turn;
  assert(ticket <= draft.ticket, "only what was handed over becomes durable");
  if (ticket <= draft.durableTicket) return NO_HELD;
  draft.durableTicket = ticket;
  let done = 0;
  while (done < draft.writes.length && draft.writes[done]!.ticket <= ticket) done += 1;
  const write = draft.writes[done - 1];
  if (write !== undefined) {
    assert(write.last <= draft.log.last, "what is durable is in the log");
    draft.durable = write.last;
    draft.durableHardState = write.hardState;
    draft.writes = draft.writes.slice(done);
  }
  turn.recount = true;
  endRestore(turn);
  if (draft.held.length === 0) return NO_HELD;
  let ready = 0;
  while (ready < draft.held.length && draft.held[ready]!.ticket <= ticket) ready += 1;
  const released = draft.held.slice(0, ready);
  draft.held = draft.held.slice(ready);
  return released;
}

const NO_HELD: readonly Held[] = [];

/** A snapshot has taken the place of the log once it is durable and the state machine has it. */
export function endRestore(turn: Turn): void {
  const { draft } = turn;
  const { restoring } = draft;
  if (restoring === undefined) return;
  if (draft.durableTicket >= restoring.ticket && draft.applied >= restoring.index) {
    draft.restoring = undefined;
  }
}

/** Forgets all promises under way: they were made in a term that is over. */
export function dropHeld(turn: Turn): void {
  turn.held.length = 0;
  if (turn.draft.held.length > 0) turn.draft.held = NO_HELD;
}

/**
 * Whether `later` says all that `earlier` says: accepted appends are acknowledged by the last of
 * them.
 */
export function supersedes(later: Held | undefined, earlier: Held): boolean {
  if (later === undefined || later.to !== earlier.to) return false;
  const a: RaftMessage = earlier.message;
  const b: RaftMessage = later.message;
  if (a.type !== "append_response" || b.type !== "append_response") return false;
  return !a.rejected && !b.rejected && b.index >= a.index && b.sentAt >= a.sentAt;
}
