import * as assert from "uvu/assert";
import { ErrorType, ServiceMode, StoreStats } from "../../engine/protocol/gen/pdpb.ts";
import { suite } from "../harness.ts";
import { open } from "../../engine/placement/index.ts";
import { bootstrapped, Cluster, heartbeat } from "./cluster.ts";
import { key, regionOf, storeOf, voter } from "./region-kit.ts";

const test = suite("placement/conversation");

test("a fresh driver draws a cluster id, and every member tells the same", () => {
  const cluster = new Cluster(3, 1);
  const leader = cluster.leader();
  cluster.run(500);
  const request = { header: undefined };
  const ids = [1, 2, 3].map((id) => {
    const answer = cluster.ask(id, "GetMembers", request);
    assert.ok(answer.type === "reply" && answer.reply.method === "GetMembers");
    const { response } = answer.reply;
    assert.is(response.members.length, 3);
    assert.is(response.leader?.memberId, leader);
    assert.equal(response.leader?.clientUrls, [`http://pd-${leader}:2379`]);
    return response.header?.clusterId;
  });
  assert.ok(ids[0] !== undefined && ids[0] > 0n);
  assert.is(new Set(ids).size, 1);
});

test("any member answers that the driver is one process", () => {
  const cluster = new Cluster(3, 1);
  const follower = (cluster.leader() % 3) + 1;
  cluster.run(500);
  const answer = cluster.ask(follower, "GetClusterInfo", { header: undefined });
  assert.ok(answer.type === "reply" && answer.reply.method === "GetClusterInfo");
  assert.equal(answer.reply.response.serviceModes, [ServiceMode.PD_SVC_MODE]);
});

test("a member that does not lead refuses as unavailable, and says not leader", () => {
  const cluster = new Cluster(3, 1);
  const follower = (cluster.leader() % 3) + 1;
  const answer = cluster.ask(follower, "Tso", {
    header: cluster.header(),
    count: 1,
    dcLocation: "",
  });
  assert.ok(answer.type === "refuse");
  assert.is(answer.code, 14);
  assert.match(answer.message, "not leader");
});

test("a call meant for another cluster is refused as a failed precondition", () => {
  const cluster = new Cluster(1, 1);
  const header = { ...cluster.header(), clusterId: 12n };
  const answer = cluster.ask(1, "IsBootstrapped", { header });
  assert.ok(answer.type === "refuse");
  assert.is(answer.code, 9);
  assert.match(answer.message, /^mismatch cluster id, need \d+ but got 12$/);
});

test("before there is a cluster id every call is refused as unavailable", () => {
  const cluster = new Cluster(1, 1);
  const answer = cluster.ask(1, "GetMembers", { header: undefined });
  assert.ok(answer.type === "refuse" && answer.code === 14);
});

test("before bootstrap stores and regions are unknown by name", () => {
  const cluster = new Cluster(1, 1);
  assert.not(cluster.call("IsBootstrapped", {}).bootstrapped);
  for (const response of [
    cluster.call("GetAllStores", { excludeTombstoneStores: false }),
    cluster.call("PutStore", { store: storeOf(1) }),
    cluster.call("GetRegion", { regionKey: key(""), needBuckets: false }),
  ]) {
    assert.is(response.header?.error?.type, ErrorType.NOT_BOOTSTRAPPED);
  }
});

test("a cluster is bootstrapped once, and its first region is found by every lookup", () => {
  const cluster = bootstrapped();
  const again = cluster.call("Bootstrap", {
    store: storeOf(1),
    region: regionOf({ id: 2, peers: [voter(3, 1)] }),
  });
  assert.is(again.header?.error?.type, ErrorType.ALREADY_BOOTSTRAPPED);
  assert.ok(cluster.call("IsBootstrapped", {}).bootstrapped);
  assert.is(cluster.call("GetRegion", { regionKey: key("x"), needBuckets: false }).region?.id, 2);
  assert.is(cluster.call("GetRegionByID", { regionId: 2, needBuckets: false }).region?.id, 2);
  const scanned = cluster.call("ScanRegions", { startKey: key("a"), endKey: key(""), limit: 9 });
  assert.equal(
    scanned.regions.map(({ region }) => region?.id),
    [2],
  );
  assert.is(scanned.regionMetas.length, 1);
});

