/** Figure 2 of the Raft paper, a test a sentence. */
import { equal, is, ok } from "uvu/assert";
import { step } from "../../engine/raft/step.ts";
import { suite } from "../harness.ts";
import { Cluster } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: Figure 2");
const { append, askVote, accepted, heartbeat, leaderWith, memberWith, vote } = talk;

// State

test("Figure 2, state: term, vote and log are updated on stable storage before responding", () => {
  const member = memberWith();
  member.receive(2, askVote(1, [0, 0]));
  const [persist] = member.look();
  equal(persist?.type, "status");
  is(member.sent("vote_response").length, 0);
  member.finish();
  is(member.sent("vote_response").length, 1);
  member.receive(2, append(1, [0, 0], [[1, "a"]]));
  is(member.sent("append_response").length, 0);
  member.finish();
  is(member.sent("append_response").length, 1);
});

test("Figure 2, state: a leader begins with next behind its last entry and match at 0", () => {
  const leader = leaderWith({ log: [[1, "a"]] });
  for (const { next, matched } of leader.state.peers) {
    is(matched, 0);
    // Its own first entry was index 2; a probe does not move `next`.
    is(next, 2);
  }
});

// RequestVote, receiver

test("Figure 2, RequestVote 1: a request of an earlier term is refused", () => {
  const member = memberWith({ term: 3 });
  member.receive(2, askVote(2, [9, 2]));
  const [answer] = member.sent("vote_response");
  is(answer?.granted, false);
  is(answer?.term, 3);
});

test("Figure 2, RequestVote 2: a free vote goes to a candidate whose log is as good", () => {
  const member = memberWith({ log: [[1, "a"]] });
  member.receive(2, askVote(2, [1, 1]));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
  is(member.state.durableHardState.vote, 2);
});

test("Figure 2, RequestVote 2: a vote already given is given to the same candidate only", () => {
  const member = memberWith({ term: 2, vote: 2 });
  member.receive(3, askVote(2, [9, 1]));
  is(member.sent("vote_response")[0]?.granted, false);
  member.receive(2, askVote(2, [9, 1]));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
});

test("Figure 2, RequestVote 2: a vote survives a crash", () => {
  const member = memberWith();
  member.receive(2, askVote(1, [0, 0]));
  member.finish();
  const again = member.restarted();
  again.now += 10_000;
  again.receive(3, askVote(1, [9, 1]));
  is(again.sent("vote_response")[0]?.granted, false);
});

// AppendEntries, receiver

test("Figure 2, AppendEntries 1: a request of an earlier term is refused", () => {
  const member = memberWith({ term: 3 });
  member.receive(2, append(2, [0, 0], [[2, "a"]]));
  const [answer] = member.sent("append_response");
  is(answer?.rejected, true);
  is(answer?.term, 3);
  is(member.state.log.last, 0);
});

test("Figure 2, AppendEntries 2: a request is refused where the log lacks the previous entry", () => {
  const member = memberWith({ log: [[1, "a"]] });
  member.receive(2, append(2, [2, 1], [[2, "c"]]));
  is(member.sent("append_response")[0]?.rejected, true);
  member.receive(2, append(2, [1, 2], [[2, "b"]]));
  is(member.sent("append_response")[0]?.rejected, true);
  is(member.terms(), "1");
});

test("Figure 2, AppendEntries 3: an entry that conflicts is removed with all that follow it", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
      [1, "c"],
      [1, "d"],
    ],
  });
  member.receive(2, append(2, [1, 1], [[2, "B"]]));
  is(member.terms(), "12");
});

test("Figure 2, AppendEntries 3: entries that agree are kept, and those behind them too", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
      [1, "c"],
    ],
  });
  member.receive(2, append(1, [0, 0], [[1, "a"]]));
  is(member.terms(), "111");
});

test("Figure 2, AppendEntries 4: entries that are not in the log are appended", () => {
  const member = memberWith({ log: [[1, "a"]] });
  member.receive(
    2,
    append(
      2,
      [0, 0],
      [
        [1, "a"],
        [2, "b"],
        [2, "c"],
      ],
    ),
  );
  is(member.terms(), "122");
  const [persist] = member.took("persist");
  equal(
    persist?.entries.map(({ index }) => index),
    [2, 3],
  );
});

test("Figure 2, AppendEntries 5: the commit index is the lesser of the leader's and the last new entry", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
      [1, "c"],
    ],
  });
  member.receive(
    2,
    append(
      1,
      [0, 0],
      [
        [1, "a"],
        [1, "b"],
      ],
      3,
    ),
  );
  is(member.state.commit, 2);
  member.receive(2, append(1, [2, 1], [[1, "c"]], 1));
  is(member.state.commit, 2);
  member.receive(2, append(1, [3, 1], [], 3));
  is(member.state.commit, 3);
});

// Rules for servers

test("Figure 2, all servers: what is committed is applied in the order of the log", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
    ],
  });
  member.receive(2, append(1, [2, 1], [[1, "c"]], 3));
  member.finish();
  const applied = member.took("apply").flatMap(({ entries }) => entries.map(({ index }) => index));
  equal(applied, [1, 2, 3]);
});

test("Figure 2, all servers: a later term in any message makes a follower of that term", () => {
  const messages = [
    append(9, [0, 0]),
    heartbeat(9),
    askVote(9, [0, 0]),
    vote(9, false),
    accepted(9, 0),
    talk.echo(9, 0),
  ];
  for (const message of messages) {
    for (const member of [memberWith(), leaderWith()]) {
      // Nobody was heard for long: no promise stands against the candidate.
      member.now += 2000;
      member.receive(2, message);
      is(member.state.term, 9);
      is(member.state.role, "follower");
    }
  }
});

