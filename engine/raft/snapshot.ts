/**
 * Snapshots and compaction (section 7): the follower's log is replaced where the leader has
 * forgotten what comes next, and every member forgets what its state machine holds durably.
 */
import type { LogIndex, PeerId } from "../base/ids.ts";
import type { Turn } from "./turn.ts";
import type { SnapshotMessage } from "./types.ts";
import { minIndex, nextIndex } from "../base/ids.ts";
import { commitTo } from "./applying.ts";
import { forgotten } from "./configuration.ts";
import { accept } from "./following.ts";
import * as logs from "./log.ts";
import * as progress from "./progress.ts";
import { heardLeader } from "./roles.ts";
import { editPeer, placeOf } from "./turn.ts";
import { beginWrite, currentHardState, distrust } from "./writing.ts";

/** All data of a snapshot is here: install it, unless the log is as good. */
export function onSnapshot(turn: Turn, from: PeerId, m: SnapshotMessage): void {
  const { draft } = turn;
  heardLeader(turn, from, draft.heardTerm === draft.term ? draft.heardSentAt : progress.NEVER_MS);
  const { index, term } = m.metadata;
  // One at a time; the leader offers again what is still needed then.
  if (draft.restoring !== undefined) return;
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

function install(turn: Turn, m: SnapshotMessage): void {
  const { draft, effects } = turn;
  const { metadata } = m;
  draft.log = logs.emptyLog(metadata.index, metadata.term);
  draft.history = [{ index: metadata.index, configuration: metadata.configuration }];
  draft.commit = metadata.index;
  distrust(turn, draft.applied);
  const hardState = currentHardState(turn);
  const ticket = beginWrite(turn, metadata.index, hardState);
  draft.restoring = { ticket, index: metadata.index };
  draft.handedOut = metadata.index;
  effects.push({ type: "restore", ticket, hardState, metadata });
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
