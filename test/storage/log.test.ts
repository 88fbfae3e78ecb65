import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import type { LogRecord } from "../../engine/storage/types.ts";
import { Rig } from "./rig.ts";
import {
  append,
  compact,
  destroy,
  entriesFrom,
  entry,
  hardState,
  marks,
  restore,
} from "./records.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";
import { step } from "../../engine/storage/storage.ts";

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
  assert.match(writes[0]!, /^< write log ticket=\d+: append \S+ \d+ bytes; sync \S+$/);
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
  rig.freeze(marks({ 2: 3 }));
  rig.turn();
  rig.log(compact(2, 2));
  rig.turn();
  const { groups, identity, marks: read } = rig.crash();
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
  assert.equal(read, marks({ 2: 3 }));
});

test("a snapshot comes back until a mark holds it, a tombstone for ever", () => {
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
  rig.freeze(marks({ 2: 30, 3: 21 }));
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

test("an idle group holds no segment: its facts are said again in a newer one", () => {
  const rig = new Rig({ segmentBytes: 400, sliceBytes: 1 << 16, lsm: DEFAULT_LSM }).start();
  rig.log(append(7, [entry(1)], hardState(3, 2, 1)), append(8, [], hardState(5, 1)), destroy(9));
  rig.turn();
  rig.freeze(marks({ 7: 1, 9: 0 }));
  rig.turn();
  rig.log(compact(7, 1));
  rig.turn();
  for (let i = 1; i <= 30; i++) {
    rig.log(append(2, [entry(i, 1, "x".repeat(50))]));
    rig.turn();
    if (i % 5 !== 0) continue;
    rig.freeze(marks({ 2: i, 7: 1, 9: 0 }));
    rig.turn();
    rig.log(compact(2, i));
    rig.turn();
  }
  assert.ok(rig.state.log.oldest > 3);
  assert.not(rig.disk.list().includes("log-0000000000000001"));
  const groups = new Map(rig.crash().groups.map((group) => [Number(group.region), group]));
  assert.equal(groups.get(7)?.hardState, hardState(3, 2, 1));
  assert.equal(groups.get(7)?.truncated, { index: 1, term: 1 });
  assert.equal(groups.get(8)?.hardState, hardState(5, 1));
  assert.ok(groups.get(9)?.tombstone !== undefined);
  assert.is(groups.get(2)?.truncated.index, 30);
});

test("a segment stays as long as one group has entries in it", () => {
  const rig = new Rig({ segmentBytes: 300, sliceBytes: 1 << 16, lsm: DEFAULT_LSM }).start();
  rig.log(append(7, [entry(1)]));
  rig.turn();
  for (let i = 1; i <= 20; i++) {
    rig.log(append(2, [entry(i, 1, "x".repeat(50))]));
    rig.turn();
  }
  rig.freeze(marks({ 2: 20, 7: 1 }));
  rig.turn();
  rig.log(compact(2, 20));
  rig.turn();
  assert.is(rig.state.log.oldest, 1);
  rig.log(compact(7, 1));
  rig.turn();
  assert.is(
    rig.state.log.oldest,
    rig.state.log.segments[rig.state.log.segments.length - 1]!.number,
  );
  assert.is(rig.disk.list().filter((file) => file.startsWith("log")).length, 1);
});

/** A log of 20 entries on a disk that has room for `bytes` more, to which one more is given. */
function crowded(segmentBytes: number, bytes: number): Rig {
  const rig = new Rig({ segmentBytes, sliceBytes: 100, lsm: DEFAULT_LSM }).start();
  rig.log(append(2, entriesFrom(1, 20)));
  rig.turn();
  rig.disk.become({ ...rig.disk.model, capacityBytes: rig.disk.usedBytes + bytes });
  rig.seen = [];
  rig.log(append(2, [entry(21)]));
  return rig.turn();
}

for (const [what, segmentBytes] of [
  ["in a segment", 1 << 20],
  ["that begin a segment", 200],
] as const) {
  test(`records ${what} for which there is no room wait, and are durable when there is`, () => {
    let refused = 0;
    for (let bytes = 0; ; bytes += 7) {
      const rig = crowded(segmentBytes, bytes);
      if (!rig.seen.some(({ type }) => type === "stalled")) break;
      refused += 1;
      assert.not(rig.seen.some(({ type }) => type === "durable"));
      // Still no room: the same again.
      rig.input({ type: "retry" });
      rig.settle();
      rig.log(append(2, [entry(22)]));
      rig.turn();
      assert.not(rig.seen.some(({ type }) => type === "durable"));
      rig.disk.become({ ...rig.disk.model, capacityBytes: 1 << 20 });
      rig.input({ type: "retry" });
      rig.settle();
      assert.is(rig.durable, rig.ticket() - 1, `${bytes} bytes of room`);
      assert.is(rig.crash().groups[0]?.entries.length, 22);
      rig.settle();
      rig.log(append(2, [entry(23)]));
      rig.turn();
      assert.is(rig.crash().groups[0]?.entries.length, 23);
    }
    assert.ok(refused > 5, `${refused} ways to have no room`);
  });

  test(`a crash while records ${what} wait for room, or are tried again, loses nothing durable`, () => {
    for (let bytes = 0; crowded(segmentBytes, bytes).durable < 3; bytes += 5) {
      for (const kind of ["process", "power"] as const) {
        const waiting = crowded(segmentBytes, bytes);
        waiting.disk.become({ ...waiting.disk.model, capacityBytes: 1 << 20 });
        assert.is(waiting.crash(kind).groups[0]?.entries.length, 20);
        const trying = crowded(segmentBytes, bytes);
        trying.disk.become({ ...trying.disk.model, capacityBytes: 1 << 20 });
        trying.input({ type: "retry" });
        assert.ok([20, 21].includes(trying.crash(kind).groups[0]?.entries.length ?? 0));
        trying.settle();
        assert.ok([20, 21].includes(trying.crash().groups[0]?.entries.length ?? 0));
      }
    }
  });
}

test("what a retry cuts off is cut off durably, before anything stands behind it", () => {
  const rig = crowded(1 << 20, 30);
  const writes: string[] = [];
  rig.disk.become({ ...rig.disk.model, capacityBytes: 1 << 20 });
  const { effects } = step(rig.state, { type: "retry" });
  for (const effect of effects) {
    if (effect.type === "write") writes.push(...effect.operations.map(({ type }) => type));
  }
  assert.equal(writes, ["truncate", "sync", "append", "sync"]);
});

test("a wrong record is a wrong program: gaps, truncated places, compaction before a flush", () => {
  const wrong = (message: RegExp, ...records: LogRecord[]): void => {
    const rig = new Rig().start();
    rig.log(append(2, entriesFrom(1, 5)));
    rig.turn();
    rig.freeze(marks({ 2: 4 }));
    rig.turn();
    rig.log(compact(2, 4));
    rig.turn();
    rig.log(...records);
    assert.throws(() => rig.turn(), message);
  };
  wrong(/entries 6 to 6 are missing/, append(2, [entry(7)]));
  wrong(/entry 4 is written over the truncated 4/, append(2, [entry(4)]));
  wrong(/entry 8 follows entry 6/, append(2, [entry(6), entry(8)]));
  wrong(/compacted too far/, compact(2, 5));
});

test("a state that was kept goes its own way: the machine changes none of it", () => {
  const rig = new Rig({ segmentBytes: 500, sliceBytes: 100, lsm: DEFAULT_LSM }).start();
  rig.log(append(2, entriesFrom(1, 3)));
  rig.turn();
  const kept = rig.state;
  const before = JSON.stringify(kept, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  for (let i = 4; i <= 40; i++) {
    rig.log(append(2, [entry(i)]), append(i, [entry(1)]));
    rig.turn();
  }
  assert.is(
    JSON.stringify(kept, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    ),
    before,
  );
});

test.run();
