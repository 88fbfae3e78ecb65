/** Tables that rot: replicas leave service, hand over, and are made whole from another store. */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  Context,
  RawCASRequest,
  RawGetRequest,
  RawPutRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvReply } from "../../engine/protocol/services.ts";
import { isLeader } from "../../engine/raft/query.ts";
import { damage, type Replica } from "../../engine/store/index.ts";
import { pressure } from "../../engine/storage/lsm/pressure.ts";
import { stackOf } from "../../engine/storage/state.ts";
import { tableFile } from "../../engine/storage/table/file.ts";
import type { TableMeta } from "../../engine/storage/table/types.ts";
import { suite } from "../harness.ts";
import { Cluster, testConfig, type Node } from "./harness.ts";

const test = suite("store damage");
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const context = ({ region, peer }: Replica, replicaRead: boolean = false): Context =>
  Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer, replicaRead });
const valueOf = (i: number): string => `${i}`.padEnd(60, ".");
const keyOf = (i: number): string => `k${String(i).padStart(3, "0")}`;

type RegionError = { readonly regionError?: { readonly regionNotFound?: unknown } };
const isNotFound = ({ response }: TikvReply): boolean =>
  (response as RegionError).regionError?.regionNotFound !== undefined;

function put(cluster: Cluster, key: string, value: string): void {
  const { node, replica } = cluster.leaderAt(key);
  const request = RawPutRequest.make({
    context: context(replica),
    key: key as Key,
    value: bytes(value),
  });
  const { response } = cluster.call(node, { method: "RawPut", request });
  assert.equal((response as RegionError).regionError, undefined);
}

/** What the replica on `node` answers for `key`: the value, or the kind of refusal. */
function get(cluster: Cluster, node: Node, key: string): string {
  const replica = cluster.replicaAt(node, key);
  const request = RawGetRequest.make({
    context: context(replica, !isLeader(replica.raft)),
    key: key as Key,
  });
  const reply = cluster.call(node, { method: "RawGet", request });
  if (isNotFound(reply)) return "region not found";
  if (reply.method !== "RawGet") throw new Error(reply.method);
  assert.equal(reply.response.regionError, undefined);
  return String.fromCharCode(...reply.response.value);
}

/** Blocks of a few keys, and nothing remembered of them: what rots is met at the next read. */
const { storage } = testConfig(1);
const { lsm } = storage;
const SETTINGS = {
  cacheBytes: 0,
  storage: { ...storage, lsm: { ...lsm, table: { ...lsm.table, blockBytes: 256 } } },
};

/** A cluster whose data lies in tables, and the nodes of its leader and of a follower. */
function filled(stores: number): { cluster: Cluster; leader: Node; follower: Node } {
  const cluster = new Cluster(stores, SETTINGS);
  cluster.run(8000);
  for (let i = 0; i < 100; i++) put(cluster, keyOf(i), valueOf(i));
  cluster.run(1000);
  const { node: leader } = cluster.leaderAt("");
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  return { cluster, leader, follower };
}

function tablesOf({ state }: Node): readonly TableMeta[] {
  const { version } = stackOf(state!.storage);
  return version.levels.default.flat();
}

/** Rots the first block of every table of `node` that begins below this key. */
function rot(node: Node, below = "z"): readonly TableMeta[] {
  const tables = tablesOf(node).filter(({ entries, smallest }) => entries > 0 && smallest < below);
  assert.ok(tables.length > 0, "there are tables to rot");
  for (const { number } of tables) node.disk.flip(tableFile(number), 40, 0xff);
  return tables;
}

/** Reads keys at `node` until one of them meets the damage. */
function meetDamage(cluster: Cluster, node: Node): void {
  for (let i = 0; i < 100; i++) if (get(cluster, node, keyOf(i)) === "region not found") return;
  assert.unreachable("the damage was met");
}

test("a follower whose table has rotted answers nothing of it, and is whole again from its leader", () => {
  const { cluster, follower } = filled(3);
  rot(follower);
  let refused = 0;
  for (let i = 0; i < 100; i++) {
    const answer = get(cluster, follower, keyOf(i));
    if (answer === "region not found") refused += 1;
    else assert.is(answer, valueOf(i), "what is answered is right");
  }
  assert.ok(refused > 0);
  cluster.run(6000);
  assert.equal(damage(follower.state!), []);
  for (let i = 0; i < 100; i++) assert.is(get(cluster, follower, keyOf(i)), valueOf(i));
});

test("a leader whose table has rotted hands over before it is made whole", () => {
  const { cluster, leader } = filled(3);
  rot(leader);
  meetDamage(cluster, leader);
  cluster.run(6000);
  assert.is.not(cluster.leaderAt("").node, leader);
  assert.equal(damage(leader.state!), []);
  for (let i = 0; i < 100; i++) assert.is(get(cluster, leader, keyOf(i)), valueOf(i));
});

