import fc from "fast-check";
import * as assert from "uvu/assert";
import { type Deed, describeDeed } from "../../sim/live/deed.ts";
import { faultsAfter, troublesAt } from "../../sim/live/marks.ts";
import { type Action, FIRST_PLAN, readPlay, writePlay } from "../../sim/live/play.ts";
import { suite } from "../harness.ts";

const test = suite("plays");

const own = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const name = fc.constantFrom("store 1", "pd 1", "client1", "ünï");
const links = fc.array(fc.tuple(name, name), { minLength: 1, maxLength: 3 });
const mode = fc.constantFrom("raw" as const, "transactional" as const);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  own({ type: fc.constant("crash" as const), machine: name, power: fc.boolean() }),
  own({ type: fc.constant("start" as const), machine: name }),
  own({ type: fc.constant("cut" as const), links }),
  own({
    type: fc.constant("clock_drift" as const),
    machine: name,
    millionths: fc.integer({ min: -900_000, max: 15_000_000 }),
  }),
  own({ type: fc.constant("put" as const), mode, key: name, value: fc.string() }),
  own({ type: fc.constant("scan" as const), mode, key: fc.string() }),
  fc.constant({ type: "heal" as const }),
);

test("a play that was written reads as it was", () => {
  fc.assert(
    fc.property(fc.array(deed), (deeds) => {
      const actions = deeds.map((one, i): Action => ({ atUs: i * 10, after: i, deed: one }));
      const play = { cluster: FIRST_PLAN, actions };
      assert.equal(readPlay(writePlay(play)), { ok: true, play });
    }),
    { includeErrorInReport: true },
  );
});

test("what is wrong with a play is named", () => {
  const wrong = (text: string): string => {
    const read = readPlay(text);
    return read.ok ? "nothing" : read.problem;
  };
  const play = (change: object, actions: readonly unknown[] = []): string =>
    JSON.stringify({ version: 1, cluster: { ...FIRST_PLAN, ...change }, actions });
  assert.match(wrong("{"), "not JSON");
  assert.match(wrong("[]"), "a play is an object");
  assert.match(wrong('{"version":9}'), "version 9");
  assert.match(wrong('{"version":1}'), "the cluster must be an object");
  assert.is(wrong(play({ stores: 99 })), "stores must be a whole number from 1 to 7, not 99");
  assert.is(wrong(play({ members: 2 })), "members must be 1, 3 or 5, not 2");
  assert.match(wrong(play({ seed: "x" })), "seed must be");
  const does = (value: unknown): string => wrong(play({}, [{ atUs: 5, after: 1, deed: value }]));
  assert.is(does({ type: "explode" }), "action 1: there is no deed explode");
  assert.is(does({ type: "crash", machine: "store 1" }), "action 1: crash: power makes no sense");
  assert.is(does({ type: "constructor" }), "action 1: there is no deed constructor");
  const back = [
    { atUs: 5, after: 1, deed: { type: "heal" } },
    { atUs: 4, after: 2, deed: { type: "heal" } },
  ];
  assert.is(wrong(play({}, back)), "action 2: atUs must be a time that grows");
});

test("a fault lasts until it is taken back, and until then it shows at every moment", () => {
  const at = (atUs: number, deed: Deed): Action => ({ atUs, after: atUs, deed });
  const actions = [
    at(10, { type: "crash", machine: "store 1", power: false }),
    at(20, {
      type: "cut",
      links: [
        ["store 1", "store 2"],
        ["store 2", "store 1"],
      ],
    }),
    at(25, { type: "put", mode: "raw", key: "a", value: "b" }),
    at(30, { type: "mend", links: [["store 1", "store 2"]] }),
    at(35, { type: "slow_disk", machine: "store 2", times: 10 }),
    at(40, { type: "mend", links: [["store 2", "store 1"]] }),
    at(50, { type: "start", machine: "store 1" }),
    at(55, { type: "clock_freeze", machine: "pd 1" }),
    at(60, { type: "heal" }),
  ];
  assert.equal(
    faultsAfter(actions).map(({ type, timeUs, endUs }) => [type, timeUs, endUs]),
    [
      ["crash", 10, 50],
      ["cut", 20, 40],
      ["slow_disk", 35, 60],
      ["clock_freeze", 55, 60],
    ],
  );
  assert.equal([...troublesAt(actions, 30).cuts], ["store 2>store 1"]);
  assert.equal(troublesAt(actions, 58).machines.get("pd 1")?.frozen, true);
  assert.is(troublesAt(actions, 58).machines.get("store 2")?.slowdown, 10);
  assert.is(troublesAt(actions, 60).machines.size, 0);
  const cut = at(1, { type: "cut", links: [["a", "b"]] });
  assert.is(troublesAt([cut, at(2, { type: "heal" })], 2).cuts.size, 0);
  assert.is(faultsAfter(actions.slice(0, 1))[0]?.endUs, Infinity);
});

test("links are told by their ends, both directions as one, those of one node together", () => {
  const cut = (...links: (readonly [string, string])[]): string =>
    describeDeed({ type: "cut", links });
  assert.is(cut(["a", "b"], ["b", "a"], ["c", "a"]), "cut: a ↔ b; a ← c");
  assert.is(cut(["a", "b"], ["c", "a"], ["a", "d"]), "cut: a → b, d; a ← c");
  assert.is(cut(["a", "b"], ["d", "c"], ["c", "d"]), "cut: a → b, c ↔ d");
  assert.is(cut(["a", "b"]), "cut: a → b");
});

test.run();
