/**
 * Time as evidence of leadership: promises, leases, transfers, and reads.
 *
 * Long because leases, transfers and reads rest on one another, and are told of one cluster.
 */
import { equal, is, ok } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { encodeConfigurationEntry } from "../../engine/raft/codec.ts";
import * as query from "../../engine/raft/query.ts";
import { suite } from "../harness.ts";
import { Cluster, id, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: leases, transfers and reads");
const { accepted, append, askVote, echo, heartbeat, leaderWith, memberWith, newMember, ticket } =
  talk;

/** A leader of three whose first entry is committed and applied. The clock shows 5000. */
function settledLeader(): talk.Member {
  const leader = leaderWith();
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 1));
  leader.finish();
  leader.look();
  return leader;
}

const holds = (leader: talk.Member): boolean => query.leaseValid(leader.state, leader.now);

// Leases

test("C01: a lease counts from when the message was sent, not from when its echo came", () => {
  const leader = settledLeader();
  leader.tick(100);
  leader.now += 500;
  leader.receive(2, echo(1, 5100));
  ok(holds(leader));
  leader.now = 5100 + 899;
  ok(holds(leader));
  leader.now += 1;
  ok(!holds(leader));
});

test("C01: however long a leader was stopped, its lease has run out when it goes on", () => {
  const leader = settledLeader();
  leader.tick(100);
  leader.receive(2, echo(1, 5100));
  leader.now += 60_000;
  ok(!holds(leader));
  leader.input({ type: "tick" });
  is(leader.state.role, "follower");
});

test("a lease needs the echo of a quorum, and an entry of the leader's own term applied", () => {
  const leader = leaderWith();
  leader.receive(2, echo(1, 5000));
  ok(!holds(leader));
  leader.receive(2, accepted(1, 1, 5000));
  ok(!holds(leader));
  leader.finish();
  ok(holds(leader));
  const five = leaderWith({ configuration: votersOf(1, 2, 3, 4, 5) });
  five.receive(2, accepted(1, 1, 4000));
  five.receive(3, accepted(1, 1, 4000));
  five.finish();
  five.receive(2, echo(1, 5000));
  ok(!holds(five));
  five.receive(4, echo(1, 5000));
  ok(holds(five));
});

test("an echo from the future extends no lease", () => {
  const leader = settledLeader();
  leader.now += 10_000;
  for (const peer of [2, 3]) leader.receive(peer, echo(1, 99_000));
  ok(!holds(leader));
});

test("without check-quorum there are no leases, for nobody promises anything", () => {
  const leader = leaderWith({ config: { checkQuorum: false } });
  leader.receive(2, accepted(1, 1, 5000));
  leader.finish();
  ok(!holds(leader));
});

test("a promise outlives the term in which it was given", () => {
  const member = memberWith();
  member.receive(2, heartbeat(1));
  member.receive(3, talk.vote(7, false));
  is(member.state.term, 7);
  member.now += 900;
  member.receive(3, askVote(8, [9, 9]));
  is(member.state.term, 7);
});

test("R23: after a restart a member votes for nobody during one election timeout, and then does", () => {
  const member = memberWith({ term: 1 }).restarted();
  member.tick(999);
  member.receive(3, askVote(2, [9, 9]));
  member.receive(3, askVote(2, [9, 9], { pre: true }));
  member.receive(3, askVote(2, [9, 9], { transfer: 99_999 }));
  member.finish();
  ok(member.sent("vote_response").every(({ granted }) => !granted));
  member.now += 1;
  member.receive(3, askVote(2, [9, 9]));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
});

test("R23: nor does it campaign for itself in that time, unless it is the only voter", () => {
  const member = memberWith().restarted();
  member.input({ type: "campaign" });
  is(member.state.term, 0);
  const alone = memberWith({ configuration: votersOf(1) }).restarted();
  alone.input({ type: "campaign" });
  alone.finish();
  is(alone.state.role, "leader");
});

test("R23: a group that lost power as a whole elects a leader within a few election timeouts", () => {
  const group = new Cluster();
  group.run(3000);
  for (const peer of [1, 2, 3]) group.crash(peer);
  for (const peer of [1, 2, 3]) group.restart(peer);
  group.run(4000);
  is(group.leaders().length, 1);
});

test("a member that was never in a group before has promised nothing", () => {
  const member = newMember();
  member.receive(2, askVote(1, [0, 0]));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
});

test("a campaign ordered from outside does not break a promise", () => {
  const member = memberWith();
  member.receive(2, heartbeat(1));
  member.input({ type: "campaign" });
  is(member.state.role, "follower");
  is(member.state.term, 1);
});