test("a first region that does not cover all keys is refused", () => {
  const cluster = new Cluster(1, 1);
  const region = regionOf({ id: 2, start: "a", peers: [voter(3, 1)] });
  const request = { header: cluster.header(), store: storeOf(1), region };
  const answer = cluster.ask(1, "Bootstrap", request);
  assert.ok(answer.type === "refuse" && answer.code === 3);
});

test("lookups answer by position, with zero for what is not found and each region once", () => {
  const cluster = bootstrapped();
  const regions = [
    regionOf({ id: 4, end: "g", version: 2, peers: [voter(5, 1)] }),
    regionOf({ id: 2, start: "g", version: 2, peers: [voter(3, 1)] }),
  ];
  cluster.call("ReportBatchSplit", { regions });
  const response = cluster.call("QueryRegion", {
    needBuckets: false,
    ids: [2, 77],
    keys: [key("a"), key("z"), key("b")],
    prevKeys: [key("z"), key("a")],
  });
  assert.equal(response.keyIdMap, [4, 2, 4]);
  assert.equal(response.prevKeyIdMap, [4, 0]);
  assert.equal(
    [...response.regionsById.keys()].sort((a, b) => a - b),
    [2, 4],
  );
});

test("a batch scan refuses holes where all of the ranges must be covered", () => {
  const cluster = bootstrapped();
  cluster.call("ReportBatchSplit", {
    regions: [regionOf({ id: 2, start: "g", version: 2, peers: [voter(3, 1)] })],
  });
  const scan = (startKey: string, endKey: string, containAllKeyRange: boolean) =>
    cluster.call("BatchScanRegions", {
      needBuckets: false,
      ranges: [{ startKey: key(startKey), endKey: key(endKey) }],
      limit: 0,
      containAllKeyRange,
    });
  const kind = ErrorType.REGIONS_NOT_CONTAIN_ALL_KEY_RANGE;
  assert.is(scan("a", "k", true).header?.error?.type, kind);
  assert.is(scan("a", "k", false).regions.length, 1);
  assert.is(scan("h", "", true).regions.length, 1);
});

test("what a region's leader reports is what lookups tell", () => {
  const cluster = bootstrapped();
  const region = regionOf({ id: 2, peers: [voter(3, 1)] });
  heartbeat(cluster, { region });
  const found = cluster.call("GetRegion", { regionKey: key("x"), needBuckets: false });
  assert.is(found.leader?.id, 3);
});

test("ids are granted in runs that never meet, and the answer names the largest", () => {
  const cluster = bootstrapped();
  const first = cluster.call("AllocID", { count: 10 });
  const second = cluster.call("AllocID", { count: 0 });
  assert.is(first.count, 10);
  assert.is(second.id, first.id + 1);
  const many = cluster.call("AllocID", { count: 5_000 });
  assert.ok(many.id - 5_000 >= second.id);
});

test("a split gets a region id and as many peer ids as the region has peers, for each new region", () => {
  const cluster = bootstrapped();
  const region = regionOf({ id: 2, peers: [voter(3, 1), voter(4, 2)] });
  const { ids } = cluster.call("AskBatchSplit", { region, splitCount: 3, reason: 0 });
  assert.is(ids.length, 3);
  const all = ids.flatMap(({ newRegionId, newPeerIds }) => [newRegionId, ...newPeerIds]);
  assert.is(all.length, 9);
  assert.is(new Set(all).size, 9);
});

test("a store's heartbeat is answered with the cluster's version, a tombstone's with an error", () => {
  const cluster = bootstrapped();
  cluster.call("PutStore", { store: storeOf(9) });
  const stats = StoreStats.make({ storeId: 9 });
  assert.is(cluster.call("StoreHeartbeat", { stats }).clusterVersion, "8.5.0");
  assert.ok(cluster.call("GetStore", { storeId: 9 }).store!.lastHeartbeat > 0n);
  const answer = cluster.order(1, { type: "set_store_state", store: 9, state: "tombstone" });
  assert.ok(answer.type === "admin_done" && answer.ok);
  const { header } = cluster.call("StoreHeartbeat", { stats });
  assert.is(header?.error?.type, ErrorType.STORE_TOMBSTONE);
  assert.is(cluster.call("GetAllStores", { excludeTombstoneStores: true }).stores.length, 1);
  assert.is(cluster.call("GetAllStores", { excludeTombstoneStores: false }).stores.length, 2);
});

