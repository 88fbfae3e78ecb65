/** Chapter 4 of the Raft thesis (membership), and sections 3.10 and 9.6 beside it. */
import { equal, is, ok } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { encodeConfigurationEntry } from "../../engine/raft/codec.ts";
import { NO_MEMBERS, inForce } from "../../engine/raft/configuration.ts";
import type { Configuration, ConfigurationChange, MemberChange } from "../../engine/raft/types.ts";
import * as query from "../../engine/raft/query.ts";
import { suite } from "../harness.ts";
import { Cluster, id, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: membership");
const { accepted, askVote, leaderWith, memberWith, vote, settledLeader } = talk;

const add = (peer: number): MemberChange => ({ type: "add_voter", peer: PeerId(peer) });
const learn = (peer: number): MemberChange => ({ type: "add_learner", peer: PeerId(peer) });
const remove = (peer: number): MemberChange => ({ type: "remove", peer: PeerId(peer) });
const change = (
  ...changes: MemberChange[]
): { type: "propose_change"; change: ConfigurationChange } => ({
  type: "propose_change",
  change: { changes, context: EMPTY_BYTES },
});
const force = (member: talk.Member): Configuration => inForce(member.state.history).configuration;

/** The data of a configuration entry. */
function entryOf(configuration: Configuration): Uint8Array {
  const change = { changes: [], context: EMPTY_BYTES };
  return encodeConfigurationEntry({ change, configuration }, createWire());
}

test("thesis 4.1: one voter is added or removed by one entry, without a joint configuration", () => {
  const leader = settledLeader();
  leader.input(change(add(4)));
  equal(force(leader), votersOf(1, 2, 3, 4));
});

test("thesis 4.1: a configuration is in force from the moment its entry is in the log", () => {
  const leader = settledLeader();
  leader.input(change(add(4)));
  const to = leader.sent("append_request").map((request) => request.to);
  ok(to.includes(PeerId(4)));
  leader.finish();
  // Two of four are no majority any more.
  leader.receive(2, accepted(1, 2));
  is(leader.state.commit, 1);
  leader.receive(3, accepted(1, 2));
  is(leader.state.commit, 2);
});

test("thesis 4.1: a follower uses the latest configuration in its log, and the one before when that is removed", () => {
  const member = memberWith({ id: 2 });
  const four = votersOf(1, 2, 3, 4);
  const five = votersOf(1, 2, 3, 4, 5);
  const lines = [four, five].map((configuration, at) => ({
    index: LogIndex(1 + at),
    term: Term(1),
    type: "configuration" as const,
    data: entryOf(configuration),
  }));
  member.receive(1, { ...talk.append(1, [0, 0]), entries: lines });
  equal(force(member), five);
  member.receive(3, talk.append(2, [1, 1], [[2, "x"]]));
  equal(force(member), four);
  member.receive(1, talk.append(3, [0, 0], [[3, "y"]]));
  equal(force(member), votersOf(1, 2, 3));
});

test("thesis 4.1: the next change must wait until the last one is committed", () => {
  const leader = settledLeader();
  leader.input(change(add(4)));
  leader.look();
  leader.input(change(add(5)));
  equal(leader.took("proposal_dropped")[0]?.reason, "change_in_progress");
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 2));
  leader.finish();
  leader.look();
  leader.input(change(add(5)));
  equal(leader.took("proposed").length, 1);
});

test("thesis 4.1 (correction of 2015), R02: a leader changes nothing before an entry of its own term is committed", () => {
  const leader = leaderWith();
  leader.input(change(add(4)));
  equal(leader.took("proposal_dropped")[0]?.reason, "change_in_progress");
  leader.receive(2, accepted(1, 1));
  leader.finish();
  leader.look();
  leader.input(change(add(4)));
  equal(leader.took("proposed").length, 1);
});

test("thesis 4.2.1: a learner gets the log, and neither votes nor counts", () => {
  const leader = settledLeader();
  leader.input(change(learn(4)));
  leader.receive(2, accepted(1, 2));
  leader.finish();
  leader.look();
  leader.propose("a");
  leader.finish();
  ok(leader.sent("append_request").length > 0);
  leader.receive(4, accepted(1, 3));
  is(leader.state.commit, 2);
  const learner = memberWith({ id: 4, configuration: { ...votersOf(1, 2, 3), learners: [id(4)] } });
  learner.tick(10_000);
  is(learner.state.role, "follower");
});

test("thesis 4.2.1: a new server catches up by a snapshot or from the start, then a learner becomes a voter", () => {
  const group = new Cluster({ codec: true });
  group.elect(1);
  group.propose(1, "a");
  group.settle();
  group.input(1, { type: "compact", index: group.state(1).applied });
  group.add(id(4));
  group.input(1, change(learn(4)));
  group.run(1000);
  is(group.log(4), "a");
  group.input(1, change(add(4)));
  group.run(500);
  equal(query.configuration(group.state(4)), votersOf(1, 2, 3, 4));
});

