import fc from "fast-check";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { Store } from "./store.ts";

const test = suite("mvcc: flashback");

const KEYS = ["a", "b", "c", "d", "e"];
const STEP = 10;

/** What is done with a key by one transaction after the other, from `at` on. */
const DEEDS: readonly ((key: string, at: number) => string)[] = [
  (key, at) => `put ${key} ${at} @${at}..${at + 5}`,
  (key, at) => `put ${key} x*${300 + at} @${at}..${at + 5}`,
  (key, at) => `remove ${key} @${at}..${at + 5}`,
  (key, at) => `touch ${key} @${at}..${at + 5}`,
  (key, at) => `rollback @${at} ${key}`,
  (key, at) => `prewrite @${at} primary=${key} put:${key}=left put:f=left`,
  (key, at) => `lock @${at} ${key} primary=${key}`,
];

const anyDeed = fc.tuple(fc.nat(DEEDS.length - 1), fc.nat(KEYS.length - 1));
const anyStory = fc.record({
  deeds: fc.array(anyDeed, { maxLength: 30 }),
  back: fc.nat(31),
  first: fc.nat(KEYS.length - 1),
  count: fc.nat(KEYS.length),
});

test("the range is what it was, the rest is what it is, and all that was before stays", () => {
  const property = fc.property(anyStory, ({ deeds, back, first, count }) => {
    const store = new Store();
    deeds.forEach(([deed, key], i) => store.say(DEEDS[deed]!(KEYS[key]!, (i + 1) * STEP)));
    const start = (deeds.length + 1) * STEP;
    const version = Math.min(back * STEP + 7, start - 1);
    const moments = deeds.flatMap((_, i) => [(i + 1) * STEP, (i + 1) * STEP + 5]);
    const before = (key: string, at: number): string => store.say(`get ${key} @${at} rc`);
    const was = KEYS.map((key) => [...moments, start + 5].map((at) => before(key, at)));
    const wanted = KEYS.map((key, i) =>
      before(key, i >= first && i < first + count ? version : start),
    );
    const range = `${KEYS[first]}..${KEYS[first + count] ?? "f"}`;
    const calls = [
      `prepare @${start} version=${version} ${range}`,
      `flashback @${start}..${start + 6} version=${version} ${range}`,
    ];
    for (const call of calls) {
      assert.is(store.say(call), "ok", call);
      store.takeChanges();
      assert.is(store.say(call), "ok", "once more");
      assert.equal(store.takeChanges(), [], "once more");
    }
    const after = (key: string, at: number): string => store.say(`get ${key} @${at} rc`);
    assert.equal(
      KEYS.map((key) => after(key, start + 6)),
      wanted,
    );
    assert.equal(
      KEYS.map((key) => [...moments, start + 5].map((at) => after(key, at))),
      was,
    );
    for (const key of KEYS.slice(first, first + count)) {
      assert.is(store.say(`locks @max ${key}..${key}0`), "ok", "no lock is left");
    }
  });
  fc.assert(property, { includeErrorInReport: true, numRuns: 100 });
});

test("a flashback that somebody has rolled back is not prepared again", () => {
  const store = new Store();
  store.say("put a 1 @10..15");
  const prepare = "prepare @50 version=20 a..f";
  assert.is(store.say(prepare), "ok");
  store.say("rollback @50 a");
  assert.match(store.say(prepare), /the flashback of start_ts 50 was rolled back/);
});

test.run();
