/** What the owner of the room is told about a call, before and after. */
import * as assert from "uvu/assert";
import { type Key } from "../../engine/base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp } from "../../engine/base/timestamp.ts";
import {
  type MvccWrite,
  footprintOf,
  maxTsOf,
  needsSyncedMaxTs,
  partOf,
  refuseCall,
} from "../../engine/mvcc/calls.ts";
import { LOCKS_AT_ONCE } from "../../engine/mvcc/command/part.ts";
import { decodeKey, encodeKey } from "../../engine/mvcc/keys.ts";
import { conflictOf, snapshotOf } from "../../engine/mvcc/read/snapshot.ts";
import { suite } from "../harness.ts";
import { callOf } from "./requests.ts";
import { Store } from "./store.ts";
import { TRANSCRIPTS } from "./transcripts.ts";
import { parseLine, tell, tsText } from "./words.ts";

const test = suite("mvcc calls");

const NO_KEY = "" as Key;
const call = (line: string): ReturnType<typeof callOf> => callOf(parseLine(line));
const write = (line: string): MvccWrite => call(line) as MvccWrite;

/** The names of the keys, or the ends of the range, that a call may touch. */
function footprint(line: string): string {
  const told = footprintOf(call(line));
  const name = (key: Key): string => (key === NO_KEY ? "" : (decodeKey(key) ?? "?"));
  return told.type === "keys"
    ? told.keys.map(name).join(" ")
    : `${name(told.range.start)}..${name(told.range.end)}`;
}

test("a call names the keys or the range that it touches, as they are stored", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["get a @1", "a"],
    ["mget b a @1", "b a"],
    ["buffer a b @1", "a b"],
    ["scan a..c @1", "a..c"],
    ["scan a..c @1 reverse", "a..c"],
    ["scan .. @1 reverse", ".."],
    ["locks @1 b..", "b.."],
    ["show a", "a"],
    ["find @1", ".."],
    ["prewrite @1 primary=a put:b=1 check:c", "b c"],
    ["commit @1..2 a b", "a b"],
    ["rollback @1 a", "a"],
    ["cleanup @1 a", "a"],
    ["lock @1 a b", "a b"],
    ["unlock @1 a", "a"],
    ["unlock @1", ".."],
    ["beat @1 a", "a"],
    ["status @1 a", "a"],
    ["secondaries @1 a b", "a b"],
    ["resolve @1..2 a", "a"],
    ["resolve @1..2", ".."],
    ["drop a..c", "a..c"],
    ["flush @1 gen=1 put:a=1", "a"],
  ];
  for (const [line, expected] of cases) assert.is(footprint(line), expected, line);
});

test("whatever is read at a timestamp keeps later commits above it", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["get a @7", "7"],
    ["get a @max", "0"],
    ["get a @7 stale", "0"],
    ["mget a @7 rc", "7"],
    ["scan a..b @7", "7"],
    ["locks @7", "7"],
    ["show a", "0"],
    ["prewrite @7 put:a=1", "0"],
    ["prewrite @7 insert:a=1", "7"],
    ["prewrite @7 put:a=1 check:b", "7"],
    ["lock @7 a for=9", "0"],
    ["lock @7 a for=9 values", "9"],
    ["lock @7 a for=9 exists", "9"],
    ["lock @7 pessimistic:a:absent for=9", "9"],
    ["status @7 a caller=8 now=9", "9"],
    ["status @7 a caller=max now=max", "7"],
    ["secondaries @7 a", "7"],
    ["cleanup @7 a", "7"],
    ["rollback @7 a", "7"],
    ["resolve @7..9 a", "0"],
    ["resolve 7..0 8..9", "7"],
    ["commit @7..9 a", "0"],
    ["beat @7 a", "0"],
  ];
  for (const [line, expected] of cases) assert.is(tsText(maxTsOf(call(line))), expected, line);
});

test("only a commit timestamp that is calculated needs a certain max_ts", () => {
  assert.ok(needsSyncedMaxTs(write("prewrite @1 put:a=1 async=")));
  assert.ok(needsSyncedMaxTs(write("prewrite @1 put:a=1 onepc")));
  assert.not(needsSyncedMaxTs(write("prewrite @1 put:a=1")));
  assert.not(needsSyncedMaxTs(write("commit @1..2 a")));
});

