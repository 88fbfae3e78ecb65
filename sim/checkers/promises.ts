/**
 * Promises that left a node survive its crash: a granted vote, and an acknowledged entry. They are
 * noted when the message is sent, whoever may receive it, and demanded when the node is back.
 */
import type { LogIndex, PeerId } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { AppendResponse, VoteResponse } from "../../engine/raft/types.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { termAt } from "../../engine/raft/log.ts";
import { passed, violated } from "./verdict.ts";
import { nameOf } from "./group.ts";

export function notePromise(
  world: World,
  group: Group,
  member: Member,
  to: PeerId,
  message: VoteResponse | AppendResponse,
): void {
  if (message.type === "vote_response") {
    if (!message.granted || message.pre) return;
    passed(world, "kept promises");
    const other = member.votes.get(message.term);
    if (other !== undefined && other !== to) {
      violated(
        world,
        "kept promises",
        `${nameOf(group, member)} votes for peer ${to} in term ${message.term}, ` +
          `in which it voted for peer ${other}`,
      );
      return;
    }
    member.votes.set(message.term, to);
    member.term = Math.max(member.term, message.term);
    return;
  }
  if (message.rejected) return;
  member.term = Math.max(member.term, message.term);
  // A later term may have replaced entries: only the newest leader's view of them counts.
  if (message.term > member.ackTerm) {
    member.ackTerm = message.term;
    member.ackIndex = message.index;
  } else if (message.term === member.ackTerm) {
    member.ackIndex = Math.max(member.ackIndex, message.index);
  }
}

/**
 * What a member has acknowledged to a leader equals the leader's own log: an acknowledgement that
 * reaches further than what was compared lets a leader commit what its followers do not hold.
 */
export function checkAcknowledged(world: World, group: Group, member: Member): void {
  const { raft, ackIndex, ackTerm } = member;
  if (raft === undefined || ackIndex === member.ackChecked || raft.term !== ackTerm) return;
  member.ackChecked = ackIndex;
  const leader = group.members.get(group.leaders.get(ackTerm) ?? (0 as PeerId))?.raft;
  if (leader === undefined || leader.role !== "leader" || leader.term !== ackTerm) return;
  passed(world, "kept promises");
  const known = termAt(leader.log, ackIndex as LogIndex);
  const own = termAt(raft.log, ackIndex as LogIndex);
  if (ackIndex <= leader.log.base || own === undefined || own === known) return;
  const there = known === undefined ? "missing" : `of term ${known}`;
  violated(
    world,
    "kept promises",
    `${nameOf(group, member)} has acknowledged entry ${ackIndex}, which is of term ${own} there ` +
      `and ${there} on the leader of term ${ackTerm}`,
  );
}

/** Looks at what a node found on its disk. */
export function checkPromises(world: World, group: Group, member: Member, raft: RaftState): void {
  if (member.incarnation < 0 && member.term === 0) return;
  passed(world, "kept promises");
  const name = nameOf(group, member);
  if (raft.term < member.term) {
    const text = `${name} is back in term ${raft.term}, but had sent promises of term ${member.term}`;
    return violated(world, "kept promises", text);
  }
  const vote = member.votes.get(raft.term);
  if (vote !== undefined && vote !== raft.vote) {
    const text = `${name} is back with a vote for ${raft.vote} in term ${raft.term}; it voted for ${vote}`;
    return violated(world, "kept promises", text);
  }
  const lastTerm = termAt(raft.log, raft.log.last) ?? 0;
  if (raft.log.last < member.ackIndex && lastTerm <= member.ackTerm) {
    violated(
      world,
      "kept promises",
      `${name} is back with entries up to ${raft.log.last} (term ${lastTerm}), but had ` +
        `acknowledged entry ${member.ackIndex} to the leader of term ${member.ackTerm}`,
    );
  }
}
