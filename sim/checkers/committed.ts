/**
 * State machine safety: there is one chain of committed entries, the same on every member; and
 * leader completeness: whoever becomes leader holds everything committed in earlier terms (Raft
 * paper, figure 3). Together with log matching, comparing terms is comparing entries.
 */
import type { LogIndex } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { termAt } from "../../engine/raft/log.ts";
import { passed, violated } from "./verdict.ts";
import { nameOf } from "./group.ts";

export function checkCommitted(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  if (before !== undefined && before.commit === raft.commit) return;
  const { committed } = group;
  const from = Math.max(member.committedIndex + 1, raft.log.base);
  for (let index = from; index <= raft.commit; index++) {
    const term = termAt(raft.log, index as LogIndex);
    if (term === undefined) continue;
    if (committed.terms.length === 0) committed.first = index;
    const at = index - committed.first;
    const known = committed.terms[at];
    if (known === undefined) {
      if (at !== committed.terms.length) continue;
      committed.terms.push(term);
      committed.seenIn.push(raft.term);
    } else if (known !== term) {
      violated(
        world,
        "state machine safety",
        `${nameOf(group, member)} has committed entry ${index} of term ${term}; ` +
          `entry ${index} was committed with term ${known}`,
      );
      return;
    }
  }
  passed(world, "state machine safety", Math.max(0, raft.commit - from + 1));
  member.committedIndex = raft.commit;
}

/** A new leader holds every entry that was committed in an earlier term. */
export function checkCompleteness(
  world: World,
  group: Group,
  member: Member,
  raft: RaftState,
): void {
  const { committed } = group;
  let at = committed.terms.length - 1;
  while (at >= 0 && (committed.seenIn[at] as number) >= raft.term) at -= 1;
  if (at < 0) return;
  const index = committed.first + at;
  passed(world, "leader completeness");
  if (index <= raft.log.base) return;
  const term = termAt(raft.log, index as LogIndex);
  if (term === committed.terms[at]) return;
  violated(
    world,
    "leader completeness",
    `${nameOf(group, member)} leads in term ${raft.term} without the committed entry ${index} ` +
      `of term ${committed.terms[at]}: it has ${term === undefined ? "nothing" : `term ${term}`} there`,
  );
}
