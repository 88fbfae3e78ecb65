/** Section 5 of the Raft paper, a test a rule. */
import { equal, is, ok } from "uvu/assert";
import { suite } from "../harness.ts";
import { Cluster, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";
import type { Line } from "./conversation.ts";

const test = suite("raft: section 5 of the paper");
const { append, askVote, accepted, heartbeat, leaderWith, memberWith, newMember, vote } = talk;

// 5.1 Basics

test("5.1: a server without the leader's trust refuses proposals", () => {
  const member = memberWith();
  member.propose("a");
  equal(member.took("proposal_dropped")[0]?.reason, "not_leader");
});

test("5.1: terms only grow, and a message of an earlier one changes nothing", () => {
  const member = memberWith({ term: 5 });
  const before = member.state;
  for (const message of [vote(4), accepted(4, 3), talk.echo(4, 0)]) member.receive(2, message);
  equal(member.state, before);
});

// 5.2 Leader election

test("5.2: a server begins as a follower and remains one while it hears a leader", () => {
  const member = newMember();
  is(member.state.role, "follower");
  for (let i = 0; i < 50; i++) {
    member.receive(2, heartbeat(1));
    member.tick(900);
  }
  is(member.state.role, "follower");
});

test("5.2: a candidate that is refused by a majority follows again, and waits", () => {
  const member = memberWith();
  member.input({ type: "campaign" });
  member.finish();
  member.receive(2, vote(1, false));
  is(member.state.role, "candidate");
  member.receive(3, vote(1, false));
  is(member.state.role, "follower");
  ok(member.state.electionAtMs > member.now);
});

test("5.2: one server has one vote, however often it answers", () => {
  const member = memberWith({ configuration: votersOf(1, 2, 3, 4, 5) });
  member.input({ type: "campaign" });
  member.finish();
  member.receive(2, vote(1));
  member.receive(2, vote(1));
  is(member.state.role, "candidate");
});

test("5.2: a candidate does not yield to a leader of an earlier term", () => {
  const member = memberWith({ term: 3 });
  member.input({ type: "campaign" });
  member.receive(2, append(3, [0, 0]));
  is(member.state.role, "candidate");
});

test("5.2: election timeouts are drawn from a range, so that few servers campaign at once", () => {
  const drawn = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const { timeoutMs, config } = newMember({ config: { seed } }).state;
    ok(timeoutMs >= config.electionMs && timeoutMs < 2 * config.electionMs);
    drawn.add(timeoutMs);
  }
  ok(drawn.size > 150);
});

test("5.2: an election that nobody wins is followed by another with another timeout", () => {
  const member = memberWith();
  const timeouts = new Set<number>();
  for (let round = 0; round < 10; round++) {
    member.tick(2000);
    timeouts.add(member.state.timeoutMs);
  }
  is(member.state.term, 10);
  ok(timeouts.size > 5);
});

test("5.2: a candidate's own vote counts only when it is durable", () => {
  const member = memberWith({ configuration: votersOf(1) });
  member.input({ type: "campaign" });
  is(member.state.role, "candidate");
  member.finish();
  is(member.state.role, "leader");
});

// 5.3 Log replication

test("5.3: commands go to all followers at once, beside the leader's own write", () => {
  const leader = leaderWith();
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 1));
  leader.look();
  leader.propose("a");
  const kinds = leader.look().map(({ type }) => type);
  equal(kinds, ["proposed", "send", "send", "persist"]);
});

test("5.3: an unacknowledged append is repeated for as long as it takes", () => {
  const leader = leaderWith();
  leader.look();
  for (let round = 0; round < 20; round++) {
    leader.tick(100);
    leader.receive(2, talk.echo(1, leader.now));
    is(leader.sent("append_request").filter(({ to }) => to === 2).length, 1);
  }
});

test("5.3: what is committed is made known with the next messages, and then applied by followers", () => {
  const group = new Cluster();
  group.elect(1);
  group.propose(1, "a");
  group.settle();
  for (const [peer, log] of ["a", "", ""].entries()) is(group.log(peer + 1), log);
  group.propose(1, "b");
  group.settle();
  for (const [peer, log] of ["a b", "a", "a"].entries()) is(group.log(peer + 1), log);
  group.run(50);
  for (const peer of [1, 2, 3]) is(group.log(peer), "a b");
});

test("5.3: each member is told of a commit index once, by whatever leaves first", () => {
  const leader = leaderWith();
  leader.propose("a");
  leader.finish();
  leader.receive(2, accepted(1, leader.state.log.last));
  leader.receive(3, accepted(1, leader.state.log.last));
  leader.finish();
  leader.look();
  const told = (): readonly number[] => leader.sent("append_request").map(({ to }) => to);
  leader.tick(10);
  is(told().join(), "2,3", "the first tick tells both");
  leader.look();
  const before = leader.state;
  leader.tick(10);
  is(leader.state, before, "and then there is nothing to do");
});

test("5.3: a member whose answer is out is told of a commit index behind what it was sent", () => {
  const leader = leaderWith();
  leader.propose("a");
  leader.finish();
  leader.receive(2, accepted(1, leader.state.log.last));
  leader.receive(3, accepted(1, leader.state.log.last));
  leader.finish();
  leader.propose("b");
  leader.finish();
  leader.receive(2, accepted(1, leader.state.log.last));
  leader.finish();
  leader.look();
  leader.input({ type: "tell_commit" });
  const sent = leader.sent("append_request");
  is(sent.length, 2);
  for (const { to, previousIndex, commit } of sent) {
    is(previousIndex, leader.state.log.last, `${to} is asked for all it was sent`);
    is(commit, leader.state.log.last);
  }
});

