import fc from "fast-check";
import * as assert from "uvu/assert";
import { inRange } from "../../engine/base/bytes.ts";
import type { Key } from "../../engine/base/bytes.ts";
import {
  all,
  beforeKey,
  byId,
  byKey,
  confVerOf,
  emptyRegistry,
  loadOf,
  put,
  scan,
  versionOf,
} from "../../engine/placement/catalog/registry.ts";
import type { Registry, RegionInfo } from "../../engine/placement/catalog/registry.ts";
import { suite } from "../harness.ts";
import { heardOf, key, voter } from "./region-kit.ts";
import type { RegionShape } from "./region-kit.ts";

const test = suite("placement/registry");

function filled(...shapes: readonly RegionShape[]): Registry {
  let registry = emptyRegistry();
  for (const shape of shapes) registry = put(registry, heardOf(shape)) ?? registry;
  return registry;
}

const ids = (infos: Iterable<RegionInfo>): readonly number[] =>
  Array.from(infos, (info) => info.region.id);

test("a key is looked up in the region that holds it, and nowhere else", () => {
  const registry = filled(
    { id: 1, end: "g" },
    { id: 2, start: "k", end: "p" },
    { id: 3, start: "p" },
  );
  assert.is(byKey(registry, key(""))?.region.id, 1);
  assert.is(byKey(registry, key("f\xff"))?.region.id, 1);
  assert.is(byKey(registry, key("g")), undefined);
  assert.is(byKey(registry, key("k"))?.region.id, 2);
  assert.is(byKey(registry, key("\xff\xff"))?.region.id, 3);
});

test("the empty key is in no region where none starts with it", () => {
  assert.is(byKey(filled({ id: 3, start: "p" }), key("")), undefined);
});

test("the region before a key must border on the region of the key", () => {
  const registry = filled(
    { id: 1, end: "g" },
    { id: 2, start: "k", end: "p" },
    { id: 3, start: "p" },
  );
  assert.is(beforeKey(registry, key("q"))?.region.id, 2);
  assert.is(beforeKey(registry, key("l")), undefined);
  assert.is(beforeKey(registry, key("a")), undefined);
});

test("a scan begins with the region that holds its first key and ends before its end", () => {
  const registry = filled(
    { id: 1, end: "g" },
    { id: 2, start: "g", end: "p" },
    { id: 3, start: "p" },
  );
  assert.equal(ids(scan(registry, key("b"), key("p"), 0)), [1, 2]);
  assert.equal(ids(scan(registry, key("b"), key(""), 0)), [1, 2, 3]);
  assert.equal(ids(scan(registry, key("g"), key(""), 1)), [2]);
});

test("an older epoch is refused, in either of its counts", () => {
  const registry = filled({ id: 1, version: 3, confVer: 3 });
  assert.is(put(registry, heardOf({ id: 1, version: 2, confVer: 3 })), undefined);
  assert.is(put(registry, heardOf({ id: 1, version: 3, confVer: 2 })), undefined);
});

test("a leader of an older term is refused where the epoch is the same", () => {
  const registry = put(emptyRegistry(), heardOf({ id: 1 }, { term: 8 }));
  assert.ok(registry !== undefined);
  assert.is(put(registry, heardOf({ id: 1 }, { term: 7 })), undefined);
  assert.ok(put(registry, heardOf({ id: 1, version: 2 }, { term: 7 })) !== undefined);
});

test("a region that overlaps a newer one is refused, and removes what is not newer", () => {
  const registry = filled({ id: 1, end: "m", version: 5 }, { id: 2, start: "m", version: 2 });
  assert.is(put(registry, heardOf({ id: 3, version: 4 })), undefined);
  const merged = put(registry, heardOf({ id: 3, version: 5 }));
  assert.ok(merged !== undefined);
  assert.equal(ids(all(merged)), [3]);
});

test("a region that shrinks leaves its former range", () => {
  const registry = filled({ id: 1 }, { id: 1, start: "m", version: 2 });
  assert.is(byKey(registry, key("a")), undefined);
  assert.is(byId(registry, 1)?.region.startKey, key("m"));
});

test("a region without a key in it is refused", () => {
  assert.is(put(emptyRegistry(), heardOf({ id: 1, start: "m", end: "m" })), undefined);
  assert.is(put(emptyRegistry(), heardOf({ id: 1, start: "m", end: "a" })), undefined);
});

test("the load of a store counts its peers and the leaders among them", () => {
  const peers = [voter(10, 1), voter(11, 2)];
  const registry = filled({ id: 1, end: "m", peers }, { id: 2, start: "m" });
  assert.equal(loadOf(registry, 1), { peers: 2, leaders: 2 });
  assert.equal(loadOf(registry, 2), { peers: 1, leaders: 0 });
  assert.equal(loadOf(registry, 3), { peers: 0, leaders: 0 });
});

/** The registry as a list and nothing else. */
function naivePut(list: readonly RegionInfo[], info: RegionInfo): readonly RegionInfo[] {
  const { region } = info;
  const origin = list.find((other) => other.region.id === region.id);
  if (origin !== undefined) {
    const newer = versionOf(region) - versionOf(origin.region);
    const changed = confVerOf(region) - confVerOf(origin.region);
    if (newer < 0 || changed < 0) return list;
    if (newer + changed === 0 && info.term < origin.term) return list;
  }
  const meets = (other: RegionInfo): boolean =>
    (region.endKey === "" || other.region.startKey < region.endKey) &&
    (other.region.endKey === "" || region.startKey < other.region.endKey);
  const others = list.filter((other) => other.region.id !== region.id);
  if (others.some((other) => meets(other) && versionOf(other.region) > versionOf(region)))
    return list;
  return [...others.filter((other) => !meets(other)), info].sort((a, b) =>
    a.region.startKey < b.region.startKey ? -1 : 1,
  );
}

const LETTERS = ["", "a", "b", "c", "d", "e"];
const anyInfo = fc
  .record({
    id: fc.integer({ min: 1, max: 6 }),
    from: fc.integer({ min: 0, max: 5 }),
    length: fc.integer({ min: 1, max: 6 }),
    version: fc.integer({ min: 1, max: 4 }),
    confVer: fc.integer({ min: 1, max: 3 }),
    term: fc.integer({ min: 0, max: 3 }),
    store: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ id, from, length, version, confVer, term, store }) =>
    heardOf(
      {
        id,
        start: LETTERS[from]!,
        end: LETTERS[from + length] ?? "",
        version,
        confVer,
        peers: [voter(id * 10, store)],
      },
      { term },
    ),
  );

test("over random reports it agrees with a plain list", () => {
  const property = fc.property(fc.array(anyInfo, { maxLength: 40 }), (infos) => {
    let registry = emptyRegistry();
    let list: readonly RegionInfo[] = [];
    for (const info of infos) {
      registry = put(registry, info) ?? registry;
      list = naivePut(list, info);
      assert.equal([...all(registry)], list);
    }
    for (const letter of ["", "a", "bb", "c", "z"] as Key[]) {
      const holding = list.find(({ region }) => inRange(letter, region.startKey, region.endKey));
      assert.is(byKey(registry, letter), holding);
    }
    for (let store = 1; store <= 3; store++) {
      const peers = list.filter(({ region }) => region.peers[0]?.storeId === store).length;
      assert.equal(loadOf(registry, store), { peers, leaders: peers });
    }
    for (let id = 1; id <= 6; id++) {
      assert.is(
        byId(registry, id),
        list.find(({ region }) => region.id === id),
      );
    }
  });
  fc.assert(property, { includeErrorInReport: true });
});

test.run();
