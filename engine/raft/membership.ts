/**
 * Changing who belongs (thesis, chapter 4): one change at a time, each in force from the moment it
 * is in the log; changes of more than one voter through a joint configuration.
 */
import type { PeerId } from "../base/ids.ts";
import type { Draft } from "./state.ts";
import type { Turn } from "./turn.ts";
import type { Configuration, ConfigurationChange } from "./types.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { createWire } from "../base/wire.ts";
import { encodeConfigurationEntry } from "./codec.ts";
import { changed, inForce, isJoint, isVoter } from "./configuration.ts";
import { sendStamp } from "./lease.ts";
import { isLacking } from "./progress.ts";
import { quorumValue } from "./quorum.ts";
import { NOBODY, becomeFollower } from "./roles.ts";
import { send } from "./turn.ts";
import { appendOwn } from "./writing.ts";

export function onProposeChange(turn: Turn, change: ConfigurationChange): void {
  const { draft, effects } = turn;
  const current = inForce(draft.history);
  if (draft.role !== "leader") {
    effects.push({ type: "proposal_dropped", reason: "not_leader" });
  } else if (draft.transfer !== undefined) {
    effects.push({ type: "proposal_dropped", reason: "transferring" });
  } else if (draft.commit < draft.termStart || draft.applied < current.index) {
    // The last change must be committed, and by this leader: before an entry of its own term is, a
    // leader cannot know (the correction of 2015 to section 4.1). That it is applied as well lets
    // the state machine judge the next change by its own state.
    effects.push({ type: "proposal_dropped", reason: "change_in_progress" });
  } else {
    const next = changed(current.configuration, change);
    if (next === undefined) effects.push({ type: "proposal_dropped", reason: "invalid_change" });
    else if (!canCommit(draft, next)) {
      effects.push({ type: "proposal_dropped", reason: "quorum_behind" });
    } else if (!isHeard(turn, next)) {
      effects.push({ type: "proposal_dropped", reason: "quorum_silent" });
    } else if (!hasWhole(turn, next)) {
      effects.push({ type: "proposal_dropped", reason: "voters_lacking" });
    } else propose(turn, change, next);
  }
}

/**
 * Whether a quorum of `next` can get by entries what it lacks. A change is in force from the moment
 * it is in the log, so who needs a snapshot to acknowledge it may wait for ever: snapshots are of
 * what is applied, and do not know new members yet.
 */
function canCommit(draft: Draft, next: Configuration): boolean {
  const { config, durable, log, peers } = draft;
  const reached = quorumValue(next, (voter) => {
    if (voter === config.id) return durable;
    return peers.find(({ peer }) => peer === voter)?.matched ?? 0;
  });
  return reached >= log.base;
}

/**
 * Whether a quorum of `next` was heard within an election timeout. Whoever proposes the change has
 * older news than the leader: where a learner falls silent on its way to be the second voter, the
 * group that made it one could never commit anything again, the way back included. Of whom nothing
 * is known yet nothing is held against.
 */
function isHeard({ draft, now }: Turn, next: Configuration): boolean {
  const { config, peers } = draft;
  const heardMs = quorumValue(next, (voter) => {
    if (voter === config.id) return now;
    return peers.find(({ peer }) => peer === voter)?.heardMs ?? now;
  });
  return now - heardMs < config.electionMs;
}

/**
 * Whether some voter of `next` has its data. Who lacks it is sent it by its leader; where all who
 * may lead do, what learners still have would reach nobody.
 */
function hasWhole({ draft, now }: Turn, next: Configuration): boolean {
  const { config, lacking, peers } = draft;
  const isWhole = (voter: PeerId): boolean => {
    if (voter === config.id) return !lacking;
    const known = peers.find(({ peer }) => peer === voter);
    return known === undefined || !isLacking(known, now, config.electionMs);
  };
  return next.voters.some(isWhole);
}

function propose(turn: Turn, change: ConfigurationChange, configuration: Configuration): void {
  const data = encodeConfigurationEntry({ change, configuration }, createWire());
  const first = appendOwn(turn, "configuration", [data]);
  turn.effects.push({ type: "proposed", first, term: turn.draft.term });
}

/**
 * Leaves a joint configuration that is committed and asks for it, as soon as somebody who stays a
 * voter has its data: until then one that goes may lead, and send it. Returns whether it did.
 */
export function leaveJoint(turn: Turn): boolean {
  const { draft } = turn;
  const { index, configuration } = inForce(draft.history);
  if (!isJoint(configuration) || !configuration.autoLeave) return false;
  if (draft.commit < index || draft.commit < draft.termStart) return false;
  const change: ConfigurationChange = { changes: [], context: EMPTY_BYTES };
  const next = changed(configuration, change);
  if (next === undefined || !hasWhole(turn, next)) return false;
  const data = encodeConfigurationEntry({ change, configuration: next }, createWire());
  appendOwn(turn, "configuration", [data]);
  return true;
}

/**
 * A leader that is no voter any more leads until that is committed (section 4.2.2), and then lets
 * the best of the others campaign at once. Returns whether it has stepped down.
 */
export function resignIfRemoved(turn: Turn): boolean {
  const { draft } = turn;
  const { index, configuration } = inForce(draft.history);
  if (draft.commit < index || isVoter(configuration, draft.config.id)) return false;
  const heir = heirOf(turn, configuration);
  const { term } = draft;
  const sentAt = sendStamp(draft, turn.now);
  if (heir !== NOBODY) send(turn, heir, { type: "timeout_now", term, sentAt });
  becomeFollower(turn, term, NOBODY);
  return true;
}

function heirOf(turn: Turn, configuration: Configuration): PeerId {
  const { peers, commit } = turn.draft;
  let heir = NOBODY;
  let best = commit - 1;
  for (const { peer, matched } of peers) {
    if (matched <= best || !configuration.voters.includes(peer)) continue;
    heir = peer;
    best = matched;
  }
  return heir;
}
