/** Historical bugs of Raft implementations that the other suites do not name, each as a rule. */
import { equal, is, ok, throws } from "uvu/assert";
import { LogIndex, Term } from "../../engine/base/ids.ts";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { createWire } from "../../engine/base/wire.ts";
import { encodeConfigurationEntry } from "../../engine/raft/codec.ts";
import { inForce } from "../../engine/raft/configuration.ts";
import { termAt } from "../../engine/raft/query.ts";
import { suite } from "../harness.ts";
import { votersOf } from "./cluster.ts";
import * as talk from "./conversation.ts";

const test = suite("raft: bugs of the past");
const { accepted, append, leaderWith, memberWith } = talk;

test("R01: an entry of an earlier term is never committed by counting its replicas", () => {
  const leader = leaderWith({
    log: [
      [1, "a"],
      [2, "b"],
    ],
    term: 5,
  });
  for (const peer of [2, 3]) leader.receive(peer, accepted(6, 2));
  is(leader.state.commit, 0);
});

test("R03: a new leader counts by the last configuration in its log, not by the last one applied", () => {
  const five = votersOf(1, 2, 3, 4, 5);
  const change = { changes: [], context: EMPTY_BYTES };
  const data = encodeConfigurationEntry({ change, configuration: five }, createWire());
  const member = memberWith();
  const entry = { index: LogIndex(1), term: Term(1), type: "configuration" as const, data };
  member.receive(2, { ...append(1, [0, 0]), entries: [entry] });
  member.finish();
  const again = member.restarted();
  equal(inForce(again.state.history).configuration, five);
  again.tick(5000);
  again.finish();
  is(again.sent("vote_request").length, 4);
  again.receive(2, talk.vote(2));
  is(again.state.role, "candidate");
});

test("R04: truncating two configurations in two steps returns to the first, not to nothing", () => {
  const change = { changes: [], context: EMPTY_BYTES };
  const wire = createWire();
  const member = memberWith({ id: 2 });
  const entries = [votersOf(1, 2, 3, 4), votersOf(1, 2, 3, 4, 5)].map((configuration, at) => ({
    index: LogIndex(at + 1),
    term: Term(1),
    type: "configuration" as const,
    data: encodeConfigurationEntry({ change, configuration }, wire),
  }));
  member.receive(1, { ...append(1, [0, 0]), entries });
  member.receive(3, append(2, [1, 1], [[2, "x"]]));
  equal(inForce(member.state.history).configuration, votersOf(1, 2, 3, 4));
  member.receive(1, append(3, [0, 0], [[3, "y"]]));
  equal(inForce(member.state.history).configuration, votersOf(1, 2, 3));
});

test("R16: pages of what is committed are contiguous, whatever their size, and commit never falls", () => {
  const lines = Array.from({ length: 20 }, (_, at): talk.Line => [1, `entry ${at}`]);
  const member = memberWith({ log: lines, commit: 12, config: { maxApplyBytes: 50 } });
  member.tick(0);
  member.finish();
  member.receive(2, append(1, [20, 1], [], 20));
  member.finish();
  const effects = member.look();
  const indexes = effects.flatMap((effect) =>
    effect.type === "apply" ? effect.entries.map(({ index }) => Number(index)) : [],
  );
  equal(
    indexes,
    lines.map((_, at) => at + 1),
  );
  const pages = effects.filter(({ type }) => type === "apply");
  ok(pages.length >= 10);
  let commit = 0;
  for (const effect of effects) {
    if (effect.type !== "persist" || effect.hardState === undefined) continue;
    ok(effect.hardState.commit >= commit);
    commit = effect.hardState.commit;
  }
});

test("R16: one page at a time: the next follows the confirmation of the last", () => {
  const lines: talk.Line[] = [
    [1, "a"],
    [1, "b"],
  ];
  const member = memberWith({ log: lines, commit: 2, config: { maxApplyBytes: 1 } });
  member.tick(0);
  member.tick(0);
  is(member.took("apply").length, 1);
  member.input({ type: "applied", index: LogIndex(1) });
  is(member.took("apply")[0]?.entries[0]?.index, 2);
});

test("R17: the only voter neither commits nor applies what is not durable", () => {
  const leader = leaderWith({ configuration: votersOf(1) });
  leader.propose("a");
  is(leader.state.commit, 1);
  is(leader.took("apply").length, 0);
  leader.input({ type: "persisted", ticket: leader.state.ticket });
  is(leader.took("apply")[0]?.entries[0]?.index, 2);
});

test("R17: a quorum of others may commit first, but the leader applies only what it holds durably", () => {
  const leader = leaderWith();
  leader.propose("a");
  for (const peer of [2, 3]) leader.receive(peer, accepted(1, 2));
  is(leader.state.commit, 2);
  is(
    leader
      .took("apply")
      .flatMap(({ entries }) => entries)
      .at(-1)?.index,
    1,
  );
  leader.finish();
  is(
    leader
      .took("apply")
      .flatMap(({ entries }) => entries)
      .at(-1)?.index,
    2,
  );
});

