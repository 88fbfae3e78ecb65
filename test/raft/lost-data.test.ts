/** A member that has lost the data of its state machine, though not its log. */
import { equal, is, ok } from "uvu/assert";
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import { suite } from "../harness.ts";
import { Cluster, id, votersOf } from "./cluster.ts";
import { accepted, append, askVote, heartbeat, leaderWith, memberWith } from "./conversation.ts";
import type { Member } from "./conversation.ts";

const test = suite("raft: lost data");
const at = (index: number, term: number): { index: LogIndex; term: Term } => ({
  index: LogIndex(index),
  term: Term(term),
});
const configuration = votersOf(1, 2, 3);

/** A follower of member 2 with five entries, of which three are applied. */
function follower(): Member {
  const log = ["a", "b", "c", "d", "e"].map((text) => [1, text] as const);
  const member = memberWith({ log, commit: 3 });
  member.tick(0);
  member.finish();
  member.receive(2, heartbeat(1));
  member.look();
  return member;
}

test("a member without data asks its leader at every heartbeat, naming what it has applied", () => {
  const member = follower();
  member.input({ type: "request_snapshot" });
  for (let i = 0; i < 2; i++) {
    member.receive(2, heartbeat(1));
    const [request] = member.sent("snapshot_request");
    equal([request?.to, request?.index], [2, 3]);
  }
});

test("it is handed nothing to apply, and still acknowledges entries", () => {
  const member = follower();
  member.input({ type: "request_snapshot" });
  member.receive(2, append(1, [5, 1], [[1, "f"]], 6));
  const [write] = member.took("persist");
  member.input({ type: "persisted", ticket: write!.ticket });
  const effects = member.look();
  is(effects.filter(({ type }) => type === "apply").length, 0);
  ok(effects.some((effect) => effect.type === "send" && effect.message.type === "append_response"));
  is(member.state.commit, 6);
});

test("a snapshot at what it has applied replaces the data and keeps the entries behind", () => {
  const member = follower();
  member.input({ type: "request_snapshot" });
  const metadata = { ...at(3, 1), configuration };
  member.receive(2, { type: "snapshot", term: Term(1), metadata });
  const [order] = member.took("restore");
  equal(
    order?.entries.map(({ index }) => index),
    [4, 5],
  );
  is(member.state.lacking, false);
  member.finish();
  equal([member.state.log.base, member.state.log.last, member.state.durable], [3, 5, 5]);
  member.receive(2, append(1, [5, 1], [], 5));
  equal(
    member.took("apply")[0]?.entries.map(({ index }) => index),
    [4, 5],
  );
});

test("a snapshot before what it has applied is not enough", () => {
  const member = follower();
  member.input({ type: "request_snapshot" });
  const metadata = { ...at(2, 1), configuration };
  member.receive(2, { type: "snapshot", term: Term(1), metadata });
  is(member.took("restore").length, 0);
  is(member.state.lacking, true);
});

test("a member that loses its data again while a snapshot is installed asks for another", () => {
  const member = follower();
  member.input({ type: "request_snapshot" });
  const metadata = { ...at(3, 1), configuration };
  member.receive(2, { type: "snapshot", term: Term(1), metadata });
  ok(member.state.restoring !== undefined);
  member.input({ type: "request_snapshot" });
  member.finish();
  is(member.state.restoring, undefined);
  member.look();
  member.receive(2, heartbeat(1));
  const [request] = member.sent("snapshot_request");
  equal([request?.to, request?.index], [2, 3]);
  member.receive(2, { type: "snapshot", term: Term(1), metadata });
  is(member.took("restore").length, 1);
});

test("its leader has a snapshot sent, and does not hand over to it", () => {
  const leader = leaderWith({ log: [[1, "a"]] });
  for (const peer of [2, 3]) leader.receive(peer, accepted(2, 2));
  leader.finish();
  leader.look();
  const { term } = leader.state;
  leader.receive(3, { type: "snapshot_request", term, index: LogIndex(1) });
  const [order] = leader.took("send_snapshot");
  equal([order?.to, order?.atLeast], [3, 1]);
  leader.input({ type: "transfer_leader", to: PeerId(3) });
  is(leader.state.transfer, undefined);
  leader.input({ type: "transfer_leader", to: PeerId(2) });
  is(leader.state.transfer?.to, 2);
});

test("a leader without data hands over, first of all to who has the whole log", () => {
  const leader = leaderWith({ log: [[1, "a"]] });
  leader.receive(3, accepted(2, 2));
  leader.finish();
  leader.look();
  leader.input({ type: "request_snapshot" });
  equal(leader.sent("timeout_now")[0]?.to, 3);
});

test("a leader without data hands over to a voter that is to go, where nobody else has any", () => {
  const configuration = { ...votersOf(1), outgoing: [1, 2].map(id), autoLeave: true };
  const leader = leaderWith({ configuration, log: [[1, "a"]] });
  // The configuration is not committed yet: else it would have been left.
  leader.receive(2, accepted(2, 1));
  leader.finish();
  leader.input({ type: "request_snapshot" });
  is(leader.state.transfer?.to, 2);
});

test("a member without data is elected only where its log is the better one", () => {
  const member = memberWith({ log: [[1, "a"]], config: { priority: 5 } });
  member.tick(5000);
  member.input({ type: "request_snapshot" });
  is(member.sent("vote_request").length, 0);
  member.finish();
  ok(member.sent("vote_request").length > 0);
  const other = memberWith({ log: [[1, "a"]] });
  const request = askVote(2, [1, 1], { priority: -(2 ** 31) });
  other.receive(3, request);
  is(other.sent("vote_response")[0]?.granted, false);
});

test("a group whose leader and a follower have lost their data has it again from the third", () => {
  const group = new Cluster();
  group.elect(1);
  for (let i = 0; i < 5; i++) group.propose(1, `${i}`);
  group.settle();
  group.lose(1);
  group.lose(2);
  group.run(4000);
  equal(group.leaders(), [3]);
  group.propose(3, "5");
  group.run(500);
  for (const peer of [1, 2, 3]) is(group.log(peer), "0 1 2 3 4 5");
});

test("a member that lost its data and crashes asks again", () => {
  const group = new Cluster();
  group.elect(1);
  group.propose(1, "0");
  group.settle();
  group.crash(1);
  group.elect(2);
  group.restart(1);
  group.lose(1);
  group.crash(1);
  group.restart(1);
  group.run(4000);
  is(group.state(1).lacking, false);
  is(group.log(1), "0");
});

test.run();
