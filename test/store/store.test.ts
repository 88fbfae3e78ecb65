import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import {
  Context,
  RawCASRequest,
  RawGetRequest,
  RawPutRequest,
  RawScanRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { RegionEpoch } from "../../engine/protocol/gen/metapb.ts";
import { epochOf } from "../../engine/region/descriptor.ts";
import { applied, committed, isLeader } from "../../engine/raft/query.ts";
import { replicas, type Replica, type StoreState, view } from "../../engine/store/index.ts";
import { Ticket } from "../../engine/base/ids.ts";
import { suite } from "../harness.ts";
import { Cluster, testConfig, type Node } from "./harness.ts";

const test = suite("store");
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const context = ({ region, peer }: Replica): Context =>
  Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer });

function put(cluster: Cluster, key: string, value: string): void {
  const { node, replica } = cluster.leaderAt(key);
  const reply = cluster.call(node, {
    method: "RawPut",
    request: RawPutRequest.make({
      context: context(replica),
      key: key as Key,
      value: bytes(value),
    }),
  });
  assert.is(reply.method, "RawPut");
  assert.equal((reply.response as { regionError?: unknown }).regionError, undefined);
}

function get(cluster: Cluster, key: string): string | undefined {
  const { node, replica } = cluster.leaderAt(key);
  const reply = cluster.call(node, {
    method: "RawGet",
    request: RawGetRequest.make({ context: context(replica), key: key as Key }),
  });
  if (reply.method !== "RawGet") throw new Error(reply.method);
  assert.equal(reply.response.regionError, undefined);
  return reply.response.notFound ? undefined : String.fromCharCode(...reply.response.value);
}

function ready(): Cluster {
  const cluster = new Cluster(3);
  cluster.run(8000);
  assert.is(cluster.leaderAt("").replica.region.peers.length, 3);
  return cluster;
}

test("three empty stores become one cluster with three replicas of the first region", () => {
  const cluster = ready();
  const { replica } = cluster.leaderAt("");
  assert.equal(
    replica.region.peers.map(({ role }) => role),
    [0, 0, 0],
  );
  assert.equal(cluster.stopped, []);
});

test("a leader without check-quorum whose group has gone on without it leaves when it learns that", () => {
  const { region } = testConfig(1);
  const loose = { ...region, raft: { ...region.raft, checkQuorum: false } };
  const cluster = new Cluster(3, { region: loose });
  cluster.run(8000);
  const { node, replica } = cluster.leaderAt("");
  for (const other of cluster.nodes) if (other !== node) cluster.crash(other);
  cluster.run(8000);
  assert.is(cluster.leaderAt("").node, node, "a member that only hears nobody stays");
  const { confVer, version } = epochOf(replica.region);
  cluster.placement.newer.set(replica.region.id, {
    ...replica.region,
    peers: replica.region.peers.filter(({ id }) => id !== replica.peer.id),
    regionEpoch: RegionEpoch.make({ confVer: confVer + 1, version }),
  });
  cluster.run(3000);
  assert.equal(node.state === undefined ? undefined : replicas(node.state), []);
});

test("a leader whose own disk is behind answers no read before it holds what others have committed", () => {
  const cluster = ready();
  put(cluster, "a", "old");
  cluster.run(500);
  const { node, replica } = cluster.leaderAt("a");
  node.stalled = true;
  cluster.ask(node, {
    method: "RawPut",
    request: RawPutRequest.make({
      context: context(replica),
      key: "a" as Key,
      value: bytes("new"),
    }),
  });
  const { raft } = cluster.leaderAt("a").replica;
  assert.ok(committed(raft) > applied(raft), "the followers alone have committed the write");
  const read = cluster.ask(node, {
    method: "RawGet",
    request: RawGetRequest.make({ context: context(replica), key: "a" as Key }),
  });
  assert.not(cluster.replies.has(read));
  cluster.unstall(node);
  cluster.settle();
  const reply = cluster.replies.get(read);
  if (reply?.method !== "RawGet") throw new Error("the read has no answer");
  assert.equal(reply.response.value, bytes("new"));
});

