/**
 * Handing leadership over (thesis, section 3.10): stop taking proposals and serving lease reads,
 * let the target catch up, and tell it to campaign at once. What has not worked within an election
 * timeout is given up, and the leader goes on.
 */
import type { PeerId } from "../base/ids.ts";
import type { Turn } from "./turn.ts";
import type { Progress } from "./progress.ts";
import type { TimeoutNow } from "./types.ts";
import { assert } from "../base/assert.ts";
import { inForce, isVoter } from "./configuration.ts";
import { isQuiet } from "./lease.ts";
import { NEVER_MS, isLacking } from "./progress.ts";
import { placeOf, send } from "./turn.ts";

/** The driver wants `to` to lead. Ignored where it cannot, or leads already. */
export function onTransfer(turn: Turn, to: PeerId): void {
  const { draft, now } = turn;
  if (draft.role !== "leader" || to === draft.config.id) return;
  if (!isVoter(inForce(draft.history).configuration, to)) return;
  if (draft.transfer?.to === to) return;
  // It could not serve anybody.
  if (isLacking(draft.peers[placeOf(turn, to)]!, now, draft.config.electionMs)) return;
  draft.transfer = { to, fencedMs: now };
  turn.flush = true;
  const target = draft.peers[placeOf(turn, to)]!;
  if (target.matched === draft.log.last) sendTimeoutNow(turn);
}

/**
 * A leader that has lost its data, or whose disk is stuck, hands over to the voter that is nearest
 * to its log, among those that live and have theirs.
 */
export function handOff(turn: Turn): void {
  const { draft, now } = turn;
  const { electionMs } = draft.config;
  const { configuration } = inForce(draft.history);
  let best: Progress | undefined;
  for (const peer of draft.peers) {
    if (!isVoter(configuration, peer.peer) || isLacking(peer, now, electionMs)) continue;
    // One that has answered this leader has also said whether it lacks its data.
    if (now - peer.heardMs >= electionMs || peer.echoedMs === NEVER_MS) continue;
    if (best === undefined || peer.matched > best.matched) best = peer;
  }
  if (best !== undefined) onTransfer(turn, best.peer);
}

/**
 * The target holds the whole log: it may campaign. Repeated with the heartbeats, as it may be lost.
 */
export function sendTimeoutNow(turn: Turn): void {
  const { draft } = turn;
  assert(draft.transfer !== undefined, "the lease is given up before another may campaign");
  const { to, fencedMs } = draft.transfer;
  send(turn, to, { type: "timeout_now", term: draft.term, sentAt: fencedMs });
}

/** With each heartbeat. */
export function continueTransfer(turn: Turn): void {
  const { draft, now } = turn;
  if (draft.transfer !== undefined && now - draft.transfer.fencedMs >= draft.config.electionMs) {
    draft.transfer = undefined;
    return;
  }
  if (draft.transfer === undefined) {
    watchDisk(turn);
    if (isHeldUp(turn) || draft.lacking) handOff(turn);
    return;
  }
  const at = placeOf(turn, draft.transfer.to);
  if (at >= 0 && draft.peers[at]!.matched === draft.log.last) sendTimeoutNow(turn);
}

/** Keeps since when the disk has taken nothing, though others have more that is committed. */
function watchDisk({ draft, now }: Turn): void {
  if (draft.durable >= draft.commit || draft.durable !== draft.heldUpAt) {
    draft.heldUpAt = draft.durable;
    draft.heldUpMs = now;
  }
}

/**
 * Whether the disk of this leader has taken nothing for an election timeout. What is not durable
 * here is not applied here, so nobody would be answered until it moves again, if ever. A disk that
 * is slow, and moves, holds nobody up for that long.
 */
function isHeldUp({ draft, now }: Turn): boolean {
  return now - draft.heldUpMs >= draft.config.electionMs;
}

/**
 * Whether a request to campaign comes from the leader, and nothing sent later has been heard from
 * it.
 */
export function isCurrent(turn: Turn, from: PeerId, m: TimeoutNow): boolean {
  const { draft, now } = turn;
  if (draft.role !== "follower" || draft.leader !== from || isQuiet(draft, now)) return false;
  return draft.heardTerm === draft.term && m.sentAt >= draft.heardSentAt;
}
