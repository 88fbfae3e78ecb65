import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import type { ReplicaOptions } from "../../engine/client/reading.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import { DataIsNotReady, ReadIndexNotReady } from "../../engine/protocol/gen/errorpb.ts";
import { suite } from "../harness.ts";
import { ScriptedCluster, type Trouble } from "./scripted.ts";

const test = suite("client: replica reads");

/** The calls that one read makes. */
async function callsOf(
  options: ReplicaOptions,
  ...troubles: readonly Trouble[]
): Promise<readonly string[]> {
  const script = new ScriptedCluster();
  script.data.set("k" as Key, Uint8Array.of(1));
  const txn = new TxnClient(new Cluster(script.ports, ["pd1:1"], "transactional"));
  const snapshot = await txn.snapshot(7n, options);
  await snapshot.get("k");
  script.calls.length = 0;
  script.troubles.push(...troubles);
  assert.equal(await snapshot.get("k"), Uint8Array.of(1));
  return script.calls;
}

const LEADER = "s1:1 KvGet 1";
const dataIsNotReady: Trouble = {
  type: "region_error",
  error: { dataIsNotReady: DataIsNotReady.make({ regionId: 1 }) },
};
const readIndexNotReady: Trouble = {
  type: "region_error",
  error: { readIndexNotReady: ReadIndexNotReady.make({ regionId: 1 }) },
};

test("a snapshot is read at leaders unless it says otherwise", async () => {
  assert.equal(await callsOf({}), [LEADER]);
  assert.equal(await callsOf({ replicaRead: "leader" }), [LEADER]);
});

test("a follower is one that does not lead, any may be the leader", async () => {
  assert.equal(await callsOf({ replicaRead: "follower" }), ["s3:1 KvGet 1 replica"]);
  assert.equal(await callsOf({ replicaRead: "any" }), ["s2:1 KvGet 1 replica"]);
  assert.equal(await callsOf({ staleRead: true }), ["s2:1 KvGet 1 stale"]);
  assert.equal(await callsOf({ staleRead: true, replicaRead: "leader" }), ["s1:1 KvGet 1 stale"]);
});

test("whatever a replica cannot answer the leader is asked for, at once", async () => {
  const stale = ["s2:1 KvGet 1 stale", LEADER];
  assert.equal(await callsOf({ staleRead: true }, dataIsNotReady), stale);
  assert.equal(await callsOf({ staleRead: true }, { type: "lost" }), stale);
  const follower = ["s3:1 KvGet 1 replica", LEADER];
  assert.equal(await callsOf({ replicaRead: "follower" }, readIndexNotReady), follower);
  assert.equal(await callsOf({ replicaRead: "follower" }, { type: "lost" }), follower);
});

test("a transaction reads where it was told to", async () => {
  const script = new ScriptedCluster();
  script.data.set("k" as Key, Uint8Array.of(1));
  const txn = new TxnClient(new Cluster(script.ports, ["pd1:1"], "transactional"));
  const open = await txn.begin({ replicaRead: "follower" });
  await open.get("k");
  script.calls.length = 0;
  await open.get("k");
  assert.equal(script.calls, ["s3:1 KvGet 1 replica"]);
});

test.run();
