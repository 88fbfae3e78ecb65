/**
 * Leases do not overlap: at the moment a leader is elected, and whenever it commits, no other
 * member of the group may answer reads from a lease. Judged in true time, each lease by its own
 * node's clock. (A lease that outlives an election does no harm before the first commit; but voters
 * promise more than that, and the broken promise is seen far more often than its harm.)
 */
import type { RaftState } from "../../engine/raft/state.ts";
import type { World } from "../model.ts";
import type { Group, Member } from "./group.ts";
import { leaseValid } from "../../engine/raft/lease.ts";
import { readClock } from "../clock/clock.ts";
import { passed, violated } from "./verdict.ts";
import { nameOf } from "./group.ts";

/** Looks for other lease holders where `member` has just begun to lead or committed something. */
export function checkLeases(
  world: World,
  group: Group,
  member: Member,
  before: RaftState | undefined,
): void {
  const { raft } = member;
  if (raft === undefined || raft.role !== "leader") return;
  const isNew = before?.role !== "leader" || before.term !== raft.term;
  if (!isNew && before.commit === raft.commit) return;
  passed(world, "disjoint leases");
  for (const other of group.members.values()) {
    if (other === member || other.raft?.role !== "leader") continue;
    // A deposed leader may learn late that what it wrote is committed: its successor has it too.
    if (other.raft.term > raft.term) continue;
    const { machine } = other;
    const lives = machine.status === "up" || machine.status === "paused";
    if (!lives || machine.incarnation !== other.incarnation) continue;
    const now = readClock(machine.clock, world.timeUs).monotonicMs;
    if (!leaseValid(other.raft, now)) continue;
    violated(
      world,
      "disjoint leases",
      `${nameOf(group, member)} ${isNew ? "is elected" : "commits"} in term ${raft.term} while ` +
        `${nameOf(group, other)} still holds the lease of term ${other.raft.term}`,
    );
    return;
  }
}
