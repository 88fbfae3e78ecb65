import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import { ClientError, type FailureReason } from "../../engine/client/errors.ts";
import { RawClient } from "../../engine/client/raw.ts";
import { suite } from "../harness.ts";
import { regionOf, ScriptedCluster } from "./scripted.ts";

const test = suite("client: raw");

const clientOf = (cluster: ScriptedCluster): RawClient =>
  new RawClient(new Cluster(cluster.ports, ["gone:1", "pd1:1"], "raw"));
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

async function reasonOf(operation: Promise<unknown>): Promise<FailureReason | "none"> {
  try {
    await operation;
    return "none";
  } catch (error) {
    if (error instanceof ClientError) return error.reason;
    throw error;
  }
}

test("a member that is down is passed over, and each region is looked up once", async () => {
  const cluster = new ScriptedCluster(["m"]);
  const client = clientOf(cluster);
  await client.put("a", "1");
  await client.put("z", "2");
  assert.is(text(await client.get("a")), "1");
  assert.is(await client.get("b"), undefined);
  assert.equal(cluster.calls, ["s1:1 RawPut 1", "s1:1 RawPut 2", "s1:1 RawGet 1", "s1:1 RawGet 1"]);
  assert.equal(cluster.sleeps, []);
});

test("a store that is not the leader names it, and it is asked at once", async () => {
  const cluster = new ScriptedCluster();
  const client = clientOf(cluster);
  await client.get("a");
  cluster.leaders.set(1, 3);
  await client.get("a");
  await client.get("a");
  assert.equal(cluster.calls.slice(1), ["s1:1 RawGet 1", "s3:1 RawGet 1", "s3:1 RawGet 1"]);
  assert.equal(cluster.sleeps, []);
});

test("without a leader the next member is asked after a pause that grows", async () => {
  const cluster = new ScriptedCluster();
  const error = { message: "not leader", notLeader: { regionId: 1, leader: undefined } };
  for (let i = 0; i < 3; i++) cluster.troubles.push({ type: "region_error", error });
  await clientOf(cluster).get("a");
  assert.equal(cluster.calls, ["s1:1 RawGet 1", "s2:1 RawGet 1", "s3:1 RawGet 1", "s1:1 RawGet 1"]);
  assert.equal(cluster.sleeps, [2, 4, 8]);
});

test("after a split the regions of the answer are used without asking again", async () => {
  const cluster = new ScriptedCluster();
  const client = clientOf(cluster);
  await client.get("a");
  const left = regionOf(2, 2, "" as Key, "m" as Key);
  const right = regionOf(1, 2, "m" as Key, "" as Key);
  cluster.regions = [left, right];
  const error = { message: "epoch", epochNotMatch: { currentRegions: [right, left] } };
  cluster.troubles.push({ type: "region_error", error });
  await client.put("b", "1");
  assert.equal(cluster.calls.slice(1), ["s1:1 RawPut 1", "s1:1 RawPut 2"]);
});

test("a batch whose region was split is divided again and arrives whole", async () => {
  const cluster = new ScriptedCluster();
  const client = clientOf(cluster);
  await client.get("a");
  const regions = [regionOf(2, 2, "" as Key, "m" as Key), regionOf(1, 2, "m" as Key, "" as Key)];
  cluster.regions = regions;
  const error = { message: "epoch", epochNotMatch: { currentRegions: regions } };
  cluster.troubles.push({ type: "region_error", error });
  await client.batchPut([
    ["a", "1"],
    ["z", "2"],
    ["b", "3"],
  ]);
  assert.equal(
    [...cluster.data.keys()].sort((x, y) => (x < y ? -1 : 1)),
    ["a", "b", "z"],
  );
  const pairs = await client.batchGet(["z", "a", "nothing", "a"]);
  assert.equal(
    pairs.map(({ key }) => text(key) ?? "").sort((x, y) => (x < y ? -1 : 1)),
    ["a", "z"],
  );
});

