/** Linearizable reads by read index (thesis, section 6.4). */
import { equal, is, ok } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, Term } from "../../engine/base/ids.ts";
import { suite } from "../harness.ts";
import { Cluster, votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: reads");
const { accepted, echo, heartbeat, leaderWith, memberWith, ticket, settledLeader } = talk;

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
  equal(leader.took("read_ready"), [
    { type: "read_ready", ticket: 1, index: 2, note: EMPTY_BYTES },
  ]);
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
  member.input({ type: "read", ticket: ticket(2), note: Uint8Array.of(1) });
  const [request] = member.sent("read_index_request");
  equal(request?.note, Uint8Array.of(1));
  const answer = {
    type: "read_index_response" as const,
    term: Term(1),
    ticket: request!.ticket,
    index: LogIndex(7),
    note: Uint8Array.of(2),
  };
  member.receive(3, answer);
  is(member.took("read_ready").length, 0);
  member.receive(2, answer);
  equal(member.took("read_ready"), [
    { type: "read_ready", ticket: 2, index: 7, note: Uint8Array.of(2) },
  ]);
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
  leader.receive(3, {
    type: "read_index_request",
    term: Term(1),
    ticket: ticket(9),
    note: EMPTY_BYTES,
  });
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
  equal(leader.took("read_ready"), [
    { type: "read_ready", ticket: 1, index: 1, note: EMPTY_BYTES },
  ]);
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