test("5.3: a leader never changes or removes entries of its log", () => {
  const leader = leaderWith({
    log: [
      [1, "a"],
      [1, "b"],
    ],
  });
  leader.propose("c");
  leader.receive(2, talk.rejected(2, 2, [0, 0]));
  is(leader.terms(), "1122");
});

// Figure 7: the logs that followers may have when the leader of term 8 is elected.
const LEADER: readonly Line[] = "1114455666".split("").map((term) => [Number(term), `l${term}`]);
const FOLLOWERS: Readonly<Record<string, string>> = {
  a: "111445566",
  b: "1114",
  c: "11144556666",
  d: "111445566677",
  e: "1114444",
  f: "11122233333",
};

for (const [name, terms] of Object.entries(FOLLOWERS)) {
  test(`5.3, Figure 7 (${name}): the leader brings a follower with ${terms} to its own log`, () => {
    // Entries of the same index and term are the same entry everywhere (log matching).
    const log = terms.split("").map((term): Line => [Number(term), `l${term}`]);
    const leader = leaderWith({ log: LEADER, term: 7 });
    const follower = memberWith({ id: 2, log, term: 7 });
    follower.now += 2000;
    let rounds = 0;
    for (; follower.terms() !== "11144556668" && rounds < 20; rounds++) {
      leader.tick(100);
      leader.receive(2, talk.echo(8, leader.now));
      let requests = leader.sent("append_request").filter(({ to }) => to === 2);
      while (requests.length > 0) {
        for (const request of requests) follower.receive(1, request);
        follower.finish();
        for (const answer of follower.sent("append_response")) leader.receive(2, answer);
        requests = leader.sent("append_request").filter(({ to }) => to === 2);
      }
    }
    is(follower.terms(), "11144556668");
    is(rounds, 1);
  });
}

test("5.3: back-off takes a round a term, not a round an entry, from either side", () => {
  const long = (term: number, count: number): Line[] =>
    Array.from({ length: count }, () => [term, "x"]);
  const leader = leaderWith({ log: [[1, "a"], ...long(4, 500)], term: 4 });
  const follower = memberWith({
    id: 2,
    log: [[1, "a"], ...long(2, 300), ...long(3, 300)],
    term: 4,
  });
  follower.now += 2000;
  let refusals = 0;
  leader.tick(100);
  leader.receive(2, talk.echo(5, leader.now));
  for (let round = 0; round < 10; round++) {
    for (const request of leader.sent("append_request").filter(({ to }) => to === 2)) {
      follower.receive(1, request);
    }
    follower.finish();
    for (const answer of follower.sent("append_response")) {
      refusals += answer.rejected ? 1 : 0;
      leader.receive(2, answer);
    }
  }
  is(follower.state.log.last, 502);
  ok(refusals <= 3, `${refusals} refusals`);
});

// 5.4 Safety

test("5.4.1: a vote is refused to a candidate whose log ends in an earlier term, however long it is", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [3, "b"],
    ],
  });
  member.receive(2, askVote(4, [9, 2]));
  is(member.sent("vote_response")[0]?.granted, false);
});

test("5.4.1: of two logs that end in the same term the shorter loses", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [3, "b"],
    ],
  });
  member.receive(2, askVote(4, [1, 3]));
  is(member.sent("vote_response")[0]?.granted, false);
  member.receive(3, askVote(4, [2, 3]));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
});

test("5.4.2, Figure 8: an entry of an earlier term on a majority is not committed by counting", () => {
  const configuration = votersOf(1, 2, 3, 4, 5);
  const leader = leaderWith({
    configuration,
    log: [
      [1, "a"],
      [2, "b"],
    ],
    term: 3,
  });
  leader.receive(2, accepted(4, 2));
  leader.receive(3, accepted(4, 2));
  is(leader.state.commit, 0);
  leader.receive(2, accepted(4, 3));
  leader.receive(3, accepted(4, 3));
  is(leader.state.commit, 3);
});

// 5.5 Follower and candidate crashes

test("5.5: requests are idempotent: a repeated append changes nothing and is accepted again", () => {
  const member = memberWith();
  const request = append(
    1,
    [0, 0],
    [
      [1, "a"],
      [1, "b"],
    ],
    1,
  );
  member.receive(2, request);
  member.finish();
  member.look();
  const { log } = member.state;
  member.receive(2, request);
  is(member.state.log, log);
  is(member.sent("append_response")[0]?.index, 2);
});

test("5.5: a crash before the write is done leaves no trace of it", () => {
  const member = memberWith();
  member.receive(2, append(1, [0, 0], [[1, "a"]]));
  const again = member.restarted();
  is(again.state.log.last, 0);
  is(again.state.term, 0);
});

// 5.6 Timing and availability

test("5.6: a restarted server replays what it knows to be committed", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
      [1, "c"],
    ],
    commit: 2,
  });
  member.tick(0);
  equal(
    member.took("apply")[0]?.entries.map(({ index }) => index),
    [1, 2],
  );
});

test.run();
