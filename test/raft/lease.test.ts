/** Time as evidence of leadership: promises, leases and transfers. */
import { equal, is, ok } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, Term } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { encodeConfigurationEntry } from "../../engine/raft/codec.ts";
import * as query from "../../engine/raft/query.ts";
import { suite } from "../harness.ts";
import { Cluster, id, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: leases and transfers");
const {
  accepted,
  append,
  askVote,
  echo,
  heartbeat,
  leaderWith,
  memberWith,
  newMember,
  settledLeader,
} = talk;

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

test("R23: the only voter keeps quiet as well while the leader that its change removes may lead", () => {
  const member = memberWith({ id: 2, configuration: votersOf(1, 2) });
  const data = encodeConfigurationEntry(
    { change: { changes: [], context: EMPTY_BYTES }, configuration: votersOf(2) },
    createWire(),
  );
  const entry = { index: LogIndex(1), term: Term(1), type: "configuration" as const, data };
  member.receive(1, { ...talk.append(1, [0, 0]), entries: [entry] });
  member.finish();
  const again = member.restarted();
  again.tick(999);
  again.input({ type: "campaign" });
  again.finish();
  is(again.state.role, "follower");
  again.now += 1;
  again.input({ type: "campaign" });
  again.finish();
  is(again.state.role, "leader");
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

test.run();
