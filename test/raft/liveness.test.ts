/** Check-quorum, pre-vote and priority: groups that keep, or get, a leader. */
import { equal, is, ok } from "uvu/assert";
import { suite } from "../harness.ts";
import { Cluster, id, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: check-quorum, pre-vote and priority");
const { askVote, heartbeat, memberWith, settledLeader } = talk;

// Check-quorum and pre-vote (thesis, sections 6.2 and 9.6)

test("thesis 6.2, R07: a leader that hears no quorum for an election timeout steps down", () => {
  const leader = settledLeader();
  leader.tick(999);
  is(leader.state.role, "leader");
  leader.tick(101);
  is(leader.state.role, "follower");
});

test("R07: members that see one another only over one of them elect a leader that commits", () => {
  const group = new Cluster({ voters: 5 });
  group.run(3000);
  const [old] = group.leaders();
  const hub = old === 1 ? 2 : 1;
  // The old leader and everyone else see the hub, and nobody else.
  const isLost = ({ from, to }: { from: number; to: number }): boolean =>
    from !== hub && to !== hub;
  group.run(10_000, isLost);
  equal(group.leaders(), [hub]);
  group.propose(hub, "a");
  group.run(500, isLost);
  is(group.log(old!), "a");
});

test("R07: a chain of three keeps a leader for as long as it holds", () => {
  const group = new Cluster();
  const isLost = ({ from, to }: { from: number; to: number }): boolean =>
    (from === 1 && to === 3) || (from === 3 && to === 1);
  group.run(8000, isLost);
  const { term } = group.state(2);
  is(group.leaders().length, 1);
  group.run(30_000, isLost);
  is(group.state(2).term, term);
});

test("thesis 9.6: a member cut off does not raise its term, and disturbs nobody when it returns", () => {
  const group = new Cluster();
  group.run(3000);
  const [leader] = group.leaders();
  const lonely = leader === 3 ? 2 : 3;
  const { term } = group.state(leader!);
  group.run(20_000, ({ from, to }) => from === lonely || to === lonely);
  is(group.state(lonely).term, term);
  group.run(2000);
  equal(group.leaders(), [leader]);
  is(group.state(lonely).leader, leader);
});

test("thesis 9.6: a pre-vote changes nothing on the voter, and is granted again to another", () => {
  const member = memberWith({ term: 1 });
  const { state } = member;
  for (const peer of [2, 3]) member.receive(peer, askVote(2, [0, 0], { pre: true }));
  equal(
    member.sent("vote_response").map(({ granted, term }) => [granted, term]),
    [
      [true, 2],
      [true, 2],
    ],
  );
  equal(member.state, state);
});

test("thesis 9.6: a pre-candidate needs a majority before it raises its term", () => {
  const member = memberWith({ config: { preVote: true } });
  member.input({ type: "campaign" });
  is(member.state.role, "pre_candidate");
  is(member.state.term, 0);
  member.receive(2, talk.vote(1, true, true));
  is(member.state.role, "candidate");
  is(member.state.term, 1);
});

test("R06: a member of a later term answers an earlier leader, which then follows it", () => {
  const member = memberWith({ id: 2, term: 9 });
  const leader = settledLeader();
  member.receive(1, heartbeat(1));
  const [answer] = member.sent("append_response");
  is(answer?.term, 9);
  leader.receive(2, answer!);
  is(leader.state.role, "follower");
  is(leader.state.term, 9);
});

test("R09: a learner that has not heard of its promotion votes when asked", () => {
  const member = memberWith({ configuration: { ...votersOf(1, 2), learners: [id(3)] }, id: 3 });
  member.receive(2, askVote(1, [4, 1]));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
});

test("a candidate that hears nobody does not keep the others from leading, whatever they drew", () => {
  // It asks anew before anybody's timeout is over, and never hears of its votes.
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const member = memberWith({ config: { seed } });
    const drawn = new Set<number>();
    for (let round = 1; round <= 20 && member.state.role === "follower"; round++) {
      member.receive(2, askVote(round, [0, 0]));
      member.finish();
      is(member.sent("vote_response").at(-1)?.granted, true);
      drawn.add(member.state.timeoutMs);
      member.tick(member.state.config.electionMs - 1);
    }
    ok(drawn.size > 15, `the seed ${seed} draws ${drawn.size} timeouts in 20 rounds`);
  }
});

// Priority

test("between equal logs the higher priority leads: it refuses, and campaigns itself", () => {
  const member = memberWith({ config: { priority: 5 } });
  member.receive(2, askVote(1, [0, 0], { priority: 1 }));
  is(member.sent("vote_response")[0]?.granted, false);
  member.tick(1);
  is(member.state.role, "candidate");
});

test("priority yields to a longer log, and to anyone once its owner has failed", () => {
  const member = memberWith({ config: { priority: 5 } });
  member.receive(2, askVote(1, [1, 1], { priority: 1 }));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
  const failed = memberWith({ config: { priority: 5 } });
  failed.input({ type: "campaign" });
  failed.finish();
  failed.now += 2000;
  failed.receive(2, askVote(2, [0, 0], { priority: 1 }));
  failed.finish();
  is(failed.sent("vote_response").at(-1)?.granted, true);
});

test.run();
