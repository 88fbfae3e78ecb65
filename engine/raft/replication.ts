/**
 * The leader's side of replication (sections 5.3 and 5.4): what each member gets next, what its
 * answers say, and what is committed by them.
 */
import type { LogIndex, PeerId } from "../base/ids.ts";
import type { MutableProgress } from "./progress.ts";
import type { Turn } from "./turn.ts";
import type { AppendResponse, Entry, HeartbeatResponse } from "./types.ts";
import { assert } from "../base/assert.ts";
import { minIndex, nextIndex, plusIndex, previousIndex } from "../base/ids.ts";
import { commitTo } from "./applying.ts";
import { inForce } from "./configuration.ts";
import { sendStamp } from "./lease.ts";
import * as logs from "./log.ts";
import * as progress from "./progress.ts";
import { quorumValue } from "./quorum.ts";
import { sendTimeoutNow } from "./transfer.ts";
import { editPeer, placeOf, send } from "./turn.ts";

/** Sends every member what it may get now. */
export function flushPeers(turn: Turn): void {
  turn.flush = false;
  const count = turn.draft.peers.length;
  for (let at = 0; at < count; at++) flushPeer(turn, at);
}

function flushPeer(turn: Turn, at: number): void {
  const { draft } = turn;
  const { config } = draft;
  let peer = draft.peers[at]!;
  while (peer.next <= draft.log.last && !progress.isPaused(peer, config)) {
    if (!sendAppend(turn, at, config.maxAppendBytes)) return;
    peer = draft.peers[at]!;
  }
}

/**
 * Tells the members of a commit index that no entries have brought them. It waits for entries or a
 * tick to travel with: a message of its own to every member, and the answer, would be half of all
 * messages of a lone write, and nobody who wrote waits for them.
 */
export function tellCommit(turn: Turn): void {
  const { draft } = turn;
  for (let at = 0; at < draft.peers.length; at++) {
    if (progress.lacksCommit(draft.peers[at]!, draft.commit)) sendAppend(turn, at, 0);
  }
}

/**
 * Sends the member at `at` its next entries, at most `maxBytes` of them (0: none, which still
 * checks that the logs agree). False where only a snapshot can help.
 */
function sendAppend(turn: Turn, at: number, maxBytes: number): boolean {
  const { draft, now } = turn;
  const peer = editPeer(turn, at);
  const previous = previousIndex(peer.next);
  const previousTerm = logs.termAt(draft.log, previous);
  if (previousTerm === undefined) {
    askForSnapshot(turn, peer);
    return false;
  }
  const entries =
    maxBytes === 0 ? NO_ENTRIES : logs.slice(draft.log, peer.next, draft.log.last, maxBytes);
  send(turn, peer.peer, {
    type: "append_request",
    term: draft.term,
    previousIndex: previous,
    previousTerm,
    entries,
    commit: draft.commit,
    sentAt: sendStamp(draft, now),
  });
  peer.commitSent = draft.commit;
  if (entries.length > 0) {
    let bytes = 0;
    for (const entry of entries) bytes += logs.entrySize(entry);
    progress.sent(peer, plusIndex(previous, entries.length), bytes);
  } else if (peer.state === "probe") {
    peer.waiting = true;
  }
  return true;
}

const NO_ENTRIES: readonly Entry[] = [];

/**
 * The member needs entries that the log has no more. One that is silent gets no snapshot made for
 * it.
 */
function askForSnapshot(turn: Turn, peer: MutableProgress): void {
  const { draft, now } = turn;
  if (now - peer.heardMs >= draft.config.electionMs) {
    peer.waiting = true;
    return;
  }
  const atLeast = draft.log.base;
  progress.becomeSnapshot(peer, atLeast);
  turn.effects.push({ type: "send_snapshot", to: peer.peer, atLeast });
}

/**
 * Tells every member that this leader lives, and what it may commit of what it is known to hold.
 */
export function sendHeartbeats(turn: Turn): void {
  const { draft, now } = turn;
  draft.heartbeatAtMs = now + draft.config.heartbeatMs;
  const { term, commit, reads } = draft;
  const sentAt = sendStamp(draft, now);
  for (const { peer, matched } of draft.peers) {
    send(turn, peer, {
      type: "heartbeat_request",
      term,
      commit: minIndex(matched, commit),
      sentAt,
      round: reads.round,
    });
  }
}

