import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { Rig } from "./rig.ts";
import {
  append,
  checkpoint,
  compact,
  destroy,
  entriesFrom,
  entry,
  hardState,
  kvOf,
  restore,
} from "./records.ts";

const test = suite("storage log");

test("nothing is written before the turn ends, and then one append and one sync hold all of it", () => {
  const rig = new Rig().start();
  rig.transcript = [];
  rig.log(append(2, [entry(1)]));
  rig.log(append(3, [entry(1)], hardState(4, 1)));
  assert.is(rig.transcript.filter((line) => line.startsWith("<")).length, 0);
  rig.turn();
  const writes = rig.transcript.filter((line) => line.startsWith("< write"));
  assert.is(writes.length, 1);
  assert.match(writes[0]!, /^< write ticket=\d+: append \S+ \d+ bytes; sync \S+$/);
});

test("tickets become durable in order, and only when the write that holds them is done", () => {
  const rig = new Rig().start();
  const first = rig.log(append(2, [entry(1)]));
  rig.input({ type: "turn_ended" });
  const second = rig.log(append(2, [entry(2)]));
  rig.input({ type: "turn_ended" });
  const third = rig.log(append(2, [entry(3)]));
  assert.ok(rig.durable < first);
  rig.write();
  assert.is(rig.durable, first);
  // What waited went out with the completion, all of it in one write.
  rig.write();
  assert.is(rig.durable, third);
  assert.ok(second < third);
});

test("what is durable comes back: entries, newest hard state, truncation", () => {
  const rig = new Rig().start();
  rig.log(append(2, entriesFrom(1, 5), hardState(1, 1, 0)));
  rig.turn();
  rig.log(append(2, [entry(4, 2)], hardState(2, 3, 3)));
  rig.turn();
  rig.checkpoint(checkpoint({ 2: 3 }, kvOf(1, 10)));
  rig.turn();
  rig.log(compact(2, 2));
  rig.turn();
  const { groups, identity, checkpoint: read } = rig.crash();
  assert.equal(identity, { cluster: 77n, store: 3 });
  assert.is(groups.length, 1);
  assert.equal(groups[0], {
    region: 2,
    hardState: hardState(2, 3, 3),
    truncated: { index: 2, term: 1 },
    entries: [entry(3), entry(4, 2)],
    restored: undefined,
    tombstone: undefined,
  });
  assert.equal(read.groups, checkpoint({ 2: 3 }).groups);
  assert.is(read.kv.default.size, 10);
});

test("a snapshot comes back until a checkpoint holds it, a tombstone for ever", () => {
  const rig = new Rig().start();
  rig.log(append(2, entriesFrom(1, 5)), restore(3, 20), append(3, entriesFrom(21, 22)));
  rig.log(restore(2, 30), append(4, entriesFrom(1, 2), hardState(1, 1)), destroy(4));
  rig.turn();
  const { groups } = rig.crash();
  assert.equal(
    groups.map((group) => group.region),
    [4, 3, 2],
  );
  assert.equal(groups[1]!.entries, entriesFrom(21, 22));
  assert.is(groups[1]!.restored?.metadata.index, 20);
  assert.equal(groups[2]!.truncated, { index: 30, term: 1 });
  assert.ok(groups[0]!.tombstone !== undefined);
  rig.settle();
  rig.checkpoint(checkpoint({ 2: 30, 3: 21 }));
  rig.turn();
  assert.ok(rig.crash().groups.every((group) => group.restored === undefined));
});

test("a failed write closes the log for ever", () => {
  const rig = new Rig().start();
  rig.log(append(2, [entry(1)]));
  rig.disk.become({ ...rig.disk.model, syncFailure: 1 });
  rig.seen = [];
  rig.turn();
  assert.equal(rig.seen, [{ type: "failed", reason: "io_error", file: "log-0000000000000001" }]);
  rig.disk.become({ ...rig.disk.model, syncFailure: 0 });
  rig.seen = [];
  rig.log(append(2, [entry(2)]));
  rig.turn();
  assert.equal(rig.seen, []);
  assert.is(rig.disk.busy, false);
});

test.run();
