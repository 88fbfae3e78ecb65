/**
 * Snapshots and compaction (section 7): the follower's log is replaced where the leader has
 * forgotten what comes next, and every member forgets what its state machine holds durably.
 */
import type { LogIndex, PeerId } from "../base/ids.ts";
import type { Turn } from "./turn.ts";
import type { Entry, SnapshotMessage, SnapshotRequest } from "./types.ts";
import { assert } from "../base/assert.ts";
import { maxIndex, minIndex, nextIndex } from "../base/ids.ts";
import { commitTo } from "./applying.ts";
import { forgotten } from "./configuration.ts";
import { accept } from "./following.ts";
import * as logs from "./log.ts";
import * as progress from "./progress.ts";
import { heardLeader } from "./roles.ts";
import { handOff } from "./transfer.ts";
import { editPeer, placeOf } from "./turn.ts";
import { beginWrite, currentHardState, distrust } from "./writing.ts";

/** All data of a snapshot is here: install it, unless the log is as good. */
export function onSnapshot(turn: Turn, from: PeerId, m: SnapshotMessage): void {
  const { draft } = turn;
  heardLeader(turn, from, draft.heardTerm === draft.term ? draft.heardSentAt : progress.NEVER_MS);
  const { index, term } = m.metadata;
  // One at a time; the leader offers again what is still needed then.
  if (draft.restoring !== undefined) return;
  if (draft.lacking && index >= draft.applied) {
    install(turn, m);
    accept(turn, from, index, progress.NEVER_MS);
    return;
  }
  if (index <= draft.commit) {
    accept(turn, from, draft.commit, progress.NEVER_MS);
    return;
  }
  if (logs.termAt(draft.log, index) === term) {
    // Its last entry is in the log, so everything before it is too.
    commitTo(turn, index);
    accept(turn, from, index, progress.NEVER_MS);
    return;
  }
  install(turn, m);
  accept(turn, from, index, progress.NEVER_MS);
}

/**
 * A member that had lost its data may hold entries behind the snapshot, which it has acknowledged:
 * they stay, and are written again together with it.
 */
function install(turn: Turn, m: SnapshotMessage): void {
  const { draft, effects } = turn;
  const { metadata } = m;
  const { index, term, configuration } = metadata;
  const agrees = logs.termAt(draft.log, index) === term;
  assert(agrees || index > draft.commit, "a snapshot holds every committed entry up to its own");
  draft.log = agrees ? logs.compactTo(draft.log, index) : logs.emptyLog(index, term);
  const later = agrees ? draft.history.filter((placed) => placed.index > index) : [];
  draft.history = [{ index, configuration }, ...later];
  draft.commit = maxIndex(draft.commit, index);
  draft.lacking = false;
  distrust(turn, draft.applied);
  const hardState = currentHardState(turn);
  const { last } = draft.log;
  const ticket = beginWrite(turn, last, hardState);
  draft.restoring = { ticket, index };
  draft.handedOut = index;
  const entries = last > index ? logs.slice(draft.log, nextIndex(index), last) : NO_ENTRIES;
  effects.push({ type: "restore", ticket, hardState, metadata, entries });
}

const NO_ENTRIES: readonly Entry[] = [];

/**
 * The driver has lost the state machine's data, that of a snapshot that is being installed perhaps.
 * Its log is whole, so all promises stand.
 */
export function onRequestSnapshot(turn: Turn): void {
  const { draft } = turn;
  if (draft.lacking) return;
  draft.lacking = true;
  if (draft.role === "leader") handOff(turn);
}

/** A member has lost its data. It replicates on meanwhile: only its state machine stands still. */
export function onSnapshotRequest(turn: Turn, from: PeerId, m: SnapshotRequest): void {
  const { draft, now } = turn;
  const at = placeOf(turn, from);
  if (draft.role !== "leader" || at < 0) return;
  const peer = editPeer(turn, at);
  peer.heardMs = now;
  peer.lackingMs = now;
  turn.effects.push({ type: "send_snapshot", to: from, atLeast: m.index });
}

/** The transfer of a snapshot has ended. What the member then has, its answers tell. */
export function onSnapshotSent(turn: Turn, from: PeerId, index: LogIndex, ok: boolean): void {
  const { draft } = turn;
  const at = placeOf(turn, from);
  if (draft.role !== "leader" || at < 0 || draft.peers[at]!.state !== "snapshot") return;
  const peer = editPeer(turn, at);
  progress.becomeProbe(peer, ok ? nextIndex(index) : nextIndex(peer.matched));
  // Not before the next heartbeat's answer: by then it has installed it, or can take another.
  peer.waiting = true;
}

/** Forgets entries up to `index`. */
export function onCompact(turn: Turn, index: LogIndex): void {
  const { draft } = turn;
  // Nothing that the state machine may still ask for, or that the disk has not got.
  const to = minIndex(index, minIndex(draft.applied, draft.durable));
  if (to <= draft.log.base || draft.restoring !== undefined) return;
  draft.log = logs.compactTo(draft.log, to);
  draft.history = forgotten(draft.history, to);
}