test("R17: a leader counts itself only for what it holds durably", () => {
  const leader = leaderWith();
  leader.propose("a");
  leader.receive(2, accepted(1, 2));
  is(leader.state.commit, 1);
  leader.finish();
  is(leader.state.commit, 2);
});

test("R17: a page ends with what is durable, even where more is committed", () => {
  const lines: talk.Line[] = [
    [1, "a"],
    [1, "b"],
  ];
  const leader = memberWith({ log: lines });
  leader.input({ type: "campaign" });
  leader.finish();
  leader.receive(2, talk.vote(2));
  for (const peer of [2, 3]) leader.receive(peer, accepted(2, 3));
  is(leader.state.commit, 3);
  const [page] = leader.took("apply");
  equal(
    page?.entries.map(({ index }) => Number(index)),
    [1, 2],
  );
});

test("R18: nobody invents a term for a forgotten entry: a leader sends a snapshot instead", () => {
  const leader = leaderWith({
    log: [
      [1, "a"],
      [1, "b"],
      [1, "c"],
    ],
    config: { maxInflightMessages: 1 },
  });
  leader.receive(2, accepted(2, 4));
  leader.finish();
  leader.input({ type: "compact", index: LogIndex(4) });
  is(termAt(leader.state, LogIndex(3)), undefined);
  leader.look();
  leader.tick(100);
  leader.receive(3, talk.echo(2, leader.now));
  leader.receive(3, talk.rejected(2, 3, [0, 0]));
  const effects = leader.look();
  ok(effects.some(({ type }) => type === "send_snapshot"));
  for (const effect of effects) {
    if (effect.type !== "send" || effect.message.type !== "append_request") continue;
    ok(effect.message.previousTerm !== 0);
  }
});

test("R18: an entry that a follower lacks matches no previous term, not even 0", () => {
  const member = memberWith({ log: [[1, "a"]] });
  member.receive(2, append(1, [5, 0], [], 5));
  is(member.sent("append_response")[0]?.rejected, true);
  is(member.state.commit, 0);
});

test("R21: a follower confirms what it has checked, not what its log happens to hold", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [2, "x"],
      [2, "y"],
    ],
  });
  member.receive(3, append(3, [1, 1], [], 0));
  member.finish();
  is(member.sent("append_response")[0]?.index, 1);
});

test("R21: nothing behind what was checked is committed by the leader's commit index", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [2, "x"],
      [2, "y"],
    ],
  });
  member.receive(3, append(3, [1, 1], [], 3));
  is(member.state.commit, 1);
});

test("an acknowledgement waits for the write of the very entries, also when they came before", () => {
  const member = memberWith();
  member.receive(2, append(1, [0, 0], [[1, "a"]]));
  member.receive(2, append(1, [0, 0], [[1, "a"]]));
  is(member.sent("append_response").length, 0);
  member.finish();
  is(member.sent("append_response").at(-1)?.index, 1);
});

test("a write that was overtaken by a truncation makes nothing durable that is not in the log", () => {
  const member = memberWith();
  member.receive(
    2,
    append(
      1,
      [0, 0],
      [
        [1, "a"],
        [1, "b"],
        [1, "c"],
      ],
    ),
  );
  const first = member.state.ticket;
  member.receive(3, append(2, [1, 1], [[2, "B"]]));
  member.input({ type: "persisted", ticket: first });
  is(member.state.durable, 1);
  is(member.sent("append_response").length, 0);
  member.finish();
  is(member.state.durable, 2);
  is(member.sent("append_response").at(-1)?.term, 2);
});

test("a promise of an earlier term is not kept when its write is done: the term is over", () => {
  const member = memberWith();
  member.receive(2, talk.askVote(1, [0, 0]));
  member.receive(3, talk.askVote(2, [0, 0]));
  member.finish();
  equal(
    member.sent("vote_response").map(({ to, term }) => [to, term]),
    [[3, 2]],
  );
});

test("acknowledgements that become due together are sent as one", () => {
  const member = memberWith();
  for (let at = 0; at < 5; at++) member.receive(2, append(1, [at, at === 0 ? 0 : 1], [[1, "a"]]));
  member.finish();
  equal(
    member.sent("append_response").map(({ index }) => index),
    [5],
  );
});

test("a committed entry is never removed: a leader that asks for it is a broken program", () => {
  const member = memberWith({
    log: [
      [1, "a"],
      [1, "b"],
    ],
    commit: 0,
  });
  member.receive(2, append(1, [2, 1], [], 2));
  throws(() =>
    member.receive(
      3,
      append(
        2,
        [1, 1],
        [
          [2, "B"],
          [2, "C"],
        ],
      ),
    ),
  );
});

test.run();
