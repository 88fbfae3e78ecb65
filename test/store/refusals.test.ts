import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import { Context, RawGetRequest, RawPutRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { Peer, RegionEpoch } from "../../engine/protocol/gen/metapb.ts";
import { trouble } from "../../engine/store/index.ts";
import { HEALTHY_DISK } from "../../sim/disk/model.ts";
import { suite } from "../harness.ts";
import { Cluster } from "./harness.ts";

const test = suite("store refuses");

interface Asked {
  readonly key?: string;
  readonly value?: Uint8Array;
}

/** A cluster of one store, and ways to ask it. */
class Store {
  readonly cluster: Cluster;

  constructor() {
    this.cluster = new Cluster(1);
    this.cluster.run(3000);
  }

  context(change: Partial<Context> = {}): Context {
    const { region, peer } = this.cluster.leaderAt("").replica;
    return Context.make({
      regionId: region.id,
      regionEpoch: region.regionEpoch,
      peer,
      ...change,
    });
  }

  /** The region error of a get with this context. */
  get(change: Partial<Context>, { key = "k" }: Asked = {}): RegionError {
    const request = RawGetRequest.make({ context: this.context(change), key: key as Key });
    const reply = this.cluster.call(this.node, { method: "RawGet", request });
    if (reply.method !== "RawGet") throw new Error(reply.method);
    assert.ok(reply.response.regionError, "the get was not refused");
    return reply.response.regionError;
  }

  put({ key = "k", value = new Uint8Array(1) }: Asked): {
    error: string;
    regionError: RegionError | undefined;
  } {
    const request = RawPutRequest.make({ context: this.context(), key: key as Key, value });
    const reply = this.cluster.call(this.node, { method: "RawPut", request });
    if (reply.method !== "RawPut") throw new Error(reply.method);
    return reply.response;
  }

  get node(): Cluster["nodes"][number] {
    const [node] = this.cluster.nodes;
    if (node === undefined) throw new Error("no node");
    return node;
  }
}

test("a request for another store, naming both", () => {
  const error = new Store().get({ peer: Peer.make({ id: 1, storeId: 4711 }) });
  assert.is(error.storeNotMatch?.requestStoreId, 4711);
});

test("a request for a region that is not here", () => {
  assert.is(new Store().get({ regionId: 999 }).regionNotFound?.regionId, 999);
});

test("a request for a peer that is not this one", () => {
  const error = new Store().get({ peer: Peer.make({ id: 4711 }) });
  assert.is(error.mismatchPeerId?.requestPeerId, 4711);
});

test("a request with an old epoch, naming the region of now", () => {
  const store = new Store();
  const error = store.get({ regionEpoch: RegionEpoch.make({ confVer: 1, version: 0 }) });
  const { region } = store.cluster.leaderAt("").replica;
  assert.equal(error.epochNotMatch?.currentRegions, [region]);
});

test("a key above the limit, with both sizes in the text", () => {
  const { error, regionError } = new Store().put({ key: "k".repeat(9000) });
  assert.is(regionError, undefined);
  assert.match(error, /9000.*8192/);
});

test("a value above the limit, as an entry that is too large", () => {
  const { regionError } = new Store().put({ value: new Uint8Array(9 << 20) });
  assert.ok((regionError?.raftEntryTooLarge?.entrySize ?? 0) > 9 << 20);
});

test("everything once its disk has failed, and says why", () => {
  const store = new Store();
  store.node.refuses = "io_error";
  const request = RawPutRequest.make({ context: store.context(), key: "k" as Key });
  store.cluster.ask(store.node, { method: "RawPut", request });
  store.cluster.run(200);
  assert.is(trouble(store.node.state!)?.reason, "io_error");
  assert.is(store.cluster.replies.size, 0, "a write that is not durable was acknowledged");
  const context = Context.make({ regionId: 1 });
  const next = RawGetRequest.make({ context, key: "k" as Key });
  const reply = store.cluster.call(store.node, { method: "RawGet", request: next });
  if (reply.method !== "RawGet") throw new Error(reply.method);
  assert.ok(reply.response.regionError?.serverIsBusy);
});

test("writes while its disk has no room for the log, and goes on by itself when it has", () => {
  const store = new Store();
  assert.is(store.put({ key: "a" }).regionError, undefined);
  const { disk } = store.node;
  disk.become({ ...HEALTHY_DISK, capacityBytes: disk.usedBytes + 20 });
  const request = RawPutRequest.make({ context: store.context(), key: "b" as Key });
  const waiting = store.cluster.ask(store.node, { method: "RawPut", request });
  store.cluster.run(200);
  assert.is(trouble(store.node.state!), undefined);
  assert.not(store.cluster.replies.has(waiting), "a write that is not durable was acknowledged");
  assert.ok(store.put({ key: "c" }).regionError?.diskFull);
  const get = RawGetRequest.make({ context: store.context(), key: "a" as Key });
  const reply = store.cluster.call(store.node, { method: "RawGet", request: get });
  assert.ok(reply.method === "RawGet" && reply.response.regionError === undefined);
  disk.become(HEALTHY_DISK);
  store.cluster.run(2000);
  assert.ok(store.cluster.replies.has(waiting), "what waited is done");
  assert.is(store.put({ key: "c" }).regionError, undefined);
});

test("what was acknowledged before the disk refused is there after a restart", () => {
  const store = new Store();
  assert.is(store.put({ key: "a" }).regionError, undefined);
  store.node.refuses = "no_space";
  const request = RawPutRequest.make({ context: store.context(), key: "b" as Key });
  store.cluster.ask(store.node, { method: "RawPut", request });
  store.cluster.run(200);
  store.node.refuses = undefined;
  store.cluster.crash(store.node);
  store.cluster.start(store.node);
  store.cluster.run(4000);
  const get = RawGetRequest.make({ context: store.context(), key: "a" as Key });
  const reply = store.cluster.call(store.node, { method: "RawGet", request: get });
  if (reply.method !== "RawGet") throw new Error(reply.method);
  assert.is(reply.response.value.length, 1);
});

test.run();
