/**
 * The abstract state of a cluster: so little of it that runs come to the same ones again and again,
 * and so much that a new one is news. For each Raft group it is the bag of its members (role, term,
 * log and commit beside the furthest of them, learner, handing over, restoring, its process), with
 * the stage of the region and of the locks at whoever has just moved; as one number of 32 bits.
 *
 * It is looked at where a member's Raft state is another value than before, so a step that changes
 * nothing costs nothing.
 */
import { inForce, isJoint } from "../../engine/raft/configuration.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Group, Member } from "../checkers/group.ts";
import type { Machine, StoreMachine, World } from "../model.ts";

/** Mutable: by state, when a run first came to it, in virtual microseconds. */
export type Novelty = Map<number, number>;

const ROLES = { follower: 0, pre_candidate: 1, candidate: 2, leader: 3 } as const;
const STATUSES = { up: 0, paused: 1, down: 2, broken: 3 } as const;
/** Entries by which a log may lag and still count as nearly there. */
const NEAR = 8;

/** Notes the state that `group` has come to by a step of `machine`. */
export function noteState(world: World, novelty: Novelty, group: Group, machine: Machine): void {
  // When the faults are over all runs come to the same few states.
  if (world.phase !== "safety") return;
  const state = fold(groupCode(group), stageOf(group, machine));
  if (!novelty.has(state)) novelty.set(state, world.timeUs);
}

/** The same for groups whose members differ by nothing but their names. */
function groupCode(group: Group): number {
  let term = 0;
  let lastTerm = 0;
  let last = 0;
  let commit = 0;
  for (const { raft } of group.members.values()) {
    if (raft === undefined) continue;
    term = Math.max(term, raft.term);
    commit = Math.max(commit, raft.commit);
    if (raft.log.lastTerm < lastTerm) continue;
    last = raft.log.lastTerm > lastTerm ? raft.log.last : Math.max(last, raft.log.last);
    lastTerm = raft.log.lastTerm;
  }
  let sum = group.region === 0 ? 1 : 2;
  for (const member of group.members.values()) {
    if (member.raft === undefined) continue;
    sum = (sum + fold(memberCode(member, member.raft, { term, lastTerm, last, commit }), 1)) | 0;
  }
  return sum;
}

interface Furthest {
  readonly term: number;
  readonly lastTerm: number;
  readonly last: number;
  readonly commit: number;
}

function memberCode({ machine }: Member, raft: RaftState, furthest: Furthest): number {
  const { configuration } = inForce(raft.history);
  const lives = ROLES[raft.role] | (STATUSES[machine.status] << 2);
  const behind = Math.min(2, furthest.term - raft.term) | (logCode(raft, furthest) << 2);
  const flags =
    (raft.commit < furthest.commit ? 1 : 0) |
    (raft.transfer === undefined ? 0 : 2) |
    (raft.restoring === undefined ? 0 : 4) |
    (raft.lacking ? 8 : 0) |
    (isJoint(configuration) ? 16 : 0) |
    (configuration.learners.includes(raft.config.id) ? 32 : 0) |
    (configuration.voters.length << 6);
  return lives | (behind << 4) | (flags << 9);
}

/** How a log stands to the furthest one. */
function logCode({ log }: RaftState, furthest: Furthest): number {
  if (log.lastTerm < furthest.lastTerm) return log.last > furthest.last ? 4 : 3;
  if (log.last === furthest.last) return 0;
  return furthest.last - log.last <= NEAR ? 1 : 2;
}

/** What goes on in the region and with locks, where somebody has just moved. */
function stageOf({ region }: Group, machine: Machine): number {
  return machine.kind === "placement" ? 0 : 1 | (regionStage(region, machine) << 1);
}

function regionStage(region: number, { seen, state }: StoreMachine): number {
  const replica = seen.get(region);
  if (replica === undefined || state === undefined) return 0;
  const { waiting, held, running, resolving } = state.transactions;
  const locks =
    Math.min(2, waiting.size) |
    (held.bytes > 0 ? 4 : 0) |
    (Math.min(2, running.size) << 3) |
    (resolving.scans.length > 0 ? 32 : 0);
  const stage =
    (replica.incoming === undefined ? 0 : 1) |
    (replica.outgoing.length > 0 ? 2 : 0) |
    (replica.damaged === undefined ? 0 : 4) |
    (replica.splitAt > 0 ? 8 : 0) |
    (replica.extraction === undefined ? 0 : 16) |
    (replica.reads.length > 0 ? 32 : 0);
  return 1 | (locks << 1) | (stage << 8);
}

/** Two numbers as one that shows neither. */
function fold(a: number, b: number): number {
  const mixed = Math.imul(a ^ (a >>> 15) ^ Math.imul(b + 1, 0x9e3779b1), 0x2c1b3c6d);
  return Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15);
}
