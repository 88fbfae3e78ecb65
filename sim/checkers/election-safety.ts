/** Election safety: at most one leader in a term (Raft paper, figure 3). */
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { narrate } from "../trace/trace.ts";
import { passed, violated } from "./verdict.ts";
import { checkCompleteness } from "./committed.ts";
import { nameOf } from "./group.ts";

export function checkElection(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  if (raft.role !== "leader") return;
  if (before?.role === "leader" && before.term === raft.term) return;
  passed(world, "election safety");
  const other = group.leaders.get(raft.term);
  if (other !== undefined && other !== member.peer) {
    const first = group.members.get(other);
    const name = first === undefined ? `peer ${other}` : nameOf(group, first);
    const text = `${nameOf(group, member)} leads in term ${raft.term}, in which ${name} leads`;
    violated(world, "election safety", text);
    return;
  }
  group.leaders.set(raft.term, member.peer);
  const what = group.region === 0 ? "the placement driver" : `region ${group.region}`;
  const text = `${member.machine.name} leads ${what} in term ${raft.term}`;
  narrate(world.trace, world.timeUs, "leader", text);
  checkCompleteness(world, group, member, raft);
}
