/** How much a store lets in when it is behind, and what it tells those it sends away. */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import { Context, RawGetRequest, RawPutRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import { emptyBucket, filled, judge, mayPass, taken } from "../../engine/store/throttle.ts";
import type { StoreConfig } from "../../engine/store/index.ts";
import { HEALTHY_DISK } from "../../sim/disk/model.ts";
import { suite } from "../harness.ts";
import { Cluster, testConfig } from "./harness.ts";

const test = suite("store throttle");
const { region, throttle } = testConfig(1);
const idle = {
  frozenBytes: 0,
  levelZero: 0,
  debtBytes: 0,
  memoryBytes: 0,
  freeBytes: 1 << 30,
  blocked: false,
};

const rateAt = (levelZero: number): number => {
  const verdict = judge({ ...idle, levelZero }, throttle);
  if (verdict.type === "open") return Number.POSITIVE_INFINITY;
  return verdict.type === "slow" ? verdict.bytesPerSecond : 0;
};

test("the rate falls from the soft limit on, never to nothing before the hard one", () => {
  let before = rateAt(50);
  assert.is(before, Number.POSITIVE_INFINITY);
  for (let tables = 51; tables < 100; tables++) {
    const rate = rateAt(tables);
    assert.ok(rate <= before && rate > 0, `${tables} tables`);
    before = rate;
  }
  assert.ok(before < throttle.bytesPerSecond / 50);
  assert.is(rateAt(100), 0);
});

test("each kind of debt, and memory, is named when it is too much", () => {
  const cases = [
    [{ frozenBytes: 1 << 20 }, /memtables wait/],
    [{ levelZero: 100 }, /level 0/],
    [{ debtBytes: 1 << 30 }, /compaction is behind/],
    [{ memoryBytes: 1 << 26 }, /memory budget/],
  ] as const;
  for (const [load, reason] of cases) {
    const verdict = judge({ ...idle, ...load }, throttle);
    if (verdict.type !== "refuse") throw new Error(verdict.type);
    assert.match(verdict.reason, reason);
    assert.ok(verdict.backoffMs > 0);
  }
});

test("a bucket lets in its rate over time, whatever the size of the writes", () => {
  for (const size of [10, 500, 30_000]) {
    let bucket = emptyBucket(0);
    let passed = 0;
    for (let now = 0; now <= 10_000; now += 7) {
      bucket = filled(bucket, now, 10_000);
      while (mayPass(bucket)) {
        bucket = taken(bucket, size);
        passed += size;
      }
    }
    assert.ok(Math.abs(passed - 100_000) <= size + 1000, `${size}: ${passed}`);
  }
});

/** One store with a region of its own. */
function ready(change: Partial<typeof throttle>, settings: Partial<StoreConfig> = {}): Cluster {
  const cluster = new Cluster(1, { throttle: { ...throttle, ...change }, ...settings });
  cluster.run(3000);
  return cluster;
}

function put(cluster: Cluster, key: string, size: number): Ticket {
  const { node, replica } = cluster.leaderAt("");
  const { region, peer } = replica;
  const context = Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer });
  const request = RawPutRequest.make({ context, key: key as Key, value: new Uint8Array(size) });
  return cluster.ask(node, { method: "RawPut", request });
}

/** What came of a call: nothing yet, `ok`, or the region error. */
function outcome(cluster: Cluster, ticket: Ticket): "waits" | "ok" | RegionError {
  const reply = cluster.replies.get(ticket);
  if (reply === undefined) return "waits";
  return (reply.response as { regionError?: RegionError }).regionError ?? "ok";
}

function readable(cluster: Cluster, key: string): boolean {
  const { node, replica } = cluster.leaderAt("");
  const { region, peer } = replica;
  const context = Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer });
  const request = RawGetRequest.make({ context, key: key as Key });
  const reply = cluster.call(node, { method: "RawGet", request });
  return reply.method === "RawGet" && reply.response.regionError === undefined;
}

test("between the limits writes wait in line for their share, and pass in order", () => {
  // The soft limit is always passed, the rate next to nothing: 100 bytes a second.
  const cluster = ready({ softFrozenBytes: -1, bytesPerSecond: 100, lineMs: 60_000 });
  const tickets = ["a", "b", "c"].map((key) => put(cluster, key, 60));
  const outcomes = (): unknown => tickets.map((ticket) => outcome(cluster, ticket));
  assert.equal(outcomes(), ["ok", "waits", "waits"]);
  cluster.run(900);
  assert.equal(outcomes(), ["ok", "ok", "waits"]);
  cluster.run(900);
  assert.equal(outcomes(), ["ok", "ok", "ok"]);
});

test("a full line, and one that is too slow, end in ServerIsBusy with a time to come back", () => {
  const cluster = ready({ softFrozenBytes: -1, bytesPerSecond: 100 });
  const tickets = Array.from({ length: 20 }, (_, i) => put(cluster, `k${i}`, 100));
  const last = outcome(cluster, tickets[19]!);
  if (typeof last === "string") throw new Error(last);
  assert.match(last.serverIsBusy?.reason ?? "", /wait for the disk/);
  assert.ok((last.serverIsBusy?.backoffMs ?? 0) > 1000);
  cluster.run(1500);
  const outcomes = tickets.map((ticket) => outcome(cluster, ticket));
  assert.not(outcomes.includes("waits"));
  assert.ok(outcomes.includes("ok"));
  assert.ok(
    outcomes.some(
      (one) => typeof one !== "string" && /slowed/.test(one.serverIsBusy?.reason ?? ""),
    ),
  );
});

test("at the budget of memory writes are refused until a flush has given some back", () => {
  const cluster = ready({ memoryBytes: 14_000 }, { freezeLogBytes: 1 << 30 });
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const ticket = put(cluster, `k${i}`, 900);
    const end = outcome(cluster, ticket);
    if (typeof end !== "string") {
      assert.match(end.serverIsBusy?.reason ?? "", /memory budget/);
      refused += 1;
      assert.ok(readable(cluster, "k0"));
      cluster.run(200);
    }
  }
  assert.ok(refused > 0 && refused < 50, `${refused} refused`);
});

test("logs kept for convenience give way when memory is short, also with nothing to flush", () => {
  const cluster = ready(
    { memoryBytes: 18_000 },
    { memtableBytes: 1, cacheBytes: 10_000, region: { ...region, retainedEntries: 500 } },
  );
  for (let i = 0; i < 12; i++) {
    assert.is(outcome(cluster, put(cluster, `k${i}`, 900)), "ok");
    cluster.run(200);
  }
  // All of it is flushed, and its log kept; now it is in the cache as well.
  for (let i = 0; i < 12; i++) assert.ok(readable(cluster, `k${i}`));
  cluster.run(200);
  assert.is(outcome(cluster, put(cluster, "a", 900)), "ok");
});

test("below the reserve writes get DiskFull, reads go on, and room brings writes back", () => {
  const cluster = ready({ reserveBytes: 100_000 });
  assert.is(outcome(cluster, put(cluster, "a", 10)), "ok");
  const disk = cluster.nodes[0]!.disk;
  disk.become({ ...HEALTHY_DISK, capacityBytes: disk.usedBytes + 90_000 });
  cluster.run(100);
  const full = outcome(cluster, put(cluster, "b", 10));
  if (typeof full === "string") throw new Error(full);
  assert.equal(full.diskFull?.storeId, [cluster.nodes[0]!.state?.identity?.store]);
  assert.ok(readable(cluster, "a"));
  disk.become(HEALTHY_DISK);
  cluster.run(100);
  assert.is(outcome(cluster, put(cluster, "b", 10)), "ok");
});

test.run();
