/** What compactions leave out and sweeps remove, against reads of what was there before. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import { garbageFilter } from "../../engine/mvcc/garbage-filter.ts";
import { keyOfVersion, encodeKey, timestampOfVersion, versionKey } from "../../engine/mvcc/keys.ts";
import { decodeWrite, encodeWrite, type Write } from "../../engine/mvcc/record/write.ts";
import { NO_CHANGE, UNKNOWN_CHANGE } from "../../engine/mvcc/record/last-change.ts";
import { sweep } from "../../engine/mvcc/sweep.ts";
import type { ColumnFamily, KvOperation } from "../../engine/storage/types.ts";
import { suite } from "../harness.ts";
import { Store } from "./store.ts";

const test = suite("mvcc collection");

const KEYS = ["a", "b", "c"] as const;
const LAST = 60;
const EVERYTHING = { start: EMPTY_KEY, end: EMPTY_KEY };
const ts = (at: number): Timestamp => Timestamp(BigInt(at));

/** Kinds of versions: short and long puts, deletes, locks, rollbacks. */
type Kind = "s" | "l" | "d" | "k" | "r";

/** Of each key its versions, oldest first, at commit timestamps of which no two are equal. */
const anyHistory: fc.Arbitrary<readonly (readonly [at: number, kind: Kind])[][]> = fc.array(
  fc
    .uniqueArray(
      fc.tuple(
        fc.integer({ min: 2, max: LAST }),
        fc.constantFrom<Kind[]>("s", "s", "l", "d", "k", "r"),
      ),
      { maxLength: 14, selector: ([at]) => at },
    )
    .map((versions) => [...versions].sort(([a], [b]) => a - b)),
  { minLength: KEYS.length, maxLength: KEYS.length },
);

const text = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0));

/** Records carry no hints of the last change: what is read is what is there. */
function recordOf(at: number, kind: Kind): Write {
  const types = { s: "put", l: "put", d: "delete", k: "lock", r: "rollback" } as const;
  return {
    type: types[kind],
    startTs: ts(kind === "r" ? at : at - 1),
    shortValue: kind === "s" ? text(`s${at}`) : undefined,
    overlappedRollback: false,
    gcFence: undefined,
    lastChange: kind === "k" || kind === "r" ? UNKNOWN_CHANGE : NO_CHANGE,
    txnSource: 0n,
  };
}

function storeOf(history: readonly (readonly (readonly [number, Kind])[])[]): Store {
  const store = new Store();
  const operations: KvOperation[] = [];
  for (const [i, versions] of history.entries()) {
    const key = encodeKey(KEYS[i] as Key);
    for (const [at, kind] of versions) {
      const write = recordOf(at, kind);
      const stored = versionKey(key, ts(at));
      operations.push({ type: "put", cf: "write", key: stored, value: encodeWrite(write) });
      if (kind !== "l") continue;
      const value = text(`l${at}`);
      operations.push({ type: "put", cf: "default", key: versionKey(key, write.startTs), value });
    }
  }
  store.apply(operations);
  return store;
}

function entriesOf(store: Store, cf: ColumnFamily): readonly (readonly [Key, Uint8Array])[] {
  const entries: (readonly [Key, Uint8Array])[] = [];
  const cursor = store.view().cursor(cf, { lower: EMPTY_KEY, upper: EMPTY_KEY });
  for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) {
    entries.push([cursor.key, cursor.value.slice()]);
  }
  return entries;
}

/** What readers from `safePoint` on see. */
function seenFrom(store: Store, safePoint: number): string {
  const lines: string[] = [];
  for (let at = safePoint; at <= LAST + 1; at++) {
    for (const key of KEYS) lines.push(`${key}@${at}: ${store.say(`get ${key} @${at}`)}`);
    lines.push(store.say(`scan a..z @${at} limit=10`));
  }
  return lines.join("\n");
}

/** A compaction that sees every entry for which `chosen` says so. */
function compact(store: Store, safePoint: number, chosen: (place: number) => boolean): void {
  const filter = garbageFilter(BigInt(safePoint));
  const gone: KvOperation[] = [];
  for (const [place, [key, value]] of entriesOf(store, "write").entries()) {
    if (!chosen(place) || !filter.leavesOut(key, value)) continue;
    gone.push({ type: "delete", cf: "write", key });
  }
  store.apply(gone);
}

function sweepAll(store: Store, safePoint: number, limit: number): void {
  let start: Key | undefined = EMPTY_KEY;
  for (let steps = 0; start !== undefined; steps++) {
    assert.ok(steps < 300, "a sweep ends");
    const swept = sweep(store.view(), { ...EVERYTHING, start }, ts(safePoint), limit);
    store.apply(swept.operations);
    start = swept.next;
  }
}

