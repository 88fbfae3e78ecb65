/**
 * Who may stand: a voter of the configuration in force, or one that is only about to be none, as
 * the entry that removes it is not known to be committed and it may be the only one to have it
 * (Raft thesis, section 4.2.2). Anybody else that stands disturbs a group it has no part in.
 */
import { inForce, isVoter } from "../../engine/raft/configuration.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { inWords } from "./configurations.ts";
import { nameOf } from "./group.ts";
import { passed, violated } from "./verdict.ts";

export function checkCandidate(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  if (raft.role !== "candidate" && raft.role !== "pre_candidate") return;
  if (before?.role === raft.role && before.term === raft.term) return;
  passed(world, "candidates");
  const { index, configuration } = inForce(raft.history);
  const previous = raft.history.at(-2);
  if (isVoter(configuration, member.peer)) return;
  if (index > raft.commit && previous !== undefined) {
    if (isVoter(previous.configuration, member.peer)) return;
  }
  const text = `${nameOf(group, member)} stands for election in term ${raft.term}, and is no voter`;
  violated(world, "candidates", `${text}: ${inWords(configuration)}`);
}
