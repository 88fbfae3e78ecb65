import * as assert from "uvu/assert";
import { ConfChangeType } from "../../engine/protocol/gen/eraftpb.ts";
import { type Peer, PeerRole, type Region } from "../../engine/protocol/gen/metapb.ts";
import { OperatorStatus, StoreStats } from "../../engine/protocol/gen/pdpb.ts";
import type { RegionHeartbeatResponse } from "../../engine/protocol/gen/pdpb.ts";
import { suite } from "../harness.ts";
import { bootstrapped, heartbeat } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { learner, regionOf, storeOf, voter } from "./region-kit.ts";

const test = suite("placement/replication");

/** A region whose leader does as it is told, one order a heartbeat. */
class Obedient {
  readonly cluster: Cluster;
  region: Region;
  leader: Peer;
  pending: readonly Peer[] = [];
  readonly orders: string[] = [];

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.region = regionOf({ id: 2, peers: [voter(3, 1)] });
    this.leader = voter(3, 1);
  }

  report(): RegionHeartbeatResponse {
    const { cluster, region, leader, pending } = this;
    return heartbeat(cluster, { region, leader, pendingPeers: pending });
  }

  /** Reports and obeys; false where there is nothing to do. */
  turn(): boolean {
    const { changePeer, changePeerV2, transferLeader, targetPeer } = this.report();
    assert.equal(targetPeer, this.leader);
    if (transferLeader?.peer !== undefined) {
      this.leader = transferLeader.peer;
      this.orders.push(`lead from ${transferLeader.peer.storeId}`);
      return true;
    }
    if (changePeerV2 !== undefined) {
      this.orders.push(`${changePeerV2.changes.length} at once`);
      for (const { peer, changeType } of changePeerV2.changes) this.#become(peer!, changeType);
      return true;
    }
    const peer = changePeer?.peer;
    if (changePeer === undefined || peer === undefined) return false;
    this.#change(changePeer.changeType, peer);
    return true;
  }

  #change(type: ConfChangeType, peer: Peer): void {
    const others = this.region.peers.filter(({ id }) => id !== peer.id);
    const epoch = this.region.regionEpoch!;
    const regionEpoch = { ...epoch, confVer: epoch.confVer + 1 };
    if (type === ConfChangeType.RemoveNode) {
      assert.is.not(peer.id, this.leader.id);
      this.orders.push(`remove from ${peer.storeId}`);
      this.region = { ...this.region, regionEpoch, peers: others };
      return;
    }
    const promoted = this.region.peers.some(({ id }) => id === peer.id);
    assert.is(type, promoted ? ConfChangeType.AddNode : ConfChangeType.AddLearnerNode);
    this.orders.push(`${promoted ? "promote" : "add"} on ${peer.storeId}`);
    const made = promoted ? voter(peer.id, peer.storeId) : learner(peer.id, peer.storeId);
    this.region = { ...this.region, regionEpoch, peers: [...others, made] };
  }

  /** As a joint configuration does it, which nobody reports here. */
  #become(peer: Peer, type: ConfChangeType): void {
    const others = this.region.peers.filter(({ id }) => id !== peer.id);
    const made = type === ConfChangeType.AddNode ? voter : learner;
    const peers =
      type === ConfChangeType.RemoveNode ? others : [...others, made(peer.id, peer.storeId)];
    const epoch = this.region.regionEpoch!;
    const regionEpoch = { ...epoch, confVer: epoch.confVer + 2 };
    this.region = { ...this.region, regionEpoch, peers };
  }

  settle(): this {
    for (let i = 0; this.turn(); i++) assert.ok(i < 30, "orders come to an end");
    return this;
  }

  stores(): readonly number[] {
    return this.region.peers.map(({ storeId }) => storeId).sort((a, b) => a - b);
  }
}

function withStores(cluster: Cluster, ...ids: readonly number[]): Cluster {
  for (const id of ids) cluster.call("PutStore", { store: storeOf(id) });
  return cluster;
}

test("a region with one peer grows to three voters, by a learner each", () => {
  const region = new Obedient(withStores(bootstrapped(), 4, 5)).settle();
  assert.equal(region.orders, ["add on 4", "promote on 4", "add on 5", "promote on 5"]);
  assert.equal(region.stores(), [1, 4, 5]);
  const ids = region.region.peers.map(({ id }) => id);
  assert.is(new Set(ids).size, 3);
});

test("an order is repeated unchanged until it is carried out", () => {
  const region = new Obedient(withStores(bootstrapped(), 4));
  const first = region.report().changePeer;
  assert.equal(region.report().changePeer, first);
});

test("a learner that is pending is not promoted", () => {
  const region = new Obedient(withStores(bootstrapped(), 4));
  region.turn();
  region.pending = region.region.peers.slice(1);
  assert.is(region.report().changePeer, undefined);
  region.pending = [];
  assert.is(region.report().changePeer?.changeType, ConfChangeType.AddNode);
});