test("thesis 4.2.2: a leader that is removed leads until that is committed, without counting itself", () => {
  const leader = settledLeader();
  leader.input(change(remove(1)));
  leader.finish();
  leader.receive(2, accepted(1, 2));
  is(leader.state.commit, 1);
  is(leader.state.role, "leader");
  leader.receive(3, accepted(1, 2));
  is(leader.state.commit, 2);
  is(leader.state.role, "follower");
});

test("thesis 4.2.2: a leader that has removed itself lets another campaign at once", () => {
  const leader = settledLeader();
  leader.input(change(remove(1)));
  leader.finish();
  leader.receive(2, accepted(1, 2));
  leader.look();
  leader.receive(3, accepted(1, 2));
  is(leader.sent("timeout_now").length, 1);
});

test("thesis 4.2.2, Figure 4.6: a server that only an uncommitted entry removes still starts elections", () => {
  // Of two voters, 2 has removed itself, and 1 has not heard of it: only 2 can be elected.
  const group = new Cluster({ voters: 2 });
  group.elect(2);
  group.input(2, change(remove(2)));
  group.network = [];
  group.crash(2);
  group.restart(2);
  group.run(10_000);
  equal(group.leaders(), [1]);
  equal(query.configuration(group.state(1)), votersOf(1));
});

test("thesis 4.2.2: once it knows its removal to be committed a server never campaigns", () => {
  const configuration = votersOf(2, 3);
  const removed = memberWith({ configuration });
  removed.tick(10_000);
  removed.input({ type: "campaign" });
  is(removed.state.role, "follower");
  is(removed.state.term, 0);
});

test("thesis 4.2.3: a server that hears a leader ignores requests for votes, and their terms", () => {
  const member = memberWith();
  member.receive(2, talk.heartbeat(1));
  member.now += 999;
  member.receive(3, askVote(9, [9, 9]));
  is(member.state.term, 1);
  member.now += 1;
  member.receive(3, askVote(9, [9, 9]));
  is(member.state.term, 9);
});

test("thesis 4.3: a change of more voters goes through a joint configuration and leaves it by itself", () => {
  const leader = settledLeader();
  leader.input(change(add(4), add(5), remove(3)));
  equal(force(leader), {
    ...votersOf(1, 2, 4, 5),
    outgoing: [1, 2, 3].map(id),
    autoLeave: true,
  });
  leader.finish();
  leader.receive(2, accepted(1, 2));
  is(leader.state.commit, 1);
  leader.receive(4, accepted(1, 2));
  is(leader.state.commit, 2);
  equal(force(leader), votersOf(1, 2, 4, 5));
  is(leader.state.log.last, 3);
});

test("thesis 4.3: while joint, a decision needs a majority of the old voters as well as of the new", () => {
  const joint = { ...votersOf(3, 4, 5), outgoing: [1, 2, 3].map(id), autoLeave: true };
  const candidate = memberWith({ id: 3, configuration: joint });
  candidate.input({ type: "campaign" });
  candidate.finish();
  candidate.receive(4, vote(1));
  candidate.receive(5, vote(1));
  is(candidate.state.role, "candidate");
  candidate.receive(1, vote(1));
  is(candidate.state.role, "leader");
});

test("thesis 4.3: the leader that finds a committed joint configuration leaves it, whoever began it", () => {
  const joint = { ...votersOf(1, 2, 4), outgoing: [1, 2, 3].map(id), autoLeave: true };
  const leader = leaderWith({ configuration: joint });
  is(leader.state.log.last, 1);
  leader.receive(2, accepted(1, 1));
  equal(force(leader), votersOf(1, 2, 4));
});

test("thesis 4.3: a voter that is demoted votes until the joint configuration is left, and then learns", () => {
  const leader = settledLeader();
  leader.input(change(learn(3), add(4)));
  const { voters, outgoing, learners, learnersNext } = force(leader);
  equal([voters, outgoing, learners, learnersNext], [[1, 2, 4], [1, 2, 3], [], [3]]);
  leader.finish();
  for (const peer of [2, 4]) leader.receive(peer, accepted(1, 2));
  equal(force(leader), { ...votersOf(1, 2, 4), learners: [id(3)] });
});

test("thesis 4.3: a joint configuration survives a crash and a snapshot (R10)", () => {
  const leader = settledLeader();
  leader.input(change(add(4), remove(3)));
  leader.finish();
  const joint = force(leader);
  equal(force(leader.restarted()), joint);
  const member = memberWith({ id: 4, configuration: NO_MEMBERS });
  const metadata = { index: LogIndex(2), term: Term(1), configuration: joint };
  member.receive(1, { type: "snapshot", term: Term(1), metadata });
  member.finish();
  equal(force(member), joint);
});

