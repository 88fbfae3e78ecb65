import fc from "fast-check";
import * as assert from "uvu/assert";
import { createWire } from "../../engine/base/wire.ts";
import { apply, clusterIdFrom, emptyCatalog } from "../../engine/placement/catalog/catalog.ts";
import type { Catalog } from "../../engine/placement/catalog/catalog.ts";
import {
  decodeCatalog,
  decodeCommand,
  encodeCatalog,
  encodeCommand,
} from "../../engine/placement/catalog/command-codec.ts";
import type { Command, Outcome } from "../../engine/placement/catalog/command.ts";
import { byId } from "../../engine/placement/catalog/registry.ts";
import { StoreState } from "../../engine/protocol/gen/metapb.ts";
import { suite } from "../harness.ts";
import { regionOf, storeOf } from "./region-kit.ts";

const test = suite("placement/catalog");

const wire = createWire();

const BOOTSTRAP = {
  type: "bootstrap",
  store: storeOf(1),
  region: regionOf({ id: 2 }),
} as const satisfies Command;

function after(...commands: readonly Command[]): { catalog: Catalog; outcome: Outcome } {
  let last: { catalog: Catalog; outcome: Outcome } = {
    catalog: emptyCatalog(),
    outcome: { type: "done" },
  };
  for (const command of commands) last = apply(last.catalog, command);
  return last;
}

const reasonOf = (outcome: Outcome): string => (outcome.type === "refused" ? outcome.reason : "");

test("the first cluster id drawn stays", () => {
  const { catalog } = after(
    { type: "draw_cluster", clusterId: 7n },
    { type: "draw_cluster", clusterId: 8n },
  );
  assert.is(catalog.clusterId, 7n);
});

test("a cluster id is exact as a number, whatever it is drawn from", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (seed) => {
      const id = clusterIdFrom(seed);
      assert.ok(id > 0n && id <= BigInt(Number.MAX_SAFE_INTEGER));
    }),
    { includeErrorInReport: true },
  );
});

test("a cluster is bootstrapped once", () => {
  const { catalog, outcome } = after(BOOTSTRAP, { ...BOOTSTRAP, store: storeOf(9) });
  assert.is(reasonOf(outcome), "already_bootstrapped");
  assert.equal(
    catalog.stores.map(({ id }) => id),
    [1],
  );
  assert.is(byId(catalog.regions, 2)?.region.id, 2);
});

test("a store is put only into a bootstrapped cluster", () => {
  assert.is(reasonOf(after({ type: "put_store", store: storeOf(1) }).outcome), "not_bootstrapped");
});

test("two stores do not share an address, unless one of them is a tombstone", () => {
  const twin: Command = { type: "put_store", store: storeOf(3, { address: "store-1:20160" }) };
  const bury: Command = { type: "set_store_state", store: 1, state: StoreState.Tombstone };
  assert.match((after(BOOTSTRAP, twin).outcome as { message: string }).message, "duplicated store");
  assert.is(after(BOOTSTRAP, bury, twin).outcome.type, "done");
});

test("a tombstone stays one", () => {
  const bury: Command = { type: "set_store_state", store: 1, state: StoreState.Tombstone };
  const again: Command = { type: "put_store", store: storeOf(1) };
  assert.is(reasonOf(after(BOOTSTRAP, bury, again).outcome), "store_tombstone");
  const up: Command = { type: "set_store_state", store: 1, state: StoreState.Up };
  assert.is(reasonOf(after(BOOTSTRAP, bury, up).outcome), "store_tombstone");
});

test("a store that describes itself anew keeps the state it was given", () => {
  const { catalog } = after(
    BOOTSTRAP,
    { type: "set_store_state", store: 1, state: StoreState.Offline },
    { type: "put_store", store: storeOf(1, { address: "moved:20160" }) },
  );
  assert.is(catalog.stores[0]?.state, StoreState.Offline);
  assert.is(catalog.stores[0]?.address, "moved:20160");
});

test("the cluster's version is the lowest of its stores, and older ones are refused from then on", () => {
  const newer: Command = { type: "put_store", store: storeOf(1, { version: "9.0.0" }) };
  const older: Command = { type: "put_store", store: storeOf(3, { version: "8.5.9" }) };
  assert.is(after(BOOTSTRAP, newer).catalog.clusterVersion, "9.0.0");
  assert.is(reasonOf(after(BOOTSTRAP, newer, older).outcome), "incompatible_version");
});

