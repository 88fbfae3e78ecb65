/** Sections 7 and 8 of the Raft paper, a test a rule, and flow control. */
import { equal, is, ok } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import { suite } from "../harness.ts";
import { Cluster, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";
import type { Line } from "./conversation.ts";

const test = suite("raft: sections 7 and 8 of the paper");
const { append, accepted, leaderWith, memberWith } = talk;

// 7 Log compaction

test("7: entries in the state machine may be forgotten; term and place of the last are kept", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
      [2, "c"],
    ],
    commit: 2,
  });
  member.tick(0);
  member.finish();
  member.input({ type: "compact", index: LogIndex(2) });
  is(member.state.log.base, 2);
  is(member.state.log.baseTerm, 1);
  member.receive(2, append(2, [2, 1], [[2, "c"]]));
  member.finish();
  is(member.sent("append_response").at(-1)?.rejected, false);
});

test("7: what the state machine does not hold is not forgotten", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
    ],
    commit: 1,
  });
  member.tick(0);
  member.finish();
  member.input({ type: "compact", index: LogIndex(2) });
  is(member.state.log.base, 1);
});

test("7: a follower that needs forgotten entries is sent a snapshot", () => {
  const leader = leaderWith({
    log: [
      [1, "a"],
      [1, "b"],
    ],
  });
  leader.receive(2, accepted(2, 3));
  leader.finish();
  leader.input({ type: "compact", index: LogIndex(2) });
  leader.look();
  leader.receive(3, talk.rejected(2, 2, [0, 0]));
  const [order] = leader.took("send_snapshot");
  is(order?.to, 3);
  is(order?.atLeast, 2);
});

const metadata = { index: LogIndex(5), term: Term(2), configuration: votersOf(1, 2, 3) };

test("7, InstallSnapshot 1: a snapshot of an earlier term is refused", () => {
  const member = memberWith({ term: 3 });
  member.receive(2, { type: "snapshot", term: Term(2), metadata });
  is(member.sent("append_response")[0]?.term, 3);
  is(member.state.log.last, 0);
});

test("7, InstallSnapshot 6: a log that has the snapshot's last entry is kept", () => {
  const log: Line[] = [
    [1, "a"],
    [1, "b"],
    [1, "c"],
    [2, "d"],
    [2, "e"],
    [2, "f"],
  ];
  const member = memberWith({ log });
  member.receive(2, { type: "snapshot", term: Term(2), metadata });
  member.finish();
  is(member.state.log.last, 6);
  is(member.state.commit, 5);
  is(member.sent("append_response")[0]?.index, 5);
});

test("7, InstallSnapshot 7 and 8: else log, configuration and state machine are replaced", () => {
  const member = memberWith({ log: [[1, "a"]] });
  const members = votersOf(1, 2, 4);
  member.receive(2, {
    type: "snapshot",
    term: Term(2),
    metadata: { ...metadata, configuration: members },
  });
  const [order] = member.took("restore");
  is(order?.metadata.index, 5);
  is(order?.hardState.commit, 5);
  is(member.sent("append_response").length, 0);
  member.input({ type: "persisted", ticket: order!.ticket });
  is(member.sent("append_response")[0]?.index, 5);
  member.input({ type: "applied", index: LogIndex(5) });
  is(member.state.restoring, undefined);
  equal(member.state.history.at(-1)?.configuration, members);
  is(member.state.log.base, 5);
});

test("7: a member takes no part in elections while a snapshot replaces its state", () => {
  const member = memberWith();
  member.receive(2, { type: "snapshot", term: Term(2), metadata });
  member.tick(5000);
  is(member.state.role, "follower");
});

test("7: a snapshot that arrives again, or an older one, takes nothing back", () => {
  const member = memberWith();
  const offer = { type: "snapshot" as const, term: Term(2), metadata };
  member.receive(2, offer);
  member.receive(2, offer);
  is(member.took("restore").length, 1);
  member.finish();
  member.receive(2, append(2, [5, 2], [[2, "f"]]));
  member.finish();
  member.look();
  member.receive(2, offer);
  is(member.state.log.last, 6);
  is(member.sent("append_response")[0]?.index, 5);
});

test("7: after a snapshot a follower is streamed to again, also when its transfer failed", () => {
  const group = new Cluster();
  group.elect(1);
  group.crash(3);
  for (let i = 0; i < 10; i++) group.propose(1, `${i}`);
  group.settle();
  group.input(1, { type: "compact", index: group.state(1).applied });
  group.restart(3);
  for (let i = 0; i < 10; i++) {
    group.now += 100;
    group.input(1, { type: "tick" });
    group.settle(({ message }) => message.type === "snapshot");
    group.reportSnapshot(false);
  }
  is(group.log(3), "");
  group.run(1000);
  is(group.log(3), "0 1 2 3 4 5 6 7 8 9");
});

// 8 Client interaction

test("8: a leader begins its term with an empty entry, whose commitment tells what is committed", () => {
  const leader = leaderWith({ log: [[1, "a"]] });
  const last = leader.state.log;
  is(last.last, 2);
  is(last.lastTerm, 2);
  equal(last.tail.at(-1)?.data, EMPTY_BYTES);
  leader.receive(3, accepted(2, 2));
  is(leader.state.commit, 2);
});

test("8: proposals beyond the limit of what is not committed are refused", () => {
  const leader = leaderWith({ config: { maxUncommittedBytes: 100 } });
  leader.propose("x".repeat(100));
  equal(leader.took("proposed").length, 1);
  leader.propose("y");
  equal(leader.took("proposal_dropped")[0]?.reason, "too_many_pending");
  leader.receive(2, accepted(1, 2));
  leader.finish();
  leader.look();
  leader.propose("y");
  equal(leader.took("proposed").length, 1);
});

test("flow control: a follower is streamed at most the window's messages and bytes", () => {
  const leader = leaderWith({ config: { maxInflightMessages: 3, maxInflightBytes: 1000 } });
  leader.receive(2, accepted(1, 1));
  leader.look();
  for (let i = 0; i < 10; i++) leader.propose("a");
  is(leader.sent("append_request").filter(({ to }) => to === 2).length, 3);
  leader.receive(2, accepted(1, 3));
  const [first] = leader.sent("append_request").filter(({ to }) => to === 2);
  is(first?.entries.length, 7);
  leader.receive(2, accepted(1, 11));
  leader.look();
  for (let i = 0; i < 3; i++) leader.propose("b".repeat(600));
  is(leader.sent("append_request").filter(({ to }) => to === 2).length, 2);
});

test("flow control: an append holds at most its bytes of entries, and at least one", () => {
  const leader = leaderWith({ config: { maxAppendBytes: 100 } });
  leader.receive(2, accepted(1, 1));
  leader.look();
  leader.propose("a".repeat(30), "b".repeat(30), "c".repeat(300));
  const sizes = leader.sent("append_request").filter(({ to }) => to === 2);
  equal(
    sizes.map(({ entries }) => entries.length),
    [2, 1],
  );
});

test("flow control: after a broken connection a follower is probed, not streamed to", () => {
  const leader = leaderWith();
  leader.receive(2, accepted(1, 1));
  leader.input({ type: "unreachable", peer: PeerId(2) });
  leader.look();
  leader.propose("a");
  leader.propose("b");
  is(leader.sent("append_request").filter(({ to }) => to === 2).length, 0);
  leader.receive(2, talk.echo(1, leader.now));
  const requests = leader.sent("append_request").filter(({ to }) => to === 2);
  ok(requests.length >= 1);
});

test.run();
