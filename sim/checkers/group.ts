/**
 * What the Raft checkers know of each group: all members as they were last seen, over crashes and
 * restarts.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { PeerId } from "../../engine/base/ids.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Machine } from "../model.ts";

/** Mutable, as is everything below: one for each run. */
export interface GroupChecker {
  readonly groups: Map<number, Group>;
}

export interface Group {
  /** 0 for the placement driver. */
  readonly region: number;
  readonly leaders: Map<number, PeerId>;
  /** Of each entry seen, by `entryKey`: a hash of the entry and of the term before it. */
  readonly entries: Map<number, number>;
  readonly committed: Committed;
  /** Of each configuration entry seen, by `entryKey`, the configuration in words. */
  readonly configurations: Map<number, string>;
  /** Those that were committed, in the order of the log, and where. */
  readonly settled: { readonly index: number; readonly words: string }[];
  readonly members: Map<PeerId, Member>;
  /** Its range, as the replica knew it that was furthest; undefined while nobody has any data. */
  range: Range | undefined;
}

/** Keys from `start` up to `end`, exclusive; an empty one is no bound. */
export interface Range {
  readonly start: Key;
  readonly end: Key;
  /** Of the region's epoch. */
  readonly version: number;
}

/** The one chain of committed entries: terms from index `first` on. */
export interface Committed {
  first: number;
  readonly terms: number[];
  /** In which term each was first seen committed. */
  readonly seenIn: number[];
}

export interface Member {
  readonly peer: PeerId;
  machine: Machine;
  /** As last seen, in this incarnation of the machine. */
  raft: RaftState | undefined;
  incarnation: number;
  /** Whether its log has been compared up to its last entry: that entry, and the committed part. */
  logIndex: number;
  logTerm: number;
  committedIndex: number;
  /** What it has told others, which a crash must not make untrue. */
  readonly votes: Map<number, PeerId>;
  ackIndex: number;
  ackTerm: number;
  /** The last acknowledged index that was compared with the leader's log. */
  ackChecked: number;
  /** Greatest persisted values ever seen. */
  term: number;
}

export const groupChecker = (): GroupChecker => ({ groups: new Map() });

/** Two integers below 2^32 and 2^21 as one number. */
export const entryKey = (index: number, term: number): number => term * 0x100000000 + index;

export function groupOf(checker: GroupChecker, region: number): Group {
  let group = checker.groups.get(region);
  if (group === undefined) {
    group = {
      region,
      leaders: new Map(),
      entries: new Map(),
      committed: { first: 0, terms: [], seenIn: [] },
      configurations: new Map(),
      settled: [],
      members: new Map(),
      range: undefined,
    };
    checker.groups.set(region, group);
  }
  return group;
}

export function memberOf(group: Group, peer: PeerId, machine: Machine): Member {
  let member = group.members.get(peer);
  if (member === undefined) {
    member = {
      peer,
      machine,
      raft: undefined,
      incarnation: -1,
      logIndex: 0,
      logTerm: 0,
      committedIndex: 0,
      votes: new Map(),
      ackIndex: 0,
      ackTerm: 0,
      ackChecked: 0,
      term: 0,
    };
    group.members.set(peer, member);
  }
  return member;
}

/** The member in words, as in `peer 7 of region 2 on store 3`. */
export function nameOf(group: Group, member: Member): string {
  if (group.region === 0) return member.machine.name;
  return `peer ${member.peer} of region ${group.region} on ${member.machine.name}`;
}