// Transfer (thesis, section 3.10)

test("thesis 3.10: a leader that hands over takes no proposals and serves no lease read", () => {
  const leader = settledLeader();
  leader.tick(100);
  leader.receive(2, echo(1, 5100));
  ok(holds(leader));
  leader.input({ type: "transfer_leader", to: id(3) });
  ok(!holds(leader));
  leader.propose("a");
  equal(leader.took("proposal_dropped")[0]?.reason, "transferring");
});

test("thesis 3.10: the target is brought up to date before it is told to campaign", () => {
  const leader = settledLeader();
  leader.propose("a");
  leader.finish();
  leader.input({ type: "transfer_leader", to: id(3) });
  is(leader.sent("timeout_now").length, 0);
  leader.receive(3, accepted(1, 2));
  is(leader.sent("timeout_now")[0]?.to, 3);
});

test("thesis 3.10: the target campaigns at once, without pre-vote, and is heard in spite of the leader", () => {
  const group = new Cluster();
  group.run(3000);
  const [leader] = group.leaders();
  const target = leader === 1 ? 2 : 1;
  group.input(leader!, { type: "transfer_leader", to: id(target) });
  group.settle();
  equal(group.leaders(), [target]);
});

test("thesis 3.10: a transfer that takes an election timeout is given up", () => {
  const leader = settledLeader();
  leader.input({ type: "transfer_leader", to: id(3) });
  for (let i = 0; i < 10; i++) {
    leader.tick(100);
    for (const peer of [2, 3]) leader.receive(peer, echo(1, leader.now));
  }
  leader.tick(100);
  leader.look();
  leader.propose("a");
  is(leader.took("proposed").length, 1);
});

test("leadership is handed to no learner, no stranger and not to the leader itself", () => {
  const configuration = { ...votersOf(1, 2, 3), learners: [id(4)] };
  for (const to of [1, 4, 9]) {
    const leader = leaderWith({ configuration });
    leader.input({ type: "transfer_leader", to: id(to) });
    is(leader.state.transfer, undefined);
  }
});

test("R12: a member that is no voter of the configuration in force does not campaign when told to", () => {
  const member = memberWith({ configuration: votersOf(2, 3) });
  member.receive(2, heartbeat(1, 0, 10));
  member.receive(2, { type: "timeout_now", term: Term(1), sentAt: 10 });
  is(member.state.role, "follower");
});

test("R12: nor does one that an entry in its log removes, committed or not", () => {
  const change = { changes: [], context: EMPTY_BYTES };
  const data = encodeConfigurationEntry({ change, configuration: votersOf(2, 3) }, createWire());
  const entry = { index: LogIndex(1), term: Term(1), type: "configuration" as const, data };
  const member = memberWith();
  member.receive(2, { ...append(1, [0, 0]), entries: [entry] });
  member.receive(2, { type: "timeout_now", term: Term(1), sentAt: 0 });
  is(member.state.role, "follower");
});

test("C04: during a transfer the leader's messages carry the moment at which its lease ended", () => {
  const leader = settledLeader();
  leader.tick(100);
  leader.look();
  leader.input({ type: "transfer_leader", to: id(3) });
  is(leader.sent("timeout_now")[0]?.sentAt, 5100);
  leader.tick(100);
  ok(leader.sent("heartbeat_request").every(({ sentAt }) => sentAt === 5100));
});

test("C04: a voter that has heard the leader after a transfer ended does not honour a late copy of it", () => {
  const member = memberWith();
  member.receive(2, heartbeat(1, 0, 100));
  member.receive(3, askVote(2, [0, 0], { transfer: 99 }));
  is(member.state.term, 1);
  member.receive(3, askVote(2, [0, 0], { transfer: 100 }));
  member.finish();
  is(member.sent("vote_response")[0]?.granted, true);
});

test("C04: nor does the target campaign on a late copy", () => {
  const member = memberWith();
  member.receive(2, heartbeat(1, 0, 100));
  member.receive(2, { type: "timeout_now", term: Term(1), sentAt: 99 });
  is(member.state.role, "follower");
  member.receive(2, { type: "timeout_now", term: Term(1), sentAt: 100 });
  is(member.state.role, "candidate");
});

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

// Reads (thesis, section 6.4)

test("thesis 6.4, R13: before an entry of its own term is committed a leader answers no read", () => {
  const leader = leaderWith({ log: [[1, "a"]] });
  leader.input({ type: "read", ticket: ticket(1) });
  leader.receive(2, echo(2, leader.now));
  is(leader.took("read_ready").length, 0);
  leader.receive(2, accepted(2, 2));
  const [round] = leader.sent("heartbeat_request");
  is(round?.round, 1);
  leader.receive(2, echo(2, leader.now, 1));
  equal(leader.took("read_ready"), [{ type: "read_ready", ticket: 1, index: 2 }]);
});