test("a table that only compactions read is replaced as well, and level 0 goes on", () => {
  const { cluster, follower } = filled(3);
  const rotten = rot(follower);
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 100; i++) put(cluster, keyOf(i), valueOf(i + round));
    cluster.run(1000);
  }
  cluster.run(6000);
  assert.equal(damage(follower.state!), []);
  const left = new Set(tablesOf(follower).map(({ number }) => number));
  assert.not(rotten.some(({ number }) => left.has(number)));
  assert.ok(pressure(follower.state!.storage).levelZero <= lsm.levelZeroTables);
});

test("damage that nobody can repair stays named, also over a restart", () => {
  const { cluster, leader } = filled(1);
  const tables = rot(leader);
  meetDamage(cluster, leader);
  const [found] = damage(leader.state!);
  assert.ok(tables.some(({ number }) => tableFile(number) === found?.file));
  assert.ok((found?.detail ?? "") !== "");
  cluster.run(2000);
  cluster.crash(leader);
  cluster.start(leader);
  cluster.run(3000);
  assert.is(damage(leader.state!).length, 1);
  assert.is(get(cluster, leader, keyOf(0)), "region not found");
});

test("a store that has lost a table's file starts, and is made whole once and for all", () => {
  const { cluster, follower } = filled(3);
  const lost = tablesOf(follower).filter(({ entries }) => entries > 0);
  cluster.crash(follower);
  for (const { number } of lost) {
    follower.disk.perform({ type: "remove", file: tableFile(number) }, () => 0.5);
  }
  cluster.start(follower);
  const [found] = damage(follower.state!);
  assert.ok(lost.some(({ number }) => tableFile(number) === found?.file));
  assert.is(found?.detail, "the table is missing");
  for (let starts = 0; starts < 2; starts++) {
    cluster.run(8000);
    assert.equal(damage(follower.state!), []);
    for (let i = 0; i < 100; i++) assert.is(get(cluster, follower, keyOf(i)), valueOf(i));
    cluster.crash(follower);
    cluster.start(follower);
    assert.equal(damage(follower.state!), []);
  }
});

test("an entry that cannot be evaluated on damaged data is not applied, and counts once it is whole", () => {
  const { cluster, leader, follower } = filled(3);
  rot(follower);
  for (let i = 0; i < 100; i += 7) {
    const { replica } = cluster.leaderAt("");
    const request = RawCASRequest.make({
      context: context(replica),
      key: keyOf(i) as Key,
      previousValue: bytes(valueOf(i)),
      value: bytes("swapped"),
    });
    const reply = cluster.call(leader, { method: "RawCompareAndSwap", request });
    if (reply.method !== "RawCompareAndSwap") throw new Error(reply.method);
    assert.ok(reply.response.succeed);
  }
  cluster.run(8000);
  assert.equal(damage(follower.state!), []);
  for (let i = 0; i < 100; i++) {
    assert.is(get(cluster, follower, keyOf(i)), i % 7 === 0 ? "swapped" : valueOf(i));
  }
});

test("of two regions in one table only the one that the damage meets leaves service", () => {
  const { cluster, leader } = filled(1);
  const request = SplitRegionRequest.make({
    context: context(cluster.leaderAt("").replica),
    splitKeys: [keyOf(60) as Key],
    isRawKv: true,
  });
  cluster.call(leader, { method: "SplitRegion", request });
  rot(leader, keyOf(10));
  meetDamage(cluster, leader);
  const [found] = damage(leader.state!);
  assert.is(found?.region, cluster.replicaAt(leader, keyOf(0)).region.id);
  for (let i = 60; i < 100; i++) assert.is(get(cluster, leader, keyOf(i)), valueOf(i));
  assert.is(damage(leader.state!).length, 1);
});

test("neighbours in one rotten table leave service once each, however often compactions meet it", () => {
  const { cluster, follower } = filled(3);
  const { node, replica } = cluster.leaderAt("");
  const request = SplitRegionRequest.make({
    context: context(replica),
    splitKeys: [20, 40, 60, 80].map(keyOf) as Key[],
    isRawKv: true,
  });
  cluster.call(node, { method: "SplitRegion", request });
  cluster.run(1000);
  // Without its footer nothing is known of a table.
  const tables = tablesOf(follower).filter(({ entries }) => entries > 0);
  for (const { number, size } of tables) follower.disk.flip(tableFile(number), size - 8, 0xff);
  const times = new Map<number, Set<number>>();
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 100; i++) put(cluster, keyOf(i), valueOf(i + round));
    for (let i = 0; i < 200; i++) {
      cluster.run(10);
      for (const { region, sinceMs } of damage(follower.state!)) {
        times.set(region, (times.get(region) ?? new Set()).add(sinceMs));
      }
    }
  }
  assert.equal(damage(follower.state!), []);
  assert.ok(times.size > 2, `${times.size} regions had left service`);
  for (const [region, left] of times) assert.is(left.size, 1, `region ${region}`);
  for (let i = 0; i < 100; i++) assert.is(get(cluster, follower, keyOf(i)), valueOf(i + 7));
});

test.run();
