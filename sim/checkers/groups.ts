/**
 * The Raft checkers of a group, called together. After every step of a server the groups that
 * changed are looked at again; a member whose state is the same value as before costs one
 * comparison.
 */
import type { PeerId } from "../../engine/base/ids.ts";
import { inForce } from "../../engine/raft/configuration.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { RaftMessage } from "../../engine/raft/types.ts";
import type { Machine, World } from "../model.ts";
import { checkCandidate } from "./candidates.ts";
import { checkChange } from "./changes.ts";
import { checkCommitted } from "./committed.ts";
import { checkConfiguration } from "./configurations.ts";
import { checkElection } from "./election-safety.ts";
import { checkLeases } from "./leases.ts";
import { checkLog } from "./log-matching.ts";
import { checkAboveSafePoint } from "./safe-points.ts";
import { checkMonotone } from "./monotone.ts";
import { groupOf, memberOf } from "./group.ts";
import { checkOwnTerm } from "./own-term.ts";
import { noteState } from "../search/novelty.ts";
import { markMember, markMessage } from "../search/raft-marks.ts";
import { checkAcknowledged, checkPromises, notePromise } from "./promises.ts";

/** Looks at one member after a step of its machine. */
export function lookAtMember(
  world: World,
  machine: Machine,
  region: number,
  peer: PeerId,
  raft: RaftState,
): void {
  const group = groupOf(world.checks.groups, region);
  const member = memberOf(group, peer, machine);
  const sameLife = member.incarnation === machine.incarnation && member.raft !== undefined;
  const before = sameLife ? member.raft : undefined;
  if (before === raft) return;
  if (before === undefined) {
    checkPromises(world, group, member, raft);
    // What a disk gave back is compared from its first entry on.
    member.logIndex = 0;
    member.logTerm = 0;
    member.committedIndex = 0;
  }
  checkMonotone(world, group, member, before, raft);
  checkElection(world, group, member, before, raft);
  checkLog(world, group, member, before, raft);
  const { committed } = group;
  const unknown = committed.first + committed.terms.length;
  checkCommitted(world, group, member, before, raft);
  if (raft.commit >= unknown) checkAboveSafePoint(world, group, member, raft, unknown);
  checkOwnTerm(world, group, member, before, raft);
  checkConfiguration(world, group, member, before, raft);
  checkChange(world, group, member, before, raft);
  checkCandidate(world, group, member, before, raft);
  member.machine = machine;
  member.raft = raft;
  member.incarnation = machine.incarnation;
  checkAcknowledged(world, group, member);
  checkLeases(world, group, member, before);
  if (before !== undefined) markMember(world, group, member, before);
  if (world.novelty !== undefined) noteState(world, world.novelty, group, machine);
  tellWatchers(world, machine, before, raft);
  const { transfer } = raft;
  if (transfer === undefined || transfer === before?.transfer) return;
  const heir = group.members.get(transfer.to)?.machine;
  if (heir === undefined) return;
  for (const watcher of world.heirWatchers) watcher(machine, heir);
}

function tellWatchers(
  world: World,
  machine: Machine,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  const stands = raft.role === "candidate" || raft.role === "leader";
  if (before?.role !== raft.role && stands) {
    for (const watcher of world.watchers) watcher(machine, "elections");
  }
  if (before === undefined || before.history === raft.history) return;
  if (inForce(before.history).index === inForce(raft.history).index) return;
  for (const watcher of world.watchers) watcher(machine, "changes");
}

/** Looks at a message that a member sends. */
export function lookAtMessage(
  world: World,
  machine: Machine,
  region: number,
  from: PeerId,
  to: PeerId,
  message: RaftMessage,
): void {
  const type = message.type;
  markMessage(world, message);
  if (type !== "vote_response" && type !== "append_response") return;
  const group = groupOf(world.checks.groups, region);
  notePromise(world, group, memberOf(group, from, machine), to, message);
}
