/**
 * One change of members at a time (Raft thesis, section 4.1, with its correction of 2015): a leader
 * appends a configuration only when the one before it is committed, and an entry of its own term as
 * well. Breaking it is the step before the harm, as two majorities need not meet any more; the harm
 * itself takes two leaders that come and go in turn.
 */
import { type Placed } from "../../engine/raft/configuration.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { nameOf } from "./group.ts";
import { passed, violated } from "./verdict.ts";

export function checkChange(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  if (before?.role !== "leader" || raft.role !== "leader" || before.term !== raft.term) return;
  if (before.history === raft.history) return;
  const { commit, history, term, termStart } = raft;
  for (const [i, { index }] of history.entries()) {
    if (index <= before.log.last) continue;
    passed(world, "one change at a time");
    const previous: Placed | undefined = history[i - 1];
    const problem =
      commit < termStart
        ? `has committed nothing of term ${term}, which began with entry ${termStart}`
        : previous !== undefined && commit < previous.index
          ? `has not committed the change before it, entry ${previous.index}`
          : undefined;
    if (problem === undefined) continue;
    const text = `${nameOf(group, member)} changes its members by entry ${index}, and ${problem}`;
    violated(world, "one change at a time", text);
  }
}