test("thesis 6.4: a read waits until a quorum has confirmed the leader after it was asked", () => {
  const leader = settledLeader();
  leader.tick(100);
  leader.look();
  leader.input({ type: "read", ticket: ticket(1) });
  leader.receive(2, echo(1, leader.now, 0));
  is(leader.took("read_ready").length, 0);
  leader.receive(2, echo(1, leader.now, 1));
  is(leader.took("read_ready")[0]?.index, 1);
});

test("R14: a round's number is never used again in a term, so a late echo confirms no later read", () => {
  const leader = settledLeader();
  leader.input({ type: "read", ticket: ticket(1) });
  leader.receive(2, echo(1, leader.now, 1));
  leader.look();
  leader.input({ type: "read", ticket: ticket(1) });
  is(leader.sent("heartbeat_request")[0]?.round, 2);
  leader.receive(3, echo(1, leader.now, 1));
  is(leader.took("read_ready").length, 0);
  leader.receive(3, echo(1, leader.now, 2));
  is(leader.took("read_ready").length, 1);
});

test("reads that come while a round is under way share the next one", () => {
  const leader = settledLeader();
  for (let read = 1; read <= 5; read++) leader.input({ type: "read", ticket: ticket(read) });
  is(leader.sent("heartbeat_request").length, 2);
  leader.receive(2, echo(1, leader.now, 1));
  const effects = leader.look();
  is(effects.filter(({ type }) => type === "read_ready").length, 1);
  is(effects.filter(({ type }) => type === "send").length, 2);
  leader.receive(2, echo(1, leader.now, 2));
  is(leader.took("read_ready").length, 4);
});

test("thesis 6.4: a follower asks the leader, and gets an index of its own term's leader only", () => {
  const member = memberWith();
  member.input({ type: "read", ticket: ticket(1) });
  is(member.took("read_dropped").length, 1);
  member.receive(2, heartbeat(1));
  member.input({ type: "read", ticket: ticket(2) });
  const [request] = member.sent("read_index_request");
  const answer = {
    type: "read_index_response" as const,
    term: Term(1),
    ticket: request!.ticket,
    index: LogIndex(7),
  };
  member.receive(3, answer);
  is(member.took("read_ready").length, 0);
  member.receive(2, answer);
  equal(member.took("read_ready"), [{ type: "read_ready", ticket: 2, index: 7 }]);
  member.receive(2, answer);
  is(member.took("read_ready").length, 0);
});

test("R14: after a restart no answer to an earlier life is taken for one's own", () => {
  const numbers = [1, 2].map((seed) => {
    const member = memberWith({ config: { seed } });
    member.receive(2, heartbeat(1));
    member.input({ type: "read", ticket: ticket(1) });
    return member.sent("read_index_request")[0]!.ticket;
  });
  ok(Math.abs(numbers[0]! - numbers[1]!) > 1000);
});

test("reads under way are dropped when leadership is lost, changes, or does not answer", () => {
  const leader = settledLeader();
  leader.input({ type: "read", ticket: ticket(1) });
  leader.receive(3, { type: "read_index_request", term: Term(1), ticket: ticket(9) });
  leader.look();
  leader.receive(2, heartbeat(5));
  const effects = leader.look();
  is(effects.filter(({ type }) => type === "read_dropped").length, 1);
  const answers = effects.filter(
    (e) => e.type === "send" && e.message.type === "read_index_response",
  );
  is(answers.length, 1);
  const member = memberWith();
  member.receive(2, heartbeat(1));
  member.input({ type: "read", ticket: ticket(1) });
  member.tick(999);
  is(member.took("read_dropped").length, 0);
  member.tick(1);
  is(member.took("read_dropped").length, 1);
});

test("the only voter answers a read at once", () => {
  const leader = leaderWith({ configuration: votersOf(1) });
  leader.input({ type: "read", ticket: ticket(1) });
  equal(leader.took("read_ready"), [{ type: "read_ready", ticket: 1, index: 1 }]);
});

test("the driver learns of every change of role, term and leader, once", () => {
  const group = new Cluster();
  group.run(5000);
  const [leader] = group.leaders();
  const told = group.member(leader!).told.filter(({ type }) => type === "status");
  const last = told.at(-1);
  ok(last?.type === "status" && last.role === "leader" && last.leader === PeerId(leader!));
  equal(new Set(told.map((effect) => JSON.stringify(effect))).size, told.length);
});

test.run();
