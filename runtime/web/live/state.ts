/** What the film says of a server at a moment, in short. */
import {
  type Film,
  type MemberRole,
  ROLES,
  type Status,
  STATUSES,
} from "../../../sim/film/film.ts";
import { firstAt } from "../picture/scene.ts";

export interface Member {
  readonly group: number;
  readonly role: MemberRole;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly lease: boolean;
}

export interface ServerState {
  readonly status: Status;
  /** How far its wall clock is ahead. */
  readonly offsetUs: number;
  readonly members: readonly Member[];
}

export function serverAt(film: Film, node: number, timeUs: number): ServerState {
  const { statuses, clocks, states } = film;
  const last = (times: readonly number[], nodes: readonly number[]): number => {
    for (let row = firstAt(times, timeUs + 1) - 1; row >= 0; row--) {
      if (nodes[row] === node) return row;
    }
    return -1;
  };
  const status = STATUSES[statuses.status[last(statuses.timeUs, statuses.node)] ?? 2] ?? "down";
  const members = new Map<number, Member>();
  for (let row = firstAt(states.timeUs, timeUs + 1) - 1; row >= 0; row--) {
    const group = states.group[row] as number;
    if (states.node[row] !== node || members.has(group)) continue;
    members.set(group, {
      group,
      role: ROLES[states.role[row] as number] ?? "gone",
      term: states.term[row] as number,
      commit: states.commit[row] as number,
      applied: states.applied[row] as number,
      lease: states.lease[row] === 1,
    });
  }
  const present = [...members.values()].filter(({ role }) => role !== "gone");
  return {
    status,
    offsetUs: clocks.offsetUs[last(clocks.timeUs, clocks.node)] ?? 0,
    members: present.sort((a, b) => a.group - b.group),
  };
}