test("locks that are looked for come in parts, each to be latched by itself", () => {
  const store = new Store();
  const count = 2 * LOCKS_AT_ONCE + 10;
  const names = Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, "0")}`);
  for (const name of names) store.say(`prewrite @5 primary=k0000 put:${name}=1`);
  store.say("prewrite @6 primary=x put:x=1");
  const request = write("resolve @5..9");
  const sizes: number[] = [];
  for (let from: Key | undefined = NO_KEY; from !== undefined;) {
    const part = partOf(store.view(), request, store.bounds, from);
    sizes.push(part.keys.length);
    from = part.next;
  }
  assert.equal(sizes, [LOCKS_AT_ONCE, LOCKS_AT_ONCE, 10]);
  store.takeChanges();
  assert.is(store.say("resolve @5..9"), "ok");
  assert.is(store.takeChanges().length, 2 * count);
  assert.is(store.say("locks @max"), "locks=[{primaryLock=x, lockVersion=6, key=x}]");
  const named = partOf(store.view(), write("resolve @6..9 x"), store.bounds, NO_KEY);
  assert.equal(named, { keys: [encodeKey("x" as Key)], next: undefined, damage: undefined });
});

test("parts stay within the region", () => {
  const store = new Store();
  for (const key of ["a", "b", "c"]) store.say(`lock @5 ${key} primary=a`);
  store.bounds = { start: encodeKey("b" as Key), end: encodeKey("c" as Key) };
  store.takeChanges();
  store.say("unlock @5");
  assert.equal(store.takeChanges(), ["lock    - b"]);
});

test("a calculated commit leaves its locks for reads to see until it is applied", () => {
  const store = new Store();
  store.say("prewrite @10 primary=a put:a=1 put:b=2 async=b");
  const [a, b] = store.last!.memoryLocks;
  assert.equal(
    [a?.key, b?.key].map((key) => decodeKey(key!)),
    ["a", "b"],
  );
  assert.is(a?.lock.minCommitTs, 11n);
  assert.not(a?.onePhase);
  store.say("prewrite @10 primary=c put:c=1 onepc");
  const [c] = store.last!.memoryLocks;
  assert.ok(c?.onePhase);
  const at = (readTs: bigint, onePhase: boolean): string => {
    const refusal = conflictOf(snapshotOf(undefined, readTs), "c" as Key, c.lock, onePhase);
    return refusal?.type ?? "free";
  };
  assert.equal([at(10n, true), at(11n, true)], ["free", "locked"]);
  // Nobody can go before it: it commits in this very step.
  assert.equal([at(MAX_TIMESTAMP, true), at(MAX_TIMESTAMP, false)], ["locked", "free"]);
  store.say("prewrite @10 primary=d put:d=1");
  assert.equal(store.last!.memoryLocks, []);
});

test("whoever waits for a lock can be told when it is gone, and how", () => {
  const store = new Store();
  const released = (line: string): readonly string[] => {
    store.say(line);
    return store.last!.released.map(
      ({ key, startTs, commitTs, isPessimistic }) =>
        `${decodeKey(key)} ${startTs} ${commitTs} ${isPessimistic}`,
    );
  };
  store.say("prewrite @5 primary=a put:a=1 put:b=1");
  assert.equal(released("commit @5..6 a"), ["a 5 6 false"]);
  assert.equal(released("commit @5..6 a"), []);
  assert.equal(released("rollback @5 b"), ["b 5 0 false"]);
  store.say("lock @7 c d e");
  assert.equal(released("unlock @7 c"), ["c 7 0 true"]);
  const onepc = "prewrite @7 primary=d for=7 onepc actions=check put:d=1";
  assert.equal(released(onepc), ["d 7 8 true"]);
  assert.equal(released("resolve @7..8"), ["e 7 0 true"]);
});

test("a pessimistic lock request that is blocked says by what, and locks nothing", () => {
  const store = new Store();
  store.say("lock @5 b ttl=9");
  store.takeChanges();
  const answer = store.say("lock @6 a b");
  assert.ok(answer.startsWith("errors=[{locked={primaryLock=b, lockVersion=5, key=b"));
  assert.is(store.last!.blockedBy?.lockVersion, 5n);
  assert.equal(store.takeChanges(), []);
  assert.is(store.say("lock @6 a"), "ok");
  assert.is(store.last!.blockedBy, undefined);
});

test("the owner's own refusals have the shape of the method's answer", () => {
  const refusal = { type: "txn_not_found", startTs: Timestamp(5n), key: "k" as Key } as const;
  const error = "{txnNotFound={startTs=5, primaryKey=k}}";
  const told = (method: Parameters<typeof refuseCall>[0]): string =>
    tell(refuseCall(method, refusal).response);
  assert.is(told("KvGet"), `error=${error}`);
  assert.is(told("KvPrewrite"), `errors=[${error}]`);
  assert.is(told("KvScan"), `pairs=[{error=${error}}], error=${error}`);
});

test("said twice, no line changes anything the second time", () => {
  for (const [name, lines] of Object.entries(TRANSCRIPTS)) {
    const store = new Store();
    for (const line of lines) {
      if (line.startsWith("#")) continue;
      store.say(line);
      store.takeChanges();
      if (line.includes("gc ") || line.includes("drop")) continue;
      store.say(line);
      assert.equal(store.takeChanges(), [], `${name}: ${line}`);
    }
  }
});

test("timestamps that nobody is given are refused, and never stop the store", () => {
  const store = new Store();
  for (const line of [
    "prewrite @max put:a=1 async=",
    "prewrite @0 put:a=1",
    "prewrite @5 put:a=1 for=max actions=check",
    "prewrite @5 put:a=1 min=max onepc",
    "lock @max a",
    "lock @5 a for=max",
    "rollback @max a",
    "cleanup @0 a",
    "status @max a",
    "status @0 a rollback",
    "secondaries @max a",
    "resolve @5..max a",
    "resolve 0..9",
    "resolve @0..9 a",
    "commit @5..max a",
    "flush @max gen=1 put:a=1",
    "beat @5 a min=max",
    "unlock @0 a",
  ]) {
    assert.ok(/invalid|Invalid/.test(store.say(line)), `${line}: ${store.say(line)}`);
  }
  for (const line of ["get a @0", "get a @max", "scan .. @0", "buffer a @max", "find @max"]) {
    assert.ok(store.say(line) !== "", line);
  }
  assert.equal(store.takeChanges(), []);
});

test.run();
