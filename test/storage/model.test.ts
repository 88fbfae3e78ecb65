import * as assert from "uvu/assert";
import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { LogIndex, RegionId } from "../../engine/base/ids.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import type { GroupMark } from "../../engine/storage/lsm/types.ts";
import type { LogRecord } from "../../engine/storage/types.ts";
import { generator } from "../disk/random.ts";
import { suite } from "../harness.ts";
import { appliedIn, expected, lastIndex, replayed } from "./model.ts";
import type { Logged } from "./model.ts";
import {
  append,
  begin,
  compact,
  destroy,
  entriesFrom,
  hardState,
  marks,
  restore,
} from "./records.ts";
import { Rig } from "./rig.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";

const test = suite("storage against a model");

/** One step of a program: what to do, to which region, and two free numbers. */
interface Action {
  readonly kind:
    | "append"
    | "begin"
    | "overwrite"
    | "vote"
    | "compact"
    | "restore"
    | "destroy"
    | "freeze"
    | "turn"
    | "write"
    | "settle"
    | "crash"
    | "kill";
  readonly region: number;
  readonly size: number;
}

const anyAction: fc.Arbitrary<Action> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("append" as const) },
    { weight: 5, arbitrary: fc.constant("turn" as const) },
    { weight: 5, arbitrary: fc.constant("write" as const) },
    { weight: 3, arbitrary: fc.constant("settle" as const) },
    { weight: 3, arbitrary: fc.constant("compact" as const) },
    { weight: 2, arbitrary: fc.constant("freeze" as const) },
    { weight: 2, arbitrary: fc.constant("begin" as const) },
    { weight: 2, arbitrary: fc.constant("overwrite" as const) },
    { weight: 1, arbitrary: fc.constant("vote" as const) },
    { weight: 1, arbitrary: fc.constant("restore" as const) },
    { weight: 1, arbitrary: fc.constant("destroy" as const) },
    { weight: 1, arbitrary: fc.constant("crash" as const) },
    { weight: 1, arbitrary: fc.constant("kill" as const) },
  ),
  region: fc.integer({ min: 2, max: 6 }),
  size: fc.integer({ min: 1, max: 6 }),
});

/** This region comes from a split: its log begins behind an index. */
const CHILD = 6;
const CHILD_BEGINS = 5;

/** Runs a program beside the model. */
class Program {
  readonly rig: Rig;
  logged: Logged[] = [];
  /** The newest marks known to be durable, and those under way. */
  durable: readonly GroupMark[] = [];
  draft: readonly GroupMark[] | undefined;
  /** Those that no loss of power can take back: `durable` once the store is open. */
  sure: readonly GroupMark[] = [];
  /** Highest index that a region may have applied, over all its replicas. */
  readonly floor = new Map<number, number>();
  crashes = 0;

  constructor(seed: number) {
    this.rig = new Rig(
      { segmentBytes: 700, sliceBytes: 100, lsm: DEFAULT_LSM },
      generator(seed),
    ).start();
    this.rig.seen = [];
  }

  do({ kind, region, size }: Action): void {
    const group = replayed(this.logged).get(RegionId(region));
    const last = lastIndex(group);
    const floor = this.floor.get(region) ?? 0;
    switch (kind) {
      case "append":
        // A destroyed replica comes back by a snapshot only.
        if (group?.tombstone !== undefined || last < floor) return;
        if (region === CHILD && last === 0) return;
        return this.log(append(region, entriesFrom(last + 1, last + size), hardState(size)));
      case "begin": {
        // The split is replayed, and says this again, until a mark holds it.
        const child = replayed(this.logged).get(RegionId(CHILD));
        const isReplica = child?.tombstone === undefined && child?.restored === undefined;
        if (!isReplica || this.floor.has(CHILD)) return;
        return this.log(begin(CHILD, CHILD_BEGINS));
      }
      case "overwrite": {
        const first = Math.max(floor, group?.truncated.index ?? 0, last - size) + 1;
        if (group?.tombstone !== undefined || first > last) return;
        return this.log(append(region, entriesFrom(first, first + size, 2)));
      }
      case "vote":
        return this.log(append(region, [], hardState(7, size)));
      case "compact": {
        const index = Math.min(last, appliedIn(this.durable, region));
        if (group === undefined || group.tombstone !== undefined || index === 0) return;
        return this.log(compact(region, index));
      }
      case "restore": {
        const index = Math.max(last, floor) + size;
        this.floor.set(region, index);
        return this.log(restore(region, index, 1, "x".repeat(size * 30)));
      }
      case "destroy":
        this.floor.set(region, Math.max(floor, last));
        return this.log(destroy(region, `tombstone ${size}`));
      case "freeze":
        return this.freeze();
      case "turn":
        return this.rig.input({ type: "turn_ended" });
      case "write":
        this.rig.write();
        return this.look();
      case "settle":
        this.rig.turn();
        return this.look();
      case "crash":
        return this.crash("power");
      case "kill":
        return this.crash("process");
    }
  }

