/** What reads see, against a plain list of what was written; and what they cost. */
import fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp } from "../../engine/base/timestamp.ts";
import { answerRead } from "../../engine/mvcc/calls.ts";
import { GcJudge, type Judged, collectGarbage } from "../../engine/mvcc/gc.ts";
import { encodeKey, versionKey } from "../../engine/mvcc/keys.ts";
import { NO_CHANGE, UNKNOWN_CHANGE } from "../../engine/mvcc/record/last-change.ts";
import {
  type Write,
  type WriteType,
  encodeWrite,
  rollbackWrite,
} from "../../engine/mvcc/record/write.ts";
import { NEAR_STEPS } from "../../engine/mvcc/read/near-cursor.ts";
import { GetRequest, ScanRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { suite } from "../harness.ts";
import { Store } from "./store.ts";
import type { Cost } from "./view.ts";
import { tell, textOf } from "./words.ts";

const test = suite("mvcc reads");

const put = (startTs: number, value: string): Write => ({
  type: "put",
  startTs: Timestamp(BigInt(startTs)),
  shortValue: Uint8Array.from(value, (c) => c.charCodeAt(0)),
  overlappedRollback: false,
  gcFence: undefined,
  lastChange: UNKNOWN_CHANGE,
  txnSource: 0n,
});

/** A store whose write records are put there one by one. */
class Records extends Store {
  record(key: string, commitTs: number, write: Write): void {
    const stored = versionKey(encodeKey(key as Key), Timestamp(BigInt(commitTs)));
    this.apply([{ type: "put", cf: "write", key: stored, value: encodeWrite(write) }]);
  }

  /** What a read answers, and what it costs. */
  ask(line: "get" | "up" | "down", key: string, readTs: bigint): { text: string; cost: Cost } {
    const view = this.view();
    const call =
      line === "get"
        ? ({
            method: "KvGet",
            request: GetRequest.make({ key: key as Key, version: readTs }),
          } as const)
        : ({
            method: "KvScan",
            request: ScanRequest.make({ version: readTs, limit: 100, reverse: line === "down" }),
          } as const);
    const { response } = answerRead(view, call, this.bounds);
    return { text: tell(response.response), cost: view.cost };
  }
}

const MANY = 500;

test("a read among many versions costs no more than among few", () => {
  const store = new Records();
  for (let i = 1; i <= MANY; i++) store.record("k", 10 * i, put(10 * i - 5, String(i)));
  for (const [readTs, value] of [
    [MAX_TIMESTAMP, MANY],
    [2505n, 250],
    [10n, 1],
  ] as const) {
    const { text, cost } = store.ask("get", "k", readTs);
    assert.is(text, `value=${value}`);
    assert.equal(cost, { gets: 1, seeks: 1, steps: 0 });
  }
});

test("a scan of keys with many versions seeks over them, up and down", () => {
  const store = new Records();
  const keys = ["a", "b", "c", "d"];
  for (const key of keys) {
    for (let i = 1; i <= MANY; i++) store.record(key, 10 * i, put(10 * i - 5, String(i)));
  }
  for (const line of ["up", "down"] as const) {
    for (const readTs of [MAX_TIMESTAMP, 2505n, 10n]) {
      const { text, cost } = store.ask(line, "", readTs);
      assert.is(text.match(/key=/g)?.length, keys.length);
      assert.ok(cost.seeks <= 2 + 3 * keys.length, `${line} seeks ${cost.seeks} times`);
      const most = 3 * (NEAR_STEPS + 1) * keys.length;
      assert.ok(cost.steps <= most, `${line} takes ${cost.steps} steps`);
    }
  }
});

test("a read jumps over locks and rollbacks that tell where the last change is", () => {
  const store = new Records();
  store.record("k", 10, put(5, "old"));
  for (let i = 2; i <= MANY; i++) {
    store.record("k", 10 * i, {
      ...put(10 * i - 5, ""),
      type: "lock",
      shortValue: undefined,
      lastChange: { type: "at", commitTs: Timestamp(10n), versions: i - 1 },
    });
  }
  store.record("n", 10, {
    ...put(5, ""),
    type: "lock",
    shortValue: undefined,
    lastChange: NO_CHANGE,
  });
  assert.equal(store.ask("get", "k", MAX_TIMESTAMP), {
    text: "value=old",
    cost: { gets: 2, seeks: 1, steps: 0 },
  });
  assert.equal(store.ask("get", "n", MAX_TIMESTAMP).cost, { gets: 1, seeks: 1, steps: 0 });
  for (const line of ["up", "down"] as const) {
    const { text, cost } = store.ask(line, "", MAX_TIMESTAMP);
    assert.is(text, "pairs=[{key=k, value=old}]");
    assert.ok(cost.steps < 6 * NEAR_STEPS && cost.seeks < 10, `${cost.steps}, ${cost.seeks}`);
  }
});

test("a version behind a fence whose version is gone is garbage that came back", () => {
  const store = new Records();
  store.record("k", 10, { ...put(5, "v"), overlappedRollback: true, gcFence: Timestamp(20n) });
  assert.is(store.ask("get", "k", 19n).text, "value=v");
  for (const line of ["get", "up", "down"] as const) {
    assert.ok(["notFound", "ok"].includes(store.ask(line, "k", 20n).text));
  }
  assert.is(store.say("prewrite @30 primary=k insert:k=1"), "ok");
  const fresh = new Records();
  fresh.record("k", 10, { ...put(5, "v"), overlappedRollback: true, gcFence: Timestamp(0n) });
  assert.is(fresh.ask("get", "k", 20n).text, "value=v");
});

test("what cannot be read is told, and nothing is changed", () => {
  const damages = [
    { cf: "write", text: "damaged record: corrupt at offset 0 of write" },
    { cf: "lock", text: "damaged record: corrupt at offset 0 of lock" },
  ] as const;
  for (const { cf, text } of damages) {
    const store = new Store();
    store.say("put a 1 @1..2");
    const encoded = encodeKey("a" as Key);
    const key = cf === "lock" ? encoded : versionKey(encoded, Timestamp(4n));
    store.apply([{ type: "put", cf, key, value: Uint8Array.of(0) }]);
    store.takeChanges();
    for (const line of [
      "get a @9",
      "scan a..b @9",
      "scan a..b @9 reverse",
      "prewrite @9 primary=a put:a=1",
      "lock @9 a",
      "rollback @9 a",
      "status @9 a rollback",
      "secondaries @9 a",
      "show a",
    ]) {
      assert.ok(store.say(line).includes(text), `${line}: ${store.say(line)}`);
    }
    assert.equal(store.takeChanges(), []);
    assert.ok(store.last?.damage !== undefined);
  }
});

test("a value that is missing is damage, not absence", () => {
  const store = new Store();
  store.say("put a x*300 @1..2");
  store.apply([
    { type: "delete", cf: "default", key: versionKey(encodeKey("a" as Key), Timestamp(1n)) },
  ]);
  for (const line of ["get a @5", "mget a @5", "scan a..b @5", "lock @5 a values"]) {
    assert.ok(store.say(line).includes("missing_value"), line);
  }
  assert.is(store.say("scan a..b @5 keys"), "pairs=[{key=a}]");
});

test("reads stay within the bounds of their region", () => {
  const store = new Store();
  for (const key of ["a", "b", "c", "d"]) store.say(`put ${key} 1 @1..2`);
  store.bounds = { start: encodeKey("b" as Key), end: encodeKey("d" as Key) };
  assert.is(store.say("scan .. @5 keys"), "pairs=[{key=b}, {key=c}]");
  assert.is(store.say("scan .. @5 keys reverse"), "pairs=[{key=c}, {key=b}]");
  assert.is(store.say("scan x..z @5 keys"), "ok");
  assert.is(store.say("scan d..b @5 keys"), "ok");
});

// A history: what happened to which key, one commit after the other.
const anyEvent = fc.record({
  key: fc.constantFrom("a", "ab", "b", "\0", "12345678", "c"),
  what: fc.constantFrom("put", "put", "delete", "lock", "rollback"),
});
const anyHistory = fc.array(anyEvent, { maxLength: 60 });

interface Past {
  readonly store: Records;
  readonly seen: (key: string, readTs: number) => string | undefined;
}

/** Event number i starts at 10 i + 1 and commits at 10 i + 5. */
function pastOf(history: readonly { key: string; what: string }[]): Past {
  const store = new Records();
  history.forEach(({ key, what }, i) => {
    const [start, commit] = [10 * i + 1, 10 * i + 5];
    if (what === "rollback") {
      store.record(key, start, rollbackWrite(Timestamp(BigInt(start)), i % 2 === 0));
      return;
    }
    const mutation = what === "put" ? `put:${key}=${i}` : `${what}:${key}`;
    store.say(`prewrite @${start} primary=${key} ${mutation}`);
    store.say(`commit @${start}..${commit} ${key}`);
  });
  const seen = (key: string, readTs: number): string | undefined => {
    let value: string | undefined;
    history.forEach((event, i) => {
      if (event.key !== key || 10 * i + 5 > readTs) return;
      if (event.what === "put") value = String(i);
      if (event.what === "delete") value = undefined;
    });
    return value;
  };
  return { store, seen };
}

const KEYS = ["\0", "12345678", "a", "ab", "b", "c"];

function check({ store, seen }: Past, readTs: number): void {
  const expected = KEYS.flatMap((key) => {
    const value = seen(key, readTs);
    assert.is(
      store.ask("get", key, BigInt(readTs)).text,
      value === undefined ? "notFound" : `value=${value}`,
    );
    return value === undefined ? [] : [`{key=${key}, value=${value}}`];
  });
  const told = (pairs: readonly string[]): string =>
    pairs.length === 0 ? "ok" : `pairs=[${pairs.join(", ")}]`;
  assert.is(store.ask("up", "", BigInt(readTs)).text, told(expected));
  assert.is(store.ask("down", "", BigInt(readTs)).text, told(expected.toReversed()));
}

test("a read sees the newest put at or below its timestamp, by name, upwards and downwards", () => {
  fc.assert(
    fc.property(anyHistory, fc.nat(650), (history, readTs) => check(pastOf(history), readTs)),
    { includeErrorInReport: true, numRuns: 150 },
  );
});

test("collecting garbage changes no read at or above the safe point, however often it stops", () => {
  fc.assert(
    fc.property(anyHistory, fc.nat(650), fc.nat(100), (history, safePoint, more) => {
      const past = pastOf(history);
      for (const key of KEYS) {
        for (let complete = false; !complete;) {
          const encoded = encodeKey(key as Key);
          const at = Timestamp(BigInt(safePoint));
          const limit = 1 + (more % 4);
          const collected = collectGarbage(past.store.view(), encoded, at, limit);
          past.store.apply(collected.operations);
          complete = collected.complete;
          check(past, safePoint);
        }
      }
      check(past, safePoint + more);
    }),
    { includeErrorInReport: true, numRuns: 60 },
  );
});

const recordOf = (type: WriteType): Judged => ({ type, gcFence: undefined });

test("of what is at or below the safe point, one put at most is kept", () => {
  const judge = new GcJudge(Timestamp(10n));
  const verdicts = (
    [
      [12n, "put"],
      [11n, "rollback"],
      [10n, "lock"],
      [9n, "put"],
      [8n, "delete"],
      [7n, "put"],
    ] as const
  ).map(([commitTs, type]) => judge.judge(Timestamp(commitTs), recordOf(type)));
  assert.equal(verdicts, ["keep", "keep", "drop", "keep", "drop", "drop"]);
  const deleted = new GcJudge(Timestamp(10n));
  assert.is(deleted.judge(Timestamp(10n), recordOf("delete")), "drop_last");
  assert.is(deleted.judge(Timestamp(9n), recordOf("put")), "drop");
});

test("a key of any bytes is found under its own name", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const key = String.fromCharCode(...bytes) as Key;
      const store = new Records();
      store.record(key, 5, put(1, "v"));
      assert.is(store.ask("get", key, 9n).text, "value=v");
      const { response } = answerRead(
        store.view(),
        { method: "KvScan", request: ScanRequest.make({ version: 9n, limit: 9 }) },
        { start: EMPTY_KEY, end: EMPTY_KEY },
      );
      assert.ok(response.method === "KvScan" && response.response.pairs[0]?.key === key);
      assert.is(textOf(new Uint8Array(0)), "");
    }),
    { includeErrorInReport: true, numRuns: 100 },
  );
});

test.run();