test("a store that is taken offline is drained, and may come back", () => {
  const cluster = withStores(bootstrapped(), 4, 5, 6);
  const region = new Obedient(cluster).settle();
  const drain = { type: "set_store_state", store: 1, state: "offline" } as const;
  assert.ok((cluster.order(1, drain) as { ok: boolean }).ok);
  region.settle();
  assert.equal(region.stores(), [4, 5, 6]);
  assert.ok((cluster.order(1, { ...drain, state: "up" }) as { ok: boolean }).ok);
  assert.ok((cluster.order(1, { ...drain, store: 4 }) as { ok: boolean }).ok);
  assert.equal(region.settle().stores(), [1, 5, 6]);
});

test("a peer on a store that has been silent for too long is replaced", () => {
  const cluster = withStores(bootstrapped(1, 1, { storeDownMs: 60_000 }), 4, 5, 6);
  const region = new Obedient(cluster).settle();
  const gone = region.region.peers[2]!.storeId;
  for (let i = 0; i < 7; i++) {
    cluster.run(10_000);
    for (const storeId of [1, 4, 5, 6]) {
      if (storeId === gone) continue;
      cluster.call("StoreHeartbeat", { stats: StoreStats.make({ storeId }) });
    }
  }
  assert.not(region.settle().stores().includes(gone));
  assert.is(region.stores().length, 3);
});

test("a scattered region hands its leadership over, and tells when it has", () => {
  const cluster = withStores(bootstrapped(), 4, 5);
  const region = new Obedient(cluster).settle();
  const request = {
    regionId: 2,
    region: undefined,
    leader: undefined,
    group: "",
    regionsId: [],
    retryLimit: 0,
    skipStoreLimit: false,
  };
  assert.is(cluster.call("ScatterRegion", request).header?.error, undefined);
  const running = cluster.call("GetOperator", { regionId: 2 });
  assert.is(running.status, OperatorStatus.RUNNING);
  assert.is(String.fromCharCode(...running.desc), "scatter-region");
  region.settle();
  assert.is.not(region.leader.storeId, 1);
  assert.is(cluster.call("GetOperator", { regionId: 2 }).status, OperatorStatus.SUCCESS);
});

test("an administrator says which store a region is to be led from", () => {
  const cluster = withStores(bootstrapped(), 4, 5);
  const region = new Obedient(cluster).settle();
  const order = { type: "transfer_region_leader", region: 2, store: 5 } as const;
  assert.ok((cluster.order(1, order) as { ok: boolean }).ok);
  region.settle();
  assert.is(region.leader.storeId, 5);
  const refused = cluster.order(1, { ...order, store: 77 });
  assert.ok(refused.type === "admin_done" && !refused.ok);
});

test("a region is rearranged: new peers learn first, then all voters change at once", () => {
  const cluster = withStores(bootstrapped(), 4, 5, 6, 7);
  const region = new Obedient(cluster).settle();
  assert.equal(region.stores(), [1, 4, 5]);
  region.orders.length = 0;
  const order = { type: "rearrange_region", region: 2, voters: [1, 6, 7], learners: [] } as const;
  assert.ok((cluster.order(1, order) as { ok: boolean }).ok);
  region.turn();
  // One that has no data yet keeps the others waiting.
  region.pending = region.region.peers.filter(({ storeId }) => storeId === 6);
  region.turn();
  assert.not(region.turn());
  region.pending = [];
  region.turn();
  assert.equal(region.orders, ["add on 6", "add on 7", "4 at once"]);
  const voters = region.region.peers.filter(({ role }) => role === PeerRole.Voter);
  assert.equal(new Set(voters.map(({ storeId }) => storeId)), new Set([1, 6, 7]));
  region.settle();
  assert.equal(region.orders.slice(3).sort(), ["remove from 4", "remove from 5"]);
});

test("an order to rearrange a region is refused where it makes no sense", () => {
  const cluster = withStores(bootstrapped(), 4, 5);
  new Obedient(cluster).settle();
  for (const [voters, learners] of [
    [[], [1, 4, 5]],
    [[1, 4, 4], []],
    [[1, 4], [4]],
    [[1, 4, 77], []],
    [[1, 4, 5], []],
  ] as const) {
    const order = { type: "rearrange_region", region: 2, voters, learners } as const;
    const done = cluster.order(1, order);
    assert.ok(done.type === "admin_done" && !done.ok, JSON.stringify([voters, learners]));
  }
});

test("a report that is older than what is known is told so", () => {
  const cluster = bootstrapped();
  heartbeat(cluster, { region: regionOf({ id: 2, version: 5, peers: [voter(3, 1)] }) });
  const stale = heartbeat(cluster, {
    region: regionOf({ id: 2, version: 4, peers: [voter(3, 1)] }),
  });
  assert.match(stale.header?.error?.message ?? "", "stale");
});

test.run();