  log(...records: LogRecord[]): void {
    this.logged.push({ ticket: this.rig.log(...records), records });
  }

  /** Everything that is durable is applied. */
  freeze(): void {
    if (this.draft !== undefined) return;
    const durable = this.logged.filter(({ ticket }) => ticket <= this.rig.durable);
    const applied: Record<number, number> = {};
    for (const [region, group] of replayed(durable)) {
      applied[region] = group.tombstone === undefined ? lastIndex(group) : 0;
      this.floor.set(region, Math.max(this.floor.get(region) ?? 0, applied[region]));
    }
    // An entry that was overwritten since was never committed: it cannot have been applied.
    for (const [region, group] of replayed(this.logged)) {
      if (group.tombstone !== undefined) applied[region] = 0;
      else if ((applied[region] ?? 0) > lastIndex(group)) return;
    }
    this.draft = marks(applied);
    this.rig.freeze(this.draft);
  }

  look(): void {
    for (const effect of this.rig.seen) {
      if (effect.type === "opened") this.sure = this.durable;
      if (effect.type !== "flushed") continue;
      assert.is(effect.marks, this.draft);
      this.durable = this.draft ?? this.durable;
      this.sure = this.durable;
      this.draft = undefined;
    }
    this.rig.seen = [];
  }

  crash(kind: "power" | "process"): void {
    this.crashes += 1;
    this.look();
    const acknowledged = this.rig.durable;
    const { groups, marks: read } = this.rig.crash(kind);
    this.durable = this.matchingMarks(read);
    this.draft = undefined;
    this.logged = this.matchingPrefix(groups, acknowledged);
    for (const [region, group] of replayed(this.logged)) {
      if (group.restored !== undefined) this.floor.set(region, lastIndex(group));
    }
  }

  matchingMarks(read: readonly GroupMark[]): readonly GroupMark[] {
    for (const candidate of [this.durable, this.sure, this.draft]) {
      if (candidate !== undefined && isDeepStrictEqual(candidate, read)) return candidate;
    }
    throw new Error("the marks are neither the old ones nor the new ones");
  }

  /**
   * The records that came back: all acknowledged ones, and of the others whole tickets in order.
   */
  matchingPrefix(groups: unknown, acknowledged: number): Logged[] {
    for (let count = this.logged.length; count >= 0; count--) {
      const next = this.logged[count];
      if (next !== undefined && next.ticket <= acknowledged) break;
      const prefix = this.logged.slice(0, count);
      if (isDeepStrictEqual(expected(prefix, this.durable), groups)) return prefix;
    }
    assert.equal(groups, expected(this.logged, this.durable), "an acknowledged prefix comes back");
    throw new Error("unreachable");
  }
}

test("everything acknowledged comes back after any crash, and nothing else but whole newer tickets", () => {
  let crashes = 0;
  let removed = 0;
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(anyAction, { minLength: 30, maxLength: 150, size: "max" }),
      (seed, actions) => {
        const program = new Program(seed);
        for (const action of actions) program.do(action);
        program.crash("power");
        crashes += program.crashes;
        removed += program.rig.state.log.oldest - 1;
      },
    ),
    { includeErrorInReport: true, numRuns: 800 },
  );
  // The programs must get somewhere: crash often, and fill and give back segments.
  assert.ok(crashes > 1000, `${crashes} crashes`);
  assert.ok(removed > 100, `${removed} segments removed`);
});

test("a store that lives long in a few segments forgets nothing and grows no further", () => {
  const program = new Program(5);
  for (let round = 1; round <= 60; round++) {
    program.do({ kind: "append", region: 2, size: 6 });
    if (round === 3) program.do({ kind: "append", region: 3, size: 2 });
    if (round === 4) program.do({ kind: "vote", region: 4, size: 5 });
    if (round === 5) program.do({ kind: "destroy", region: 5, size: 1 });
    program.do({ kind: "settle", region: 2, size: 1 });
    program.do({ kind: "freeze", region: 2, size: 1 });
    program.do({ kind: "settle", region: 2, size: 1 });
    for (const region of [2, 3]) program.do({ kind: "compact", region, size: 1 });
    program.do({ kind: "settle", region: 2, size: 1 });
    if (round % 7 === 0) program.do({ kind: "crash", region: 2, size: 1 });
  }
  assert.ok(program.rig.state.log.segments.length <= 3);
  assert.ok(program.rig.state.log.oldest > 10);
  assert.ok(program.rig.disk.list().length <= 5, program.rig.disk.list().join(" "));
  program.crash("power");
  const logged = replayed(program.logged);
  assert.equal(
    [...logged.keys()].sort((a, b) => a - b),
    [2, 3, 4, 5],
  );
  assert.is(LogIndex(lastIndex(logged.get(RegionId(2)))), 360);
  assert.ok(program.logged.every(({ ticket }: { ticket: Ticket }) => ticket > 0));
});

test.run();
