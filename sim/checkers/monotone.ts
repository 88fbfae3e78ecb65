/**
 * What never goes back while a process lives (term, commit, applied), the one vote of a term, and
 * the order of progress: applied, committed, in the log; nothing is applied that is not durable.
 */
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { passed, violated } from "./verdict.ts";
import { nameOf } from "./group.ts";

export function checkMonotone(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  passed(world, "monotone state");
  const problem = ordered(raft) ?? (before === undefined ? undefined : forward(before, raft));
  if (problem !== undefined) {
    violated(world, "monotone state", `${nameOf(group, member)}: ${problem}`);
  }
}

function ordered(raft: RaftState): string | undefined {
  if (raft.applied > raft.commit) return `applied ${raft.applied} > committed ${raft.commit}`;
  if (raft.commit > raft.log.last) return `committed ${raft.commit} > last ${raft.log.last}`;
  // A snapshot becomes the state at once, and is durable later; only entries have to be durable
  // first.
  if (raft.applied > Math.max(raft.durable, raft.restoring?.index ?? 0)) {
    return `applied ${raft.applied} > durable ${raft.durable}`;
  }
  if (raft.durable > raft.log.last) return `durable ${raft.durable} > last ${raft.log.last}`;
  return undefined;
}

function forward(before: RaftState, raft: RaftState): string | undefined {
  if (raft.term < before.term) return `term ${before.term} becomes ${raft.term}`;
  if (raft.term === before.term && before.vote !== 0 && raft.vote !== before.vote) {
    return `the vote for ${before.vote} in term ${raft.term} becomes one for ${raft.vote}`;
  }
  if (raft.commit < before.commit) return `commit ${before.commit} becomes ${raft.commit}`;
  if (raft.applied < before.applied) return `applied ${before.applied} becomes ${raft.applied}`;
  const a = before.durableHardState;
  const b = raft.durableHardState;
  if (b.term < a.term) return `the durable term ${a.term} becomes ${b.term}`;
  if (b.commit < a.commit) return `the durable commit ${a.commit} becomes ${b.commit}`;
  return undefined;
}
