/** Calls about garbage collection beyond the few that everybody makes. */
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { resolved } from "../../engine/placement/index.ts";
import { bootstrapped } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { storeOf } from "./region-kit.ts";

const test = suite("placement/gc calls");

const HOUR = 3600n;
const keyspaceScope = undefined;
const keyspace = { case: "keyspaceId", value: 1 } as const;

function leastOf(cluster: Cluster): bigint | undefined {
  const { state } = cluster.node(cluster.leader());
  return state === undefined ? undefined : resolved(state)?.least;
}

const advance = (cluster: Cluster, target: bigint): readonly [bigint, string] => {
  const moved = cluster.call("AdvanceTxnSafePoint", { keyspaceScope, target });
  return [moved.newTxnSafePoint, moved.blockerDescription];
};

test("a barrier of all keyspaces holds the transaction safe point until it is deleted", () => {
  const cluster = bootstrapped();
  const barrier = { barrierId: "backup", barrierTs: 50n, ttlSeconds: HOUR };
  const { newBarrierInfo } = cluster.call("SetGlobalGCBarrier", barrier);
  assert.equal(newBarrierInfo, barrier);
  assert.equal(advance(cluster, 90n), [50n, 'GlobalBarrierID:"backup", BarrierTS:50']);
  const { deletedBarrierInfo } = cluster.call("DeleteGlobalGCBarrier", { barrierId: "backup" });
  assert.is(deletedBarrierInfo?.barrierTs, 50n);
  assert.equal(advance(cluster, 90n), [90n, ""]);
  const again = cluster.call("DeleteGlobalGCBarrier", { barrierId: "backup" });
  assert.is(again.deletedBarrierInfo, undefined);
});

test("barriers of a keyspace and of all are two, though they have one name", () => {
  const cluster = bootstrapped();
  const [barrierId, ttlSeconds] = ["backup", HOUR];
  cluster.call("SetGlobalGCBarrier", { barrierId, barrierTs: 60n, ttlSeconds });
  cluster.call("SetGCBarrier", { keyspaceScope, barrierId, barrierTs: 50n, ttlSeconds });
  const { gcState, globalGcBarriers } = cluster.call("GetGCState", {
    keyspaceScope,
    excludeGcBarriers: false,
    includeGlobalGcBarriers: true,
  });
  assert.equal(
    [gcState?.gcBarriers, globalGcBarriers?.barriers].map((list) => list?.map((b) => b.barrierTs)),
    [[50n], [60n]],
  );
  const deleted = cluster.call("DeleteGCBarrier", { keyspaceScope, barrierId });
  assert.is(deleted.deletedBarrierInfo?.barrierTs, 50n);
  const left = cluster.call("GetAllKeyspacesGCStates", {
    excludeGcBarriers: false,
    excludeGlobalGcBarriers: false,
  });
  assert.equal(left.gcStates[0]?.gcBarriers, []);
  assert.is(left.globalGcBarriers[0]?.barrierTs, 60n);
  const without = cluster.call("GetAllKeyspacesGCStates", {
    excludeGcBarriers: true,
    excludeGlobalGcBarriers: true,
  });
  assert.equal(without.globalGcBarriers, []);
});

test("a barrier of all keyspaces behind the transaction safe point is refused by name", () => {
  const cluster = bootstrapped();
  advance(cluster, 90n);
  const barrier = { barrierId: "late", barrierTs: 89n, ttlSeconds: HOUR };
  const { header } = cluster.call("SetGlobalGCBarrier", barrier);
  assert.match(header?.error?.message ?? "", "ErrGlobalGCBarrierTSBehindTxnSafePoint");
});

test("a barrier of all keyspaces outlives the member that took it", () => {
  const cluster = bootstrapped();
  cluster.call("SetGlobalGCBarrier", { barrierId: "b", barrierTs: 50n, ttlSeconds: HOUR });
  const leader = cluster.leader();
  cluster.crash(leader);
  cluster.start(leader);
  assert.equal(advance(cluster, 90n), [50n, 'GlobalBarrierID:"b", BarrierTS:50']);
});

test("the second generation of calls moves the safe point that all keyspaces share", () => {
  const cluster = bootstrapped();
  const service = {
    keyspace,
    serviceId: new TextEncoder().encode("br"),
    safePoint: 50n,
    ttl: HOUR,
  };
  const { minSafePoint } = cluster.call("UpdateServiceSafePointV2", service);
  assert.is(minSafePoint, 0n);
  assert.is(cluster.call("UpdateGCSafePointV2", { keyspace, safePoint: 40n }).newSafePoint, 40n);
  assert.is(cluster.call("UpdateGCSafePointV2", { keyspace, safePoint: 30n }).newSafePoint, 40n);
  assert.is(cluster.call("GetGCSafePointV2", { keyspace }).safePoint, 40n);
  assert.is(cluster.call("GetGCSafePoint", {}).safePoint, 40n);
  // Of keyspaces that collect by themselves there is none.
  assert.equal(cluster.call("GetAllGCSafePointV2", {}).gcSafePoints, []);
});

test("the least of what stores say is settled counts once all have said so, and stays", () => {
  const cluster = bootstrapped();
  cluster.call("PutStore", { store: storeOf(9) });
  const report = (storeId: number, minResolvedTs: bigint): string =>
    cluster.call("ReportMinResolvedTS", { storeId, minResolvedTs }).header?.error?.message ?? "";
  const least = (): bigint => leastOf(cluster) ?? -1n;
  assert.is(report(1, 50n), "");
  assert.is(least(), 0n);
  assert.is(report(9, 70n), "");
  assert.is(least(), 50n);
  report(1, 60n);
  report(1, 40n);
  assert.is(least(), 60n);
  assert.match(report(77, 1n), "store ID 77, not found");
});

test.run();