test("a split reaches the other stores at once, and with no tick", () => {
  const cluster = ready();
  cluster.run(500);
  const { node, replica } = cluster.leaderAt("a");
  const splitKeys = ["m" as Key];
  const request = SplitRegionRequest.make({ context: context(replica), splitKeys, isRawKv: true });
  cluster.ask(node, { method: "SplitRegion", request });
  for (const { state } of cluster.nodes) assert.is(replicas(state!).length, 2);
});

test("a write that came in one step with the split of its region goes back to its client", () => {
  const cluster = ready();
  put(cluster, "a", "old");
  cluster.run(500);
  const { node, replica } = cluster.leaderAt("a");
  node.stalled = true;
  const split = SplitRegionRequest.make({
    context: context(replica),
    splitKeys: ["m" as Key],
    isRawKv: true,
  });
  cluster.ask(node, { method: "SplitRegion", request: split });
  const write = Ticket(1_000_001);
  node.inbox.push({
    type: "request",
    ticket: write,
    call: {
      method: "RawPut",
      request: RawPutRequest.make({
        context: context(replica),
        key: "a" as Key,
        value: bytes("stray"),
      }),
    },
  });
  // The split becomes durable, and is applied, in the step that takes the call, behind it.
  cluster.unstall(node);
  cluster.settle();
  cluster.run(1000);
  const answer = cluster.replies.get(write);
  if (answer?.method !== "RawPut") throw new Error("the put has no answer");
  assert.ok(answer.response.regionError?.epochNotMatch !== undefined);
  assert.not.equal(cluster.leaderAt("a").replica.region.id, replica.region.id);
});

test("an acknowledged write is read back, replaced by compare-and-swap, and scanned", () => {
  const cluster = ready();
  put(cluster, "a", "1");
  put(cluster, "b", "2");
  assert.is(get(cluster, "a"), "1");
  const { node, replica } = cluster.leaderAt("a");
  const swap = (expected: string, value: string): boolean => {
    const reply = cluster.call(node, {
      method: "RawCompareAndSwap",
      request: RawCASRequest.make({
        context: context(replica),
        key: "a" as Key,
        previousValue: bytes(expected),
        value: bytes(value),
      }),
    });
    if (reply.method !== "RawCompareAndSwap") throw new Error(reply.method);
    return reply.response.succeed;
  };
  assert.is(swap("0", "x"), false);
  assert.is(swap("1", "3"), true);
  const scan = cluster.call(node, {
    method: "RawScan",
    request: RawScanRequest.make({ context: context(replica), limit: 10 }),
  });
  if (scan.method !== "RawScan") throw new Error(scan.method);
  assert.equal(
    scan.response.kvs.map(({ key, value }) => [key, String.fromCharCode(...value)]),
    [
      ["a", "3"],
      ["b", "2"],
    ],
  );
});

test("what was acknowledged survives a loss of power of all stores, over checkpoints and segments", () => {
  const cluster = ready();
  for (let i = 0; i < 200; i++) put(cluster, `k${i}`, `v${i}`.padEnd(60, "."));
  for (const node of cluster.nodes) cluster.crash(node);
  for (const node of cluster.nodes) cluster.start(node);
  cluster.run(6000);
  for (let i = 0; i < 200; i++) assert.is(get(cluster, `k${i}`), `v${i}`.padEnd(60, "."));
});

/** How many keys a store holds. */
function countOf({ state, tables }: Node): number {
  const bounds = { lower: EMPTY_KEY, upper: EMPTY_KEY };
  const cursor = view(state as StoreState, tables).cursor("default", bounds);
  let count = 0;
  for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) count += 1;
  return count;
}