test("a put whose answer is lost is made again; a swap is not, and says so", async () => {
  const cluster = new ScriptedCluster();
  const client = clientOf(cluster);
  cluster.troubles.push({ type: "lost" });
  await client.put("a", "1");
  assert.equal(cluster.calls, ["s1:1 RawPut 1", "s2:1 RawPut 1", "s1:1 RawPut 1"]);
  cluster.troubles.push({ type: "lost" });
  assert.is(await reasonOf(client.compareAndSwap("a", "1", "2")), "undetermined");
  assert.is(cluster.calls.length, 4);
  const undetermined = { message: "undetermined", undeterminedResult: { message: "" } };
  cluster.troubles.push({ type: "region_error", error: undetermined });
  assert.is(await reasonOf(client.compareAndSwap("a", "1", "2")), "undetermined");
});

test("a swap that was surely not carried out is made again", async () => {
  const cluster = new ScriptedCluster();
  const client = clientOf(cluster);
  const stale = { message: "stale", staleCommand: {} };
  cluster.troubles.push({ type: "region_error", error: stale });
  cluster.troubles.push({ type: "refused", message: "starting" });
  const { swapped } = await client.compareAndSwap("a", undefined, "2");
  assert.ok(swapped);
  // The store that refused is left for another, which knows that it leads.
  const swaps = ["s1:1", "s1:1", "s2:1", "s1:1"].map((at) => `${at} RawCompareAndSwap 1`);
  assert.equal(cluster.calls, swaps);
});

test("a busy store is left alone for as long as it asks, within the time there is", async () => {
  const cluster = new ScriptedCluster();
  const client = clientOf(cluster);
  const busy = {
    message: "busy",
    serverIsBusy: { reason: "debt", backoffMs: 5000, estimatedWaitMs: 0, appliedIndex: 0 },
  };
  cluster.troubles.push({ type: "region_error", error: busy });
  await client.get("a");
  assert.equal(cluster.sleeps, [5000]);
  cluster.troubles.push({ type: "region_error", error: busy });
  assert.is(await reasonOf(client.get("a", { timeoutMs: 3000 })), "timeout");
});

test("what can never succeed is refused at once", async () => {
  const cluster = new ScriptedCluster();
  const large = { regionId: 1, entrySize: 9 };
  const error = { message: "entry too large", raftEntryTooLarge: large };
  cluster.troubles.push({ type: "region_error", error });
  assert.is(await reasonOf(clientOf(cluster).put("a", "1")), "refused");
  assert.equal(cluster.sleeps, []);
});

test("a signal ends an operation", async () => {
  const cluster = new ScriptedCluster();
  const signal = AbortSignal.abort();
  assert.is(await reasonOf(clientOf(cluster).get("a", { signal })), "cancelled");
  assert.equal(cluster.calls, []);
});

test("scans go through all regions both ways, page by page, and stop at their limit", async () => {
  const cluster = new ScriptedCluster(["c", "f"]);
  const client = clientOf(cluster);
  const names = "abcdefgh".split("");
  await client.batchPut(names.map((name) => [name, name]));
  const scan = async (options: Parameters<RawClient["scan"]>[0]): Promise<string> => {
    let found = "";
    for await (const { key } of client.scan(options)) found += text(key) ?? "";
    return found;
  };
  assert.is(await scan({}), "abcdefgh");
  assert.is(await scan({ pageSize: 1 }), "abcdefgh");
  assert.is(await scan({ start: "b", end: "g" }), "bcdef");
  assert.is(await scan({ start: "b", end: "c" }), "b");
  assert.is(await scan({ limit: 4, pageSize: 3 }), "abcd");
  assert.is(await scan({ reverse: true }), "hgfedcba");
  assert.is(await scan({ reverse: true, start: "b", end: "f", pageSize: 2 }), "edcb");
  assert.is(await scan({ reverse: true, limit: 3 }), "hgf");
  assert.is(await scan({ reverse: true, end: "c" }), "ba");
  await client.deleteRange("b", "g");
  assert.is(await scan({}), "agh");
});

test.run();
