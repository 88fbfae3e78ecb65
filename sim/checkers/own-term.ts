/**
 * The commit rule: a leader counts replicas only for entries of its own term; what is older is
 * committed by what comes after it (Raft paper, section 5.4.2 and figure 8). Breaking it is the
 * step before the harm, and far more frequent than the harm: a later leader must still turn up that
 * lacks the entry.
 */
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { termAt } from "../../engine/raft/log.ts";
import { passed, violated } from "./verdict.ts";
import { nameOf } from "./group.ts";

export function checkOwnTerm(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
  raft: RaftState,
): void {
  // A leader of this term already before the step: nobody else can have told it of commits since.
  if (raft.role !== "leader" || before?.role !== "leader" || before.term !== raft.term) return;
  if (before.commit === raft.commit) return;
  passed(world, "own-term commits");
  const term = termAt(raft.log, raft.commit);
  if (term === raft.term || term === undefined) return;
  violated(
    world,
    "own-term commits",
    `${nameOf(group, member)} leads in term ${raft.term} and commits up to entry ` +
      `${raft.commit} of term ${term}, which a later leader may not have`,
  );
}