test("a store that missed more than the log holds catches up by a snapshot", () => {
  const cluster = ready();
  // What follows the snapshots with which the region has grown is no longer kept.
  cluster.run(11_000);
  const { node: leaderNode } = cluster.leaderAt("");
  const lagging = cluster.nodes.find((node) => node !== leaderNode);
  if (lagging === undefined) throw new Error("three nodes");
  cluster.crash(lagging);
  for (let i = 0; i < 300; i++) put(cluster, `k${i}`, "x".repeat(60));
  let chunks = 0;
  lagging.misses = ({ type }) => {
    if (type === "snapshot_chunk") chunks += 1;
    return false;
  };
  cluster.start(lagging);
  cluster.run(6000);
  assert.ok(chunks > 0);
  const behind = replicas(lagging.state!)[0]!;
  assert.is(applied(behind.raft), applied(cluster.leaderAt("").replica.raft));
  assert.is(countOf(lagging), 300);
});

test("writes that go on while a snapshot is on its way cost its follower no second one", () => {
  const cluster = ready();
  cluster.run(11_000);
  const { node: leader, replica } = cluster.leaderAt("");
  const lagging = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(lagging);
  for (let i = 0; i < 300; i++) put(cluster, `k${i}`, "x".repeat(60));
  cluster.start(lagging);
  const indices = new Set<number>();
  // Its tables are made, but do not arrive until the log has long been compacted behind them.
  const late = (isLost: boolean): Node["misses"] => {
    return (message) => {
      if (message.type !== "snapshot_chunk") return false;
      if (!isLost) indices.add(message.index);
      return isLost;
    };
  };
  lagging.misses = late(true);
  cluster.run(2000);
  for (let i = 0; i < 300; i++) put(cluster, `l${i}`, "x".repeat(60));
  const { flushed } = replicas(leader.state!)[0]!;
  lagging.misses = late(false);
  cluster.run(6000);
  assert.is(countOf(lagging), 600);
  const [index, ...more] = indices;
  assert.equal(more, []);
  assert.ok(index! > replica.applied && index! < flushed, `${index} of ${flushed}`);
});

test("a region is split at a key, and both halves serve", () => {
  const cluster = ready();
  put(cluster, "a", "1");
  put(cluster, "m", "2");
  const { node, replica } = cluster.leaderAt("a");
  const reply = cluster.call(node, {
    method: "SplitRegion",
    request: SplitRegionRequest.make({
      context: context(replica),
      splitKeys: ["g" as Key],
      isRawKv: true,
    }),
  });
  if (reply.method !== "SplitRegion") throw new Error(reply.method);
  assert.equal(
    reply.response.regions.map(({ startKey, endKey }) => [startKey, endKey]),
    [
      ["", "g"],
      ["g", ""],
    ],
  );
  cluster.run(3000);
  put(cluster, "b", "3");
  put(cluster, "z", "4");
  assert.is(get(cluster, "a"), "1");
  assert.is(get(cluster, "m"), "2");
  for (const crashed of cluster.nodes) cluster.crash(crashed);
  for (const crashed of cluster.nodes) cluster.start(crashed);
  cluster.run(6000);
  assert.equal(
    [get(cluster, "a"), get(cluster, "b"), get(cluster, "m"), get(cluster, "z")],
    ["1", "3", "2", "4"],
  );
  assert.is(
    cluster.nodes.flatMap((n) => replicas(n.state!)).filter(({ raft }) => isLeader(raft)).length,
    2,
  );
});

test("a client with an old epoch is told the regions of now", () => {
  const cluster = ready();
  const before = cluster.leaderAt("a");
  cluster.call(before.node, {
    method: "SplitRegion",
    request: SplitRegionRequest.make({
      context: context(before.replica),
      splitKeys: ["g" as Key],
      isRawKv: true,
    }),
  });
  const reply = cluster.call(before.node, {
    method: "RawGet",
    request: RawGetRequest.make({ context: context(before.replica), key: "a" as Key }),
  });
  if (reply.method !== "RawGet") throw new Error(reply.method);
  const current = reply.response.regionError?.epochNotMatch?.currentRegions ?? [];
  assert.equal(
    current.map(({ startKey }) => startKey),
    ["g", ""],
  );
});

test.run();