test("whatever a compaction sees, what it leaves out changes no read from the safe point on", () => {
  fc.assert(
    fc.property(
      anyHistory,
      fc.integer({ min: 0, max: LAST }),
      fc.array(fc.array(fc.boolean(), { minLength: 45, maxLength: 45 }), { maxLength: 3 }),
      (history, safePoint, compactions) => {
        const store = storeOf(history);
        const before = seenFrom(store, safePoint);
        for (const chosen of compactions) {
          compact(store, safePoint, (place) => chosen[place] === true);
          assert.is(seenFrom(store, safePoint), before);
        }
      },
    ),
    { includeErrorInReport: true, numRuns: 60 },
  );
});

test("a sweep, however it is cut, leaves of a key one put at or below the safe point, with its value", () => {
  fc.assert(
    fc.property(
      anyHistory,
      fc.integer({ min: 0, max: LAST }),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      (history, safePoint, limit, compacted) => {
        const store = storeOf(history);
        const before = seenFrom(store, safePoint);
        if (compacted) compact(store, safePoint, (place) => place % 2 === 0);
        sweepAll(store, safePoint, limit);
        assert.is(seenFrom(store, safePoint), before);
        const left = new Map<Key, number>();
        const values = new Set<Key>();
        for (const [stored, record] of entriesOf(store, "write")) {
          const decoded = decodeWrite(record);
          assert.ok(decoded.ok);
          const key = keyOfVersion(stored);
          const { write } = decoded;
          if (write.type === "put" && write.shortValue === undefined) {
            values.add(versionKey(key, write.startTs));
          }
          if (timestampOfVersion(stored)! > ts(safePoint)) continue;
          assert.is(write.type, "put");
          left.set(key, (left.get(key) ?? 0) + 1);
        }
        assert.ok([...left.values()].every((count) => count === 1));
        assert.equal(new Set(entriesOf(store, "default").map(([key]) => key)), values);
      },
    ),
    { includeErrorInReport: true, numRuns: 60 },
  );
});

test("a compaction leaves a delete and a long value to the sweep, and what is no version alone", () => {
  const store = storeOf([
    [
      [10, "s"],
      [20, "d"],
    ],
    [
      [10, "l"],
      [20, "s"],
    ],
    [
      [10, "r"],
      [20, "k"],
    ],
  ]);
  const odd = "no version at all" as Key;
  store.apply([
    { type: "put", cf: "write", key: odd, value: encodeWrite(recordOf(3, "r")) },
    { type: "put", cf: "write", key: "short" as Key, value: text("P") },
  ]);
  compact(store, 30, () => true);
  const left = entriesOf(store, "write").map(([key]) => key);
  const version = (key: string, at: number): Key => versionKey(encodeKey(key as Key), ts(at));
  assert.equal(left, [version("a", 20), version("b", 20), version("b", 10), odd, "short"]);
  sweepAll(store, 30, 100);
  const swept = entriesOf(store, "write").map(([key]) => key);
  assert.equal(swept, [version("b", 20), odd, "short"]);
  assert.equal(entriesOf(store, "default"), []);
});

test("a version that came back behind its fence goes again, after what is older", () => {
  const store = storeOf([[], [], []]);
  const key = encodeKey("a" as Key);
  const back = { ...recordOf(10, "s"), gcFence: ts(20), overlappedRollback: true };
  store.apply([
    { type: "put", cf: "write", key: versionKey(key, ts(5)), value: encodeWrite(recordOf(5, "s")) },
    { type: "put", cf: "write", key: versionKey(key, ts(10)), value: encodeWrite(back) },
  ]);
  const before = seenFrom(store, 30);
  sweepAll(store, 30, 1);
  assert.is(seenFrom(store, 30), before);
  assert.equal(entriesOf(store, "write"), []);
});

test("a sweep leaps over versions above the safe point, and says that there are some", () => {
  const store = storeOf([Array.from({ length: 58 }, (_, i) => [i + 2, "s"] as const), [], []]);
  const swept = sweep(store.view(), EVERYTHING, ts(3), 1000);
  assert.ok(swept.newer);
  assert.is(swept.operations.length, 1);
  assert.ok(swept.looked < 20, `it has looked at ${swept.looked}`);
  const all = sweep(store.view(), EVERYTHING, ts(LAST), 1000);
  assert.not(all.newer);
});

test.run();
