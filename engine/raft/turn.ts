/**
 * One step under way: the draft of the new state, the effects so far, and what is still to be done
 * before the step ends.
 */
import type { PeerId } from "../base/ids.ts";
import type { MutableProgress } from "./progress.ts";
import type { Draft, RaftState } from "./state.ts";
import type { RaftEffect, RaftMessage } from "./types.ts";
import { copyProgress } from "./progress.ts";
import { draftOf } from "./state.ts";

export interface Turn {
  /** The monotonic clock at this step, in milliseconds. */
  readonly now: number;
  readonly before: RaftState;
  readonly draft: Draft;
  readonly effects: RaftEffect[];
  /** Messages of this step that wait for the write the step ends with. */
  readonly held: { readonly to: PeerId; readonly message: RaftMessage }[];
  /**
   * Leader: entries or a member's progress changed, so members may have something to get.
   */
  flush: boolean;
  /** Leader: acknowledgements or the configuration changed, so the commit index may move. */
  recount: boolean;
  /**
   * Whether `draft.peers` was made in this step, and which of its records were: bit n for the n-th.
   */
  ownsPeers: boolean;
  fresh: number;
}

export function turnOf(before: RaftState, now: number): Turn {
  return {
    now,
    before,
    draft: draftOf(before),
    effects: [],
    held: [],
    flush: false,
    recount: false,
    ownsPeers: false,
    fresh: 0,
  };
}

/** Sends now. Only for what promises nothing that a crash could take back. */
export function send(turn: Turn, to: PeerId, message: RaftMessage): void {
  turn.effects.push({ type: "send", to, message });
}

/** Sends as soon as everything this step writes is durable. To the node itself: handles it then. */
export function hold(turn: Turn, to: PeerId, message: RaftMessage): void {
  turn.held.push({ to, message });
}

/** The place of `peer` in the leader's list, or -1. */
export function placeOf(turn: Turn, peer: PeerId): number {
  const { peers } = turn.draft;
  for (let at = 0; at < peers.length; at++) if (peers[at]!.peer === peer) return at;
  return -1;
}

/** The record at `at`, which this step may write. */
export function editPeer(turn: Turn, at: number): MutableProgress {
  const { draft } = turn;
  if (!turn.ownsPeers) {
    draft.peers = draft.peers.slice();
    turn.ownsPeers = true;
    turn.fresh = 0;
  }
  const peers = draft.peers as MutableProgress[];
  const bit = 1 << (at & 31);
  if (at >= 32 || (turn.fresh & bit) === 0) {
    peers[at] = copyProgress(peers[at]!);
    turn.fresh |= bit;
  }
  return peers[at]!;
}
