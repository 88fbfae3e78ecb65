/** Marks of Raft: what becomes of a member in a step, and what it says to others. */
import { inForce, isJoint, isVoter } from "../../engine/raft/configuration.ts";
import { leaseValid } from "../../engine/raft/lease.ts";
import { termAt } from "../../engine/raft/log.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { RaftMessage } from "../../engine/raft/types.ts";
import { readClock } from "../clock/clock.ts";
import type { Group, Member } from "../checkers/group.ts";
import type { World } from "../model.ts";
import { reached } from "./marks.ts";

/** Looks at a member of `group` whose state was `before` in the same life. */
export function markMember(world: World, group: Group, member: Member, before: RaftState): void {
  const { raft } = member;
  if (raft === undefined) return;
  if (raft.role !== before.role || raft.term !== before.term) {
    markRole(world, group, member, before, raft);
  }
  if (raft.log !== before.log) markLog(world, before, raft);
  if (raft.history !== before.history) markConfiguration(world, before, raft);
  if (raft.role === "leader" && before.role === "leader" && raft.term === before.term) {
    markLeader(world, before, raft);
  }
  if (before.restoring !== undefined && raft.restoring === undefined) {
    reached(world, "snapshot restored");
  }
}

function markRole(
  world: World,
  group: Group,
  member: Member,
  before: RaftState,
  raft: RaftState,
): void {
  const { role } = raft;
  if (role === "leader") {
    reached(world, "election won");
    if (group.region === 0) reached(world, "placement driver led anew");
    if (othersLive(group, member).some((other) => other.raft?.role === "leader")) {
      reached(world, "two leaders at once");
    }
  } else if (before.role === "leader") {
    reached(world, raft.term > before.term ? "leader deposed" : "leader resigned");
  } else if (role === "follower" && before.role === "candidate") {
    reached(world, "election lost");
  } else if (role === "follower" && before.role === "pre_candidate") {
    reached(world, "pre-election lost");
  }
  if (role === "pre_candidate" || role === "candidate") markLeases(world, group, member);
}

/** Somebody campaigns: whoever holds a lease now is why leases must not depend on elections. */
function markLeases(world: World, group: Group, member: Member): void {
  for (const { machine, raft } of othersLive(group, member)) {
    if (raft?.role !== "leader") continue;
    const now = readClock(machine.clock, world.timeUs).monotonicMs;
    if (leaseValid(raft, now)) reached(world, "lease held against a candidate");
  }
}

const othersLive = (group: Group, member: Member): Member[] =>
  [...group.members.values()].filter(
    (other) =>
      other !== member &&
      (other.machine.status === "up" || other.machine.status === "paused") &&
      other.machine.incarnation === other.incarnation,
  );

function markLog(world: World, before: RaftState, raft: RaftState): void {
  const { last, lastTerm } = before.log;
  if (raft.log.base >= last || last === before.log.base) return;
  const isGone = raft.log.last < last || termAt(raft.log, last) !== lastTerm;
  if (isGone) reached(world, "log conflict truncated");
}

function markConfiguration(world: World, before: RaftState, raft: RaftState): void {
  const { id } = raft.config;
  const old = inForce(before.history).configuration;
  const now = inForce(raft.history).configuration;
  if (old === now) return;
  if (isJoint(now) && !isJoint(old)) reached(world, "joint configuration entered");
  if (!isJoint(now) && isJoint(old)) reached(world, "joint configuration left");
  if (old.learners.includes(id) && isVoter(now, id)) reached(world, "learner promoted");
}

/** A leader that leads on. */
function markLeader(world: World, before: RaftState, raft: RaftState): void {
  const { termStart } = raft;
  if (raft.commit !== before.commit && before.commit < termStart - 1 && raft.commit >= termStart) {
    reached(world, "earlier term committed");
  }
  if (before.transfer !== undefined && raft.transfer === undefined) {
    reached(world, "transfer abandoned");
  }
  if (raft.reads.rounds.length < before.reads.rounds.length) reached(world, "read index confirmed");
}

/** Looks at a message that a member sends. */
export function markMessage(world: World, message: RaftMessage): void {
  switch (message.type) {
    case "vote_response":
      if (!message.granted) reached(world, message.pre ? "pre-vote refused" : "vote refused");
      return;
    case "append_response":
      if (message.rejected) reached(world, "append refused");
      return;
    case "timeout_now":
      return reached(world, "leadership transferred");
    case "snapshot_request":
      return reached(world, "snapshot demanded");
    case "read_index_request":
      return reached(world, "read index forwarded");
    case "read_index_response":
      if (message.index === 0) reached(world, "read index refused");
      return;
    default:
      return;
  }
}