test("changes that change nothing, name a peer twice, or leave nobody to vote are refused", () => {
  for (const changes of [
    [add(3)],
    [learn(4), add(4)],
    [remove(9)],
    [remove(1), remove(2), remove(3)],
    [],
  ]) {
    const leader = settledLeader();
    leader.input(change(...changes));
    equal(leader.took("proposal_dropped")[0]?.reason, "invalid_change");
    equal(force(leader), votersOf(1, 2, 3));
  }
});

test("a change that could only be committed by way of a snapshot is refused", () => {
  const leader = settledLeader();
  for (let i = 0; i < 3; i++) leader.input({ type: "propose", commands: [EMPTY_BYTES] });
  leader.finish();
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 4));
  leader.finish();
  leader.input({ type: "compact", index: LogIndex(4) });
  leader.look();
  leader.input(change(add(4), add(5), learn(2), learn(3)));
  equal(leader.took("proposal_dropped")[0]?.reason, "quorum_behind");
  equal(force(leader), votersOf(1, 2, 3));
  // Two of its three voters are known to have the log.
  leader.input(change(add(4), learn(3)));
  equal(force(leader).voters, [1, 2, 4]);
});

test("a change is refused while a quorum of its configuration is silent, and taken once it is heard", () => {
  const leader = settledLeader({ ...votersOf(1), learners: [id(2), id(3)] });
  // Two has fallen silent: as the second of two voters it would stop the group for good.
  leader.tick(1000);
  leader.receive(3, accepted(1, 1));
  leader.look();
  leader.input(change(add(2)));
  equal(leader.took("proposal_dropped")[0]?.reason, "quorum_silent");
  equal(force(leader).voters, [1]);
  leader.receive(2, accepted(1, 1));
  leader.input(change(add(2)));
  equal(force(leader).voters, [1, 2]);
});

test("a silent member is no obstacle where the others are a quorum: it may be replaced", () => {
  const leader = settledLeader({ ...votersOf(1, 2, 3), learners: [id(4)] });
  for (let i = 0; i < 2; i++) {
    leader.tick(500);
    for (const peer of [2, 4]) leader.receive(peer, accepted(1, 1));
  }
  leader.input(change(add(4), remove(3)));
  equal(force(leader).voters, [1, 2, 4]);
});

test("a change is refused while all its voters lack their data, and taken once one has it again", () => {
  const leader = settledLeader({ ...votersOf(1, 2), learners: [id(3)] });
  leader.receive(2, { type: "snapshot_request", term: Term(1), index: LogIndex(1) });
  leader.look();
  leader.input(change(remove(1)));
  equal(leader.took("proposal_dropped")[0]?.reason, "voters_lacking");
  for (let i = 0; i < 2; i++) {
    leader.tick(500);
    leader.receive(2, accepted(1, 1));
  }
  leader.input(change(remove(1)));
  equal(force(leader).voters, [2]);
});

test("a joint configuration is left when a voter that stays has its data", () => {
  const leader = settledLeader({ ...votersOf(1, 2), learners: [id(3)] });
  leader.receive(3, accepted(1, 1));
  leader.input(change(add(3), remove(1), remove(2)));
  leader.finish();
  leader.receive(3, { type: "snapshot_request", term: Term(1), index: LogIndex(1) });
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 2));
  equal([force(leader).voters, force(leader).outgoing], [[3], [1, 2]]);
  is(leader.state.commit, 2);
  for (let i = 0; i < 2; i++) {
    leader.tick(500);
    for (const peer of [2, 3]) leader.receive(peer, accepted(1, 2));
  }
  equal([force(leader).voters, force(leader).outgoing], [[3], []]);
});

test("a member that knows of no configuration never campaigns", () => {
  const member = talk.newMember({ configuration: NO_MEMBERS });
  member.tick(100_000);
  member.input({ type: "campaign" });
  is(member.state.role, "follower");
  is(member.state.term, 0);
});

test("R22: a member that knows nothing yet votes, and its vote survives a crash", () => {
  const member = talk.newMember({ configuration: NO_MEMBERS });
  member.receive(2, askVote(1, [0, 0]));
  const [persist] = member.look().filter(({ type }) => type === "persist");
  ok(persist !== undefined);
  member.finish();
  const again = member.restarted();
  is(again.state.vote, 2);
  again.now += 5000;
  again.receive(3, askVote(1, [5, 1]));
  is(again.sent("vote_response")[0]?.granted, false);
});

test.run();