test("Figure 2, followers: a follower answers candidates and leaders, and sends nothing by itself", () => {
  const member = memberWith();
  member.tick(100);
  equal(member.look(), []);
});

test("Figure 2, followers: an election timeout without a leader's message or a vote makes a candidate", () => {
  const member = memberWith();
  member.tick(1499);
  is(member.state.role, "follower");
  member.tick(1);
  is(member.state.role, "candidate");
  const heard = memberWith();
  heard.now += 1400;
  heard.receive(2, heartbeat(1));
  heard.tick(999);
  is(heard.state.role, "follower");
  const voted = memberWith();
  voted.now += 1400;
  voted.receive(2, askVote(1, [0, 0]));
  voted.tick(999);
  is(voted.state.role, "follower");
});

test("Figure 2, followers: a vote that is refused does not put off the election", () => {
  const member = memberWith({ log: [[3, "a"]] });
  const { electionAtMs } = member.state;
  member.receive(2, askVote(4, [1, 2]));
  is(member.state.electionAtMs, electionAtMs);
});

test("Figure 2, candidates: a candidate raises its term, votes for itself, and asks all others", () => {
  const member = memberWith({ term: 4 });
  member.input({ type: "campaign" });
  is(member.state.term, 5);
  is(member.state.vote, 1);
  ok(member.state.electionAtMs > member.now);
  member.finish();
  equal(
    member.sent("vote_request").map(({ to, term }) => [to, term]),
    [
      [2, 5],
      [3, 5],
    ],
  );
});

test("Figure 2, candidates: votes of a majority make a leader", () => {
  const member = memberWith();
  member.input({ type: "campaign" });
  member.finish();
  is(member.state.role, "candidate");
  member.receive(3, vote(1));
  is(member.state.role, "leader");
});

test("Figure 2, candidates: an append of the new leader makes a follower", () => {
  const member = memberWith();
  member.input({ type: "campaign" });
  member.receive(2, append(1, [0, 0]));
  is(member.state.role, "follower");
  is(member.state.leader, 2);
});

test("Figure 2, candidates: another election timeout begins another election", () => {
  const member = memberWith();
  member.input({ type: "campaign" });
  member.tick(2000);
  is(member.state.role, "candidate");
  is(member.state.term, 2);
});

test("Figure 2, leaders: upon election every other member hears of it at once, and then periodically", () => {
  const member = memberWith();
  member.input({ type: "campaign" });
  member.finish();
  member.look();
  member.receive(2, vote(1));
  equal(
    member.sent("append_request").map(({ to }) => to),
    [2, 3],
  );
  member.tick(100);
  equal(
    member.sent("heartbeat_request").map(({ to }) => to),
    [2, 3],
  );
});

test("Figure 2, leaders: a command is appended, and answered after it is applied", () => {
  const leader = leaderWith();
  leader.propose("a");
  const [proposed] = leader.took("proposed");
  is(proposed?.first, 2);
  leader.finish();
  equal(leader.took("apply"), []);
  leader.receive(2, accepted(1, 2));
  equal(
    leader.took("apply").flatMap(({ entries }) => entries.map(({ index }) => index)),
    [1, 2],
  );
});

test("Figure 2, leaders: a follower is sent the log from its next index on", () => {
  const leader = leaderWith();
  leader.receive(2, accepted(1, 1));
  leader.look();
  leader.propose("a", "b");
  const [request] = leader.sent("append_request").filter(({ to }) => to === 2);
  is(request?.previousIndex, 1);
  is(request?.entries.length, 2);
});

test("Figure 2, leaders: success moves a follower's next and match", () => {
  const leader = leaderWith();
  leader.propose("a");
  leader.receive(3, accepted(1, 2));
  const peer = leader.state.peers[1]!;
  is(peer.matched, 2);
  is(peer.next, 3);
});

test("Figure 2, leaders: inconsistency lowers next, and the append is tried again", () => {
  const leader = leaderWith({
    log: [
      [1, "a"],
      [1, "b"],
      [1, "c"],
    ],
  });
  leader.receive(2, talk.rejected(2, 3, [1, 1]));
  const [retry] = leader.sent("append_request");
  is(retry?.previousIndex, 1);
});

test("Figure 2, leaders: what a majority holds is committed if it is of the leader's own term", () => {
  const leader = leaderWith({
    log: [
      [1, "a"],
      [1, "b"],
    ],
  });
  leader.receive(2, accepted(2, 2));
  is(leader.state.commit, 0);
  leader.receive(2, accepted(2, 3));
  is(leader.state.commit, 3);
});

test("Figure 3: of a seeded group's leaders there is never more than one a term, and the logs agree", () => {
  const group = new Cluster({ voters: 5, codec: true });
  group.run(3000);
  const [leader] = group.leaders();
  group.propose(leader!, "a", "b");
  group.run(500);
  for (const peer of [1, 2, 3, 4, 5]) is(group.log(peer), "a b");
});

test("a step leaves the state it was given as it was", () => {
  const leader = leaderWith();
  const before = leader.state;
  const copy = structuredClone(before);
  step(before, leader.now, { type: "propose", commands: [new Uint8Array(3)] });
  step(before, leader.now, {
    type: "received",
    from: before.peers[0]!.peer,
    message: accepted(1, 1),
  });
  equal(structuredClone(before), copy);
});

test.run();
