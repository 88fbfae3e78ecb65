import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { composeTimestamp } from "../../engine/base/timestamp.ts";
import {
  CheckLeaderRequest,
  LeaderInfo,
  ScanLockRequest,
  SplitRegionRequest,
  StoreSafeTSRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { TsoRequest } from "../../engine/protocol/gen/pdpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import { term } from "../../engine/raft/query.ts";
import type { StoreMessage } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { commitCall, contextOf, getCall, prewriteCall, said } from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: reads of the past");

const RESOLVE_MS = 200;

class Story {
  readonly cluster = new Cluster(3, { resolveMs: RESOLVE_MS });
  readonly leader: Node;
  readonly follower: Node;

  constructor() {
    this.cluster.run(8000);
    this.leader = this.cluster.leaderAt("k").node;
    this.follower = this.cluster.nodes.find((other) => other !== this.leader) as Node;
  }

  /** Draws a timestamp. */
  now(): bigint {
    const reply = this.cluster.placement.answer({
      method: "Tso",
      request: TsoRequest.make({ count: 1 }),
    });
    assert.ok(reply.method === "Tso" && reply.response.timestamp !== undefined);
    const { timestamp } = reply.method === "Tso" ? reply.response : {};
    return composeTimestamp(timestamp?.physical ?? 0, timestamp?.logical ?? 0);
  }

  write(call: TikvCall, node: Node = this.leader): string {
    return said(this.cluster.call(node, call));
  }

  prewrite(key: string, value: string, startTs: bigint, node: Node = this.leader): string {
    const context = contextOf(this.cluster.replicaAt(node, key));
    return this.write(prewriteCall(context, key, value, startTs), node);
  }

  commit(key: string, startTs: bigint, commitTs: bigint, node: Node = this.leader): string {
    const context = contextOf(this.cluster.replicaAt(node, key));
    return this.write(commitCall(context, key, startTs, commitTs), node);
  }

  /** Writes and gives the commit timestamp. */
  put(key: string, value: string, node: Node = this.leader): bigint {
    const startTs = this.now();
    assert.is(this.prewrite(key, value, startTs, node), "done");
    const commitTs = this.now();
    assert.is(this.commit(key, startTs, commitTs, node), "done");
    return commitTs;
  }

  /** What `node` says at once, of `key` at `version`. */
  read(node: Node, key: string, version: bigint): string {
    const context = { ...contextOf(this.cluster.replicaAt(node, key)), staleRead: true };
    return said(this.cluster.replies.get(this.cluster.ask(node, getCall(context, key, version))));
  }

  safeTs(node: Node, start = "", end = ""): bigint {
    const request = StoreSafeTSRequest.make({
      keyRange: { startKey: start as Key, endKey: end as Key },
    });
    const reply = this.cluster.call(node, { method: "GetStoreSafeTS", request });
    return reply.method === "GetStoreSafeTS" ? reply.response.safeTs : -1n;
  }

  resolve(): void {
    this.cluster.run(2 * RESOLVE_MS + 100);
  }
}

const isAppend = (message: StoreMessage): boolean =>
  message.type === "raft" && message.message.type === "append_request";
const NOT_READY = "region: data is not ready";

test("a follower alone answers what is settled, and nothing above", () => {
  const story = new Story();
  const commitTs = story.put("k", "v");
  story.resolve();
  for (const node of story.cluster.nodes) node.misses = () => true;
  assert.is(story.read(story.follower, "k", commitTs), "v");
  assert.is(story.read(story.follower, "k", commitTs - 1n), "none");
  assert.is(story.read(story.leader, "k", commitTs), "v");
  assert.match(story.read(story.follower, "k", story.now()), NOT_READY);
});

test("a lock keeps readers below its transaction until it is gone", () => {
  const story = new Story();
  story.put("k", "old");
  const startTs = story.now();
  story.prewrite("k", "new", startTs);
  story.resolve();
  assert.is(story.safeTs(story.follower), startTs - 1n);
  assert.is(story.read(story.follower, "k", startTs - 1n), "old");
  assert.match(story.read(story.follower, "k", startTs), NOT_READY);
  const commitTs = story.now();
  story.commit("k", startTs, commitTs);
  story.resolve();
  assert.is(story.read(story.follower, "k", commitTs), "new");
});

test("a commit that is being calculated keeps readers below it", () => {
  const story = new Story();
  const before = story.put("k", "old");
  for (const node of story.cluster.nodes) if (node !== story.leader) node.misses = isAppend;
  const startTs = story.now();
  const context = contextOf(story.cluster.replicaAt(story.leader, "k"));
  const call = prewriteCall(context, "k", "new", startTs, { useAsyncCommit: true });
  const ticket = story.cluster.ask(story.leader, call);
  story.cluster.run(RESOLVE_MS * 3);
  assert.is(story.read(story.leader, "k", before), "old");
  const safe = story.safeTs(story.leader);
  for (const node of story.cluster.nodes) node.misses = () => false;
  story.cluster.run(300);
  const reply = story.cluster.replies.get(ticket);
  assert.ok(reply?.method === "KvPrewrite");
  assert.is(safe, (reply?.method === "KvPrewrite" ? reply.response.minCommitTs : 0n) - 1n);
});

test("who asks for locks is told of a commit that is being calculated", () => {
  const story = new Story();
  const { cluster, leader } = story;
  for (const node of cluster.nodes) if (node !== leader) node.misses = isAppend;
  const startTs = story.now();
  const context = contextOf(cluster.replicaAt(leader, "k"));
  const more = { useAsyncCommit: true, minCommitTs: startTs + 5n };
  cluster.ask(leader, prewriteCall(context, "k", "v", startTs, more));
  const scan = (maxVersion: bigint, startKey: string = ""): string => {
    const request = ScanLockRequest.make({ context, maxVersion, startKey: startKey as Key });
    const method = "KvScanLock";
    const reply = cluster.replies.get(cluster.ask(leader, { method, request }));
    assert.ok(reply?.method === "KvScanLock");
    const locks = reply?.method === "KvScanLock" ? reply.response.locks : [];
    return [said(reply), ...locks.map(({ key }) => key)].join(" ");
  };
  assert.is(scan(startTs + 5n), `locked by ${startTs}`);
  assert.is(scan(startTs + 5n, "l"), "done");
  assert.is(scan(startTs + 4n), "done");
  for (const node of cluster.nodes) node.misses = () => false;
  cluster.run(300);
  assert.is(scan(startTs + 5n), "done k");
});

test("a follower that has not applied enough waits until it has", () => {
  const story = new Story();
  story.resolve();
  story.follower.misses = isAppend;
  const commitTs = story.put("k", "v");
  story.resolve();
  assert.match(story.read(story.follower, "k", commitTs), NOT_READY);
  story.follower.misses = () => false;
  story.cluster.run(150);
  assert.is(story.read(story.follower, "k", commitTs), "v");
});

test("a leader that may have been deposed settles nothing", () => {
  const story = new Story();
  const { cluster, leader } = story;
  story.put("k", "v");
  leader.misses = () => true;
  // Its lease is over, though it has not noticed that nobody follows.
  cluster.run(750);
  const before = story.safeTs(leader);
  cluster.run(200);
  assert.is(cluster.replicaAt(leader, "k").raft.role, "leader");
  assert.is(story.safeTs(leader), before);
  assert.ok(before > 0n);
});

test("a region that was split is read when its own locks have been looked at", () => {
  const story = new Story();
  const startTs = story.now();
  story.prewrite("b", "new", startTs);
  const { node, replica } = story.cluster.leaderAt("k");
  const request = SplitRegionRequest.make({
    context: contextOf(replica),
    splitKeys: ["g" as Key],
    isRawKv: true,
  });
  story.cluster.call(node, { method: "SplitRegion", request });
  const commitTs = story.put("k", "v");
  story.cluster.run(3000);
  assert.is(story.read(story.follower, "k", commitTs), "v");
  assert.match(story.read(story.follower, "b", commitTs), NOT_READY);
  assert.is(story.safeTs(story.follower), startTs - 1n);
  assert.ok(story.safeTs(story.follower, "h", "") > commitTs);
});

test("a store says which leaderships it agrees with, and learns what is settled there", () => {
  const story = new Story();
  const commitTs = story.put("k", "v");
  const { replica } = story.cluster.leaderAt("k");
  const info = LeaderInfo.make({
    regionId: replica.region.id,
    peerId: replica.peer.id,
    term: term(replica.raft),
    regionEpoch: replica.region.regionEpoch,
    readState: { appliedIndex: replica.applied, safeTs: commitTs + 1000n },
  });
  const regions = [
    { ...info, term: info.term - 1 },
    { ...info, regionId: 999 },
  ];
  const check = (list: readonly LeaderInfo[]): readonly number[] => {
    const request = CheckLeaderRequest.make({ regions: list, ts: 7n });
    const reply = story.cluster.call(story.follower, { method: "CheckLeader", request });
    return reply.method === "CheckLeader" ? reply.response.regions : [];
  };
  assert.equal(check(regions), []);
  story.cluster.run(200);
  assert.equal(check([info]), [replica.region.id]);
  assert.is(story.read(story.follower, "k", commitTs + 1000n), "v");
});

test.run();
