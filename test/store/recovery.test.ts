/**
 * What a store that missed much must find again after a crash. One store of three rests on its log
 * alone, for it writes its applied state to disk only when it is told to.
 */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  Context,
  RawGetRequest,
  RawPutRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Region } from "../../engine/protocol/gen/metapb.ts";
import { applied, isLeader } from "../../engine/raft/query.ts";
import type { Replica, StoreMessage } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { Cluster, testConfig, type Node } from "./harness.ts";

const test = suite("store recovery");

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const context = ({ region, peer }: Replica, replicaRead: boolean = false): Context =>
  Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer, replicaRead });

/** A cluster of three, one of whose followers writes down nothing but its log. */
function ready(): { readonly cluster: Cluster; readonly late: Node } {
  const cluster = new Cluster(3);
  cluster.run(8000);
  const { node, replica } = cluster.leaderAt("");
  assert.is(replica.region.peers.length, 3);
  const late = cluster.nodes.find((other) => other !== node);
  assert.ok(late !== undefined);
  // Its first region is in a state that it has written down.
  fill(cluster, "a", 100);
  fill(cluster, "m", 100);
  late.config = { ...late.config, freezeLogBytes: Number.MAX_SAFE_INTEGER };
  restart(cluster, late);
  return { cluster, late };
}

function restart(cluster: Cluster, node: Node): void {
  cluster.crash(node);
  cluster.start(node);
  cluster.run(4000);
}

function put(cluster: Cluster, key: string, value: string): void {
  const { node, replica } = cluster.leaderAt(key);
  const request = RawPutRequest.make({
    context: context(replica),
    key: key as Key,
    value: bytes(value),
  });
  const { response } = cluster.call(node, { method: "RawPut", request });
  assert.equal((response as { regionError?: unknown }).regionError, undefined);
}

/** Enough writes below `prefix` that what came before is compacted away where it can be. */
function fill(cluster: Cluster, prefix: string, count: number): void {
  for (let i = 0; i < count; i++) put(cluster, `${prefix}${i}`, `${prefix}${i}`.padEnd(60, "."));
}

/** Splits at `key` and gives the new region, which is the left one. */
function split(cluster: Cluster, key: string): Region {
  const { node, replica } = cluster.leaderAt(key);
  const request = SplitRegionRequest.make({
    context: context(replica),
    splitKeys: [key as Key],
    isRawKv: true,
  });
  const reply = cluster.call(node, { method: "SplitRegion", request });
  assert.ok(reply.method === "SplitRegion" && reply.response.regions.length === 2);
  const [left] = reply.method === "SplitRegion" ? reply.response.regions : [];
  assert.ok(left !== undefined);
  return left;
}

/** What the replica on `node` itself answers, which has caught up with the others. */
function readAt(cluster: Cluster, node: Node, key: string): string | undefined {
  const replica = cluster.replicaAt(node, key);
  const request = RawGetRequest.make({ context: context(replica, true), key: key as Key });
  const reply = cluster.call(node, { method: "RawGet", request });
  if (reply.method !== "RawGet") throw new Error(reply.method);
  assert.equal(reply.response.regionError, undefined);
  return reply.response.notFound ? undefined : String.fromCharCode(...reply.response.value);
}

/** All that was written below the prefixes is at `node`. */
function holds(cluster: Cluster, node: Node, prefixes: string, count: number): void {
  for (const prefix of prefixes) {
    for (let i = 0; i < count; i++) {
      const value = `${prefix}${i}`.padEnd(60, ".");
      assert.is(readAt(cluster, node, `${prefix}${i}`), value);
    }
  }
}

const isSnapshot = (message: StoreMessage): boolean =>
  message.type === "snapshot_chunk" ||
  (message.type === "raft" && message.message.type === "snapshot");

test("a region that a split has made is there again before anything was written of it", () => {
  const { cluster, late } = ready();
  late.config = { ...late.config, freezeLogBytes: testConfig(1).freezeLogBytes };
  restart(cluster, late);
  const parent = cluster.leaderAt("a").replica.region.id;
  // Of the new region this store hears nothing: neither a vote nor an entry.
  late.misses = (message) => !("region" in message) || message.region !== parent;
  const child = split(cluster, "k");
  cluster.run(500);
  const grown = cluster.replicaAt(late, "a");
  assert.is(grown.region.id, child.id);
  assert.ok(!isLeader(grown.raft));
  // The applied state goes to the disk, and of the region itself there is only where it begins.
  fill(cluster, "m", 200);
  cluster.crash(late);
  cluster.start(late);
  assert.is(cluster.replicaAt(late, "a").region.id, child.id);
  late.misses = () => false;
  cluster.run(4000);
  holds(cluster, late, "a", 100);
  holds(cluster, late, "m", 200);
});

test("what a recovered split has made applies its own splits before later snapshots are loaded", () => {
  const { cluster, late } = ready();
  const middle = split(cluster, "l");
  cluster.run(500);
  const left = split(cluster, "g");
  cluster.run(500);
  assert.is(cluster.replicaAt(late, "a").region.id, left.id);
  // The youngest region goes on without this store until only a snapshot helps.
  late.misses = () => true;
  fill(cluster, "a", 200);
  let snapshots = 0;
  late.misses = (message) => {
    if (isSnapshot(message) && "region" in message && message.region === left.id) snapshots += 1;
    return false;
  };
  cluster.run(4000);
  assert.ok(snapshots > 0, "the youngest region was caught up by a snapshot");
  assert.is(
    applied(cluster.replicaAt(late, "a").raft),
    applied(cluster.leaderAt("a").replica.raft),
  );
  restart(cluster, late);
  assert.is(cluster.replicaAt(late, "h").region.id, middle.id);
  holds(cluster, late, "a", 200);
  holds(cluster, late, "m", 100);
});

test("a region restored twice takes nothing from a neighbour that was restored in between", () => {
  const { cluster, late } = ready();
  const wide = cluster.leaderAt("a").replica.region.id;
  late.misses = () => true;
  const left = split(cluster, "g");
  fill(cluster, "a", 200);
  fill(cluster, "m", 200);
  const restored: number[] = [];
  late.misses = (message) => {
    if (message.type === "snapshot_chunk" && message.last) restored.push(message.region);
    return false;
  };
  // So long that what follows the snapshots is no longer kept for whoever takes them.
  cluster.run(16_000);
  assert.is(cluster.replicaAt(late, "a").region.id, left.id);
  // The old region once more, which this store's disk still knows by its old range.
  late.misses = () => true;
  fill(cluster, "m", 200);
  late.misses = (message) => {
    if (message.type === "snapshot_chunk" && message.last) restored.push(message.region);
    return false;
  };
  cluster.run(6000);
  assert.ok(restored.lastIndexOf(wide) > restored.lastIndexOf(left.id), restored.join(" "));
  restart(cluster, late);
  holds(cluster, late, "am", 200);
});

test.run();