test("a store that still has peers is not buried", () => {
  const cluster = bootstrapped();
  const answer = cluster.order(1, { type: "set_store_state", store: 1, state: "tombstone" });
  assert.ok(answer.type === "admin_done" && !answer.ok);
});

test("safe points survive a restart, and a service holds the collector", () => {
  const cluster = bootstrapped();
  const serviceId = Uint8Array.from([98, 114]);
  const held = cluster.call("UpdateServiceGCSafePoint", { serviceId, ttl: 100n, safePoint: 50n });
  assert.is(held.minSafePoint, 0n);
  const moved = cluster.call("AdvanceTxnSafePoint", { keyspaceScope: undefined, target: 90n });
  assert.is(moved.newTxnSafePoint, 50n);
  assert.is(cluster.call("UpdateGCSafePoint", { safePoint: 40n }).newSafePoint, 40n);
  cluster.crash(1);
  cluster.start(1);
  assert.is(cluster.call("GetGCSafePoint", {}).safePoint, 40n);
  const { gcState } = cluster.call("GetGCState", {
    keyspaceScope: undefined,
    excludeGcBarriers: false,
    includeGlobalGcBarriers: false,
  });
  assert.is(gcState?.txnSafePoint, 50n);
  assert.equal(
    gcState?.gcBarriers.map(({ barrierId }) => barrierId),
    ["br"],
  );
});

test("the default keyspace exists, any other does not", () => {
  const cluster = bootstrapped();
  assert.is(cluster.call("LoadKeyspace", { name: "DEFAULT" }).keyspace?.name, "DEFAULT");
  const { header } = cluster.call("LoadKeyspace", { name: "other" });
  assert.is(header?.error?.type, ErrorType.ENTRY_NOT_FOUND);
});

test("every input and effect is described in one line", () => {
  const cluster = new Cluster(3, 1);
  cluster.transcript = [];
  const leader = cluster.leader();
  cluster.ask(leader, "GetRegion", {
    header: cluster.header(),
    regionKey: key(""),
    needBuckets: false,
  });
  const lines = cluster.transcript;
  assert.ok(lines.every((line) => !line.includes("\n") && !line.includes("undefined")));
  assert.ok(lines.includes(`${leader} > tick`));
  const answer = lines.find((line) => line.includes("reply"));
  assert.match(answer ?? "", /reply 1: GetRegion with error: cluster is not bootstrapped$/);
});

test("what is not served is refused as unimplemented", () => {
  const cluster = bootstrapped();
  const request = { header: cluster.header(), splitKeys: [], retryLimit: 0 };
  const answer = cluster.ask(1, "SplitRegions", request);
  assert.ok(answer.type === "refuse" && answer.code === 12);
});

test("a member whose disk fails stops and says why", () => {
  const cluster = bootstrapped();
  const node = cluster.node(1);
  node.disk.become({ ...node.disk.model, syncFailure: 1 });
  const request = { header: cluster.header(), store: storeOf(9) };
  const ticket = cluster.send(1, "PutStore", request);
  cluster.until(() => node.state === undefined);
  assert.is(cluster.answers.get(ticket)?.type, "refuse");
  assert.ok(cluster.logs.some((line) => line.includes("the disk failed: io_error")));
});

test("a directory of another member is refused", () => {
  const cluster = new Cluster(1, 1);
  cluster.leader();
  cluster.crash(1);
  const other = new Cluster(3, 1);
  const opened = openIn(other, cluster);
  assert.not(opened.ok);
  assert.ok(!opened.ok && opened.reason === "foreign");
});

function openIn(config: Cluster, directory: Cluster): ReturnType<typeof open> {
  return open(directory.node(1).disk, config.config(1), { monotonicMs: 0, wallMs: 0 });
}

test.run();
