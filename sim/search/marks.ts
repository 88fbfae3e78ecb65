/**
 * Situations that a good batch of runs has met. A check that never looks where it is hard finds
 * nothing: marks say whether anybody has been there. They are read off the engine's states,
 * messages and answers (`sim/search/*-marks.ts`), so the engine knows nothing of them.
 */
import type { World } from "../model.ts";

/** Every mark there is, and what has happened where it is reached. */
export const MARKS = {
  "election won": "a candidate becomes leader",
  "election lost": "a candidate follows somebody else",
  "pre-election lost": "who asks whether it would be elected gives up without standing",
  "pre-vote refused": "a voter says that it would not vote",
  "vote refused": "a voter does not vote for a candidate",
  "leader deposed": "a leader learns of a later term",
  "leader resigned": "a leader hears no quorum and follows nobody in its own term",
  "two leaders at once": "somebody is elected while a leader of an earlier term still leads",
  "lease held against a candidate": "a leader may read by its lease while another member campaigns",
  "log conflict truncated": "entries of a log give way to a later leader's",
  "append refused": "a follower lacks what stands before the entries it is sent",
  "earlier term committed": "entries of an earlier term are committed by one of the leader's own",
  "leadership transferred": "a leader tells a follower to stand at once",
  "transfer abandoned": "a leader that was handing over goes on leading",
  "snapshot restored": "a member's log and data are replaced by a snapshot",
  "snapshot demanded": "a member that has lost its data asks for a snapshot",
  "snapshot abandoned": "a snapshot that is being received is given up before it is whole",
  "joint configuration entered": "a member has a configuration of two majorities in force",
  "joint configuration left": "a member has a configuration of one majority again",
  "learner promoted": "a member that was a learner is a voter",
  "read index confirmed": "a quorum confirms a leader, and reads go on",
  "read index forwarded": "a follower asks its leader from where it may read",
  "read index refused": "a leader cannot say from where a follower may read",
  "placement driver led anew": "another leadership of the placement driver begins",
  "region split": "a region gives a part of its range to another",
  "replica created": "a store makes a replica of which it heard by a message",
  "replica destroyed": "a replica is no member any more and goes",
  "replica quarantined": "a replica is out of service, as its data is damaged",
  "replica rebuilt": "a replica that was damaged is in service again",
  "memtable flushed": "a frozen memtable is written to tables",
  "flushes queued": "two memtables or more wait to be written",
  "compaction into level 1": "tables of level 0 are merged down",
  "compaction into level 2": "tables of level 1 are merged down",
  "compaction into a deep level": "tables are merged into level 3 or below",
  "tables extracted": "tables are made of a region, to be sent",
  "torn tail cut": "a start cuts off what a crash has left half written",
  "disk full": "tables wait for room on the disk",
  "write refused for want of room": "a client is told that the disk is full",
  "store in trouble": "a store takes part in nothing any more, as its disk has failed it",
  "writes slowed down": "a write waits in line until the store lets it in",
  "server busy": "a client is told to come back later",
  "not the leader": "a client is sent to another replica",
  "region changed": "a client is told that its region is another one now",
  "read not settled": "a read of the past is refused, as it is not settled yet",
  "latest read not known": "a new leader does not know yet how late its predecessor has read",
  "pessimistic lock waited": "a pessimistic lock waits for another transaction",
  "pessimistic lock woken": "a pessimistic lock that waited is tried again",
  "deadlock found": "a transaction is told that it waits in a circle",
  "write conflict": "a transaction meets what was committed after it began",
  "lock met": "a transaction meets another's lock",
  "own rollback met": "a prewrite comes after its transaction was rolled back",
  "asynchronous commit": "a prewrite is as good as a commit",
  "asynchronous commit given up": "a store falls back to two phases",
  "one-phase commit": "a prewrite commits at once",
  "asynchronous commit resolved": "somebody else finds all of an asynchronous commit",
  "lock committed by another": "somebody else commits what a transaction has left",
  "lock rolled back by another": "somebody else rolls back what a transaction has left",
  "expired lock rolled back": "whoever asks for a transaction finds its time over",
  "expired pessimistic lock rolled back": "the same, where it had only locked pessimistically",
  "rollback of nothing": "whoever asks for a transaction finds no lock, and forbids it",
  "commit timestamp pushed": "a reader makes a transaction commit after it",
  "commit too early": "a commit's timestamp lies below what the lock allows",
  "commit without a lock": "a commit finds its lock gone",
  "locks held in memory": "pessimistic locks are kept by the leader alone",
  "garbage collected": "a store takes out versions that nobody may read any more",
  "window extended": "a leader of the placement driver stores a further window of time",
  "oracle refused": "a member of the placement driver grants no timestamp",
  "operator begun": "the placement driver orders a region to change",
} as const;

export type MarkName = keyof typeof MARKS;

/** How often each was reached in a run; those that were not are missing. Mutable. */
export type Marks = Map<MarkName, number>;

export const markNames = (): readonly MarkName[] => Object.keys(MARKS) as MarkName[];

/** Notes that the situation has come about. */
export function reached({ marks }: Pick<World, "marks">, name: MarkName): void {
  marks.set(name, (marks.get(name) ?? 0) + 1);
}

/** Adds the marks of one run to those of others. */
export function addMarks(sum: Marks, marks: ReadonlyMap<MarkName, number>): void {
  for (const [name, times] of marks) sum.set(name, (sum.get(name) ?? 0) + times);
}

/** Those that nobody has reached, in the order of the list. */
export const neverReached = (marks: ReadonlyMap<MarkName, number>): readonly MarkName[] =>
  markNames().filter((name) => !marks.has(name));