export function onHeartbeatResponse(turn: Turn, from: PeerId, m: HeartbeatResponse): void {
  const { draft, now } = turn;
  const at = placeOf(turn, from);
  if (draft.role !== "leader" || at < 0) return;
  const peer = editPeer(turn, at);
  noteHeard(peer, m.sentAt, now);
  peer.round = Math.max(peer.round, m.round);
  peer.waiting = false;
  if (peer.state === "snapshot") return;
  // What was sent and not answered may be lost: an empty append is refused where it is.
  const isUncertain = peer.state === "probe" || peer.matched < draft.log.last;
  const isStuck = peer.next > draft.log.last || progress.isPaused(peer, draft.config);
  if (isUncertain && isStuck) sendAppend(turn, at, 0);
  turn.flush = true;
}

export function onAppendResponse(turn: Turn, from: PeerId, m: AppendResponse): void {
  const { draft, now } = turn;
  const at = placeOf(turn, from);
  if (draft.role !== "leader" || at < 0) return;
  const peer = editPeer(turn, at);
  noteHeard(peer, m.sentAt, now);
  turn.flush = true;
  if (m.rejected) onRejected(turn, peer, m);
  else onAccepted(turn, peer, m.index);
}

function onAccepted(turn: Turn, peer: MutableProgress, index: LogIndex): void {
  const { draft } = turn;
  assert(index <= draft.log.last, "a member confirms only what its leader has sent");
  if (progress.acknowledged(peer, index)) turn.recount = true;
  const canStream =
    peer.state === "snapshot" ? peer.matched >= draft.log.base : index >= peer.matched;
  if (peer.state !== "replicate" && canStream) progress.becomeReplicate(peer);
  if (draft.transfer?.to === peer.peer && peer.matched === draft.log.last) sendTimeoutNow(turn);
}

/** Goes back to the last place where the logs may agree, a term at a time (end of section 5.3). */
function onRejected(turn: Turn, peer: MutableProgress, m: AppendResponse): void {
  const isStale =
    peer.state === "snapshot" ||
    m.index <= peer.matched ||
    (peer.state === "probe" && m.index !== peer.next - 1);
  if (isStale) return;
  const agreement = logs.agreementBefore(turn.draft.log, m.hintIndex, m.hintTerm);
  progress.becomeProbe(peer, minIndex(m.index, nextIndex(agreement)));
}

function noteHeard(peer: MutableProgress, sentAt: number, now: number): void {
  peer.heardMs = now;
  // An echo from the future is of no clock of ours.
  if (sentAt > peer.echoedMs && sentAt <= now) peer.echoedMs = sentAt;
}

/**
 * Commits what a quorum holds durably, if the entry there is of this leader's own term (section
 * 5.4.2).
 */
export function advanceCommit(turn: Turn): void {
  turn.recount = false;
  const { draft } = turn;
  const { peers, log } = draft;
  const index = quorumValue(inForce(draft.history).configuration, (voter) => {
    if (voter === draft.config.id) return draft.durable;
    for (const { peer, matched } of peers) if (peer === voter) return matched;
    return 0;
  }) as LogIndex;
  if (index <= draft.commit || logs.termAt(log, index) !== draft.term) return;
  for (let at = nextIndex(draft.commit); at <= index; at = nextIndex(at)) {
    draft.uncommittedBytes -= logs.entrySize(logs.entryAt(log, at));
  }
  assert(draft.uncommittedBytes >= 0, "what is committed was counted when it was appended");
  commitTo(turn, index);
}

/** The connection to `from` broke: what was streamed to it is probably lost. */
export function onUnreachable(turn: Turn, from: PeerId): void {
  const at = placeOf(turn, from);
  if (turn.draft.role !== "leader" || at < 0) return;
  if (turn.draft.peers[at]!.state !== "replicate") return;
  const peer = editPeer(turn, at);
  progress.becomeProbe(peer, nextIndex(peer.matched));
  peer.waiting = true;
}