test("reservations of ids never meet", () => {
  const first = after({ type: "reserve_ids", count: 5 });
  const second = apply(first.catalog, { type: "reserve_ids", count: 5 });
  assert.equal(first.outcome, { type: "ids", first: 1, count: 5 });
  assert.equal(second.outcome, { type: "ids", first: 6, count: 5 });
});

test("a window never gets shorter", () => {
  const { catalog } = after({ type: "save_window", end: 9 }, { type: "save_window", end: 5 });
  assert.is(catalog.windowEnd, 9);
});

const timestamp = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constant("draw_cluster" as const),
    clusterId: fc.bigInt({ min: 1n, max: 99n }),
  }),
  fc.record({
    type: fc.constant("reserve_ids" as const),
    count: fc.integer({ min: 1, max: 1000 }),
  }),
  fc.record({ type: fc.constant("save_window" as const), end: fc.maxSafeNat() }),
  fc.constant(BOOTSTRAP),
  fc.record({
    type: fc.constant("put_store" as const),
    store: fc.integer({ min: 1, max: 5 }).map((id) => storeOf(id)),
  }),
  fc.record({
    type: fc.constant("set_store_state" as const),
    store: fc.integer({ min: 1, max: 5 }),
    state: fc.nat(2),
  }),
  fc.record({
    type: fc.constant("record_regions" as const),
    regions: fc.array(
      fc
        .record({ id: fc.integer({ min: 1, max: 4 }), version: fc.integer({ min: 1, max: 4 }) })
        .map(({ id, version }) =>
          regionOf({ id, version, start: `\xff${id}`, end: `\xff${id + 1}` }),
        ),
      { maxLength: 3 },
    ),
  }),
  fc.record({ type: fc.constant("set_max_peers" as const), count: fc.nat(9) }),
  fc.record({ type: fc.constant("set_external_timestamp" as const), timestamp }),
  fc.record({
    type: fc.constant("safe_point" as const),
    command: fc.oneof(
      fc.record({
        type: fc.constant("advance_gc" as const),
        target: timestamp,
        lenient: fc.boolean(),
      }),
      fc.record({
        type: fc.constant("advance_transaction" as const),
        target: timestamp,
        lenient: fc.boolean(),
        now: fc.nat(),
      }),
      fc.record({
        type: fc.constant("set_barrier" as const),
        barrier: fc.record({
          id: fc.string(),
          timestamp,
          expiresAt: fc.maxSafeNat(),
          global: fc.boolean(),
        }),
        lenient: fc.boolean(),
      }),
      fc.record({
        type: fc.constant("delete_barrier" as const),
        id: fc.string(),
        global: fc.boolean(),
      }),
    ),
  }),
);

test("commands and catalogs survive their bytes", () => {
  const property = fc.property(fc.array(anyCommand, { maxLength: 12 }), (commands) => {
    let catalog = emptyCatalog();
    for (const command of commands) {
      const decoded = decodeCommand(encodeCommand(command, wire), wire);
      assert.ok(decoded.ok, decoded.ok ? "" : decoded.reason);
      assert.equal(encodeCommand(decoded.value, wire), encodeCommand(command, wire));
      assert.is(decoded.value.type, command.type);
      ({ catalog } = apply(catalog, command));
    }
    const decoded = decodeCatalog(encodeCatalog(catalog, wire), wire);
    assert.ok(decoded.ok);
    assert.equal(encodeCatalog(decoded.value, wire), encodeCatalog(catalog, wire));
    assert.is(decoded.value.safePoints.barriers.length, catalog.safePoints.barriers.length);
    assert.equal(decoded.value.stores, catalog.stores);
  });
  fc.assert(property, { includeErrorInReport: true });
});

test("bytes that are no command are refused with a reason", () => {
  for (const bytes of [[], [0xc0], [0x92, 99, 1], [0x92, 1, 0xa1, 65], [0x91, 1]]) {
    assert.not(decodeCommand(Uint8Array.from(bytes), wire).ok);
    assert.not(decodeCatalog(Uint8Array.from(bytes), wire).ok);
  }
});

test.run();
