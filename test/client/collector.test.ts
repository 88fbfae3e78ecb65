/** Rounds of garbage collection against a cluster that knows locks, their fates and safe points. */
import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { encodeMemcomparable } from "../../engine/base/memcomparable.ts";
import { composeTimestamp, type Timestamp } from "../../engine/base/timestamp.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import {
  collect,
  type CollectionPlan,
  type Round,
  targetOf,
} from "../../engine/client/collector.ts";
import { ClientError } from "../../engine/client/errors.ts";
import type { Answer, Ports } from "../../engine/client/ports.ts";
import {
  applySafePoint,
  NO_SAFE_POINTS,
  type SafePoints,
} from "../../engine/placement/catalog/safe-point.ts";
import {
  CheckTxnStatusResponse,
  KeyError,
  LockInfo,
  ResolveLockResponse,
  ScanLockResponse,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { Peer, Region, RegionEpoch, Store } from "../../engine/protocol/gen/metapb.ts";
import * as pdpb from "../../engine/protocol/gen/pdpb.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { suite } from "../harness.ts";

const test = suite("client/collector");

const SECOND = 1000;
const at = (seconds: number): Timestamp => composeTimestamp(seconds * SECOND, 0);
const PLAN: CollectionPlan = { lifeTimeMs: 100 * SECOND, intervalMs: 10 * SECOND, longestMs: 1e9 };
const NOW = 1000;

/** What a transaction's primary key says of it; "alive" for as long as it is asked. */
type Fate = "committed" | "rolled back" | "alive";

class World {
  readonly locks: Map<Key, LockInfo> = new Map();
  readonly fates: Map<bigint, Fate> = new Map();
  points: SafePoints = NO_SAFE_POINTS;
  /** In the driver's form. */
  bounds: Key[];
  calls: string[] = [];
  /** Done once, before the next call to a store. */
  surprise: (() => void) | undefined;
  /** One of the locks, which lies in the leader's memory when it is first met. */
  arriving: LockInfo | undefined;
  leading = true;
  #nowMs = 0;

  constructor(bounds: readonly Key[] = [encodeMemcomparable("m" as Key)]) {
    this.bounds = [...bounds];
  }

  lock(key: string, start: number, fate: Fate): void {
    const lockVersion = at(start);
    const info = LockInfo.make({
      key: key as Key,
      primaryLock: key as Key,
      lockVersion,
      lockTtl: 3000,
    });
    this.locks.set(key as Key, info);
    this.fates.set(lockVersion, fate);
  }

  async collect(plan: CollectionPlan = PLAN): Promise<Round | undefined> {
    const ports: Ports = {
      transport: {
        tikv: (_, call) => Promise.resolve(this.#tikv(call)),
        pd: (_, call) => Promise.resolve({ ok: true, reply: this.#pd(call) } as const),
      },
      clock: {
        nowMs: () => this.#nowMs,
        sleep: (ms) => {
          this.#nowMs += ms;
          return Promise.resolve();
        },
      },
      random: { next: () => 0.5 },
      log: undefined,
    };
    return collect(new Cluster(ports, ["pd:1"], "transactional"), plan, undefined);
  }

  #regions(): readonly Region[] {
    const edges = [EMPTY_KEY, ...this.bounds, EMPTY_KEY];
    return edges.slice(1).map((endKey, i) =>
      Region.make({
        id: i + 1,
        startKey: edges[i] as Key,
        endKey,
        peers: [Peer.make({ id: i + 11, storeId: 1 })],
        regionEpoch: RegionEpoch.make({ version: this.bounds.length, confVer: 1 }),
      }),
    );
  }

  #pd(call: PdCall): PdReply {
    const header = pdpb.ResponseHeader.make({ clusterId: 7n });
    const { method } = call;
    switch (call.method) {
      case "GetMembers": {
        const leader = pdpb.Member.make({ name: "pd", clientUrls: ["http://pd:1"] });
        const response = pdpb.GetMembersResponse.make({ header, leader, members: [leader] });
        return { method: call.method, response };
      }
      case "GetRegion": {
        const { regionKey } = call.request;
        const region = this.#regions().findLast(({ startKey }) => startKey <= regionKey);
        const response = pdpb.GetRegionResponse.make({ header, region, leader: region?.peers[0] });
        return { method: call.method, response };
      }
      case "GetStore": {
        const store = Store.make({ id: 1, address: "s1:1" });
        return { method: call.method, response: pdpb.GetStoreResponse.make({ header, store }) };
      }
      case "Tso": {
        const timestamp = pdpb.Timestamp.make({ physical: NOW * SECOND });
        return { method: call.method, response: pdpb.TsoResponse.make({ header, timestamp }) };
      }
      case "GetGCState": {
        const { transaction: txnSafePoint, gc: gcSafePoint } = this.points;
        const gcState = pdpb.GCState.make({ txnSafePoint, gcSafePoint });
        return { method: call.method, response: pdpb.GetGCStateResponse.make({ header, gcState }) };
      }
      case "AdvanceTxnSafePoint": {
        const { target } = call.request;
        const type = "advance_transaction";
        const result = applySafePoint(this.points, { type, target, lenient: false, now: 0 });
        if (!result.ok) throw new Error(result.message);
        this.points = result.points;
        const response = pdpb.AdvanceTxnSafePointResponse.make({
          header,
          newTxnSafePoint: result.after,
        });
        return { method: call.method, response };
      }
      case "AdvanceGCSafePoint": {
        const { target } = call.request;
        const result = applySafePoint(this.points, { type: "advance_gc", target, lenient: false });
        if (!result.ok) throw new Error(result.message);
        this.points = result.points;
        const response = pdpb.AdvanceGCSafePointResponse.make({
          header,
          newGcSafePoint: result.after,
        });
        return { method: call.method, response };
      }
      default:
        throw new Error(`nobody scripted ${method}`);
    }
  }

  #tikv(call: TikvCall): Answer<TikvReply> {
    const { surprise } = this;
    this.surprise = undefined;
    surprise?.();
    const { context } = call.request as { readonly context: { regionId: number } | undefined };
    const region = this.#regions().find(({ id }) => id === context?.regionId);
    const version = (call.request as { context?: { regionEpoch?: RegionEpoch } }).context
      ?.regionEpoch?.version;
    this.calls.push(call.method);
    return { ok: true, reply: this.#answer(call, region, version !== this.bounds.length) };
  }

  #answer(call: TikvCall, region: Region | undefined, stale: boolean): TikvReply {
    const regionError =
      region === undefined || stale
        ? { message: "epoch", epochNotMatch: { currentRegions: this.#regions() } }
        : undefined;
    switch (call.method) {
      case "KvScanLock": {
        if (regionError !== undefined || region === undefined) {
          return { method: call.method, response: ScanLockResponse.make({ regionError } as never) };
        }
        const { startKey, limit, maxVersion } = call.request;
        if (this.arriving !== undefined) {
          const error = KeyError.make({ locked: this.arriving });
          this.arriving = undefined;
          return { method: call.method, response: ScanLockResponse.make({ error }) };
        }
        const locks = [...this.locks.values()]
          .sort((a, b) => (a.key < b.key ? -1 : 1))
          .filter(({ key, lockVersion }) => {
            const place = encodeMemcomparable(key);
            const inside =
              place >= region.startKey && (region.endKey === "" || place < region.endKey);
            return inside && key >= startKey && lockVersion <= maxVersion;
          });
        const response = ScanLockResponse.make({ locks: locks.slice(0, limit) });
        return { method: call.method, response };
      }
      case "KvCheckTxnStatus": {
        const fate = this.fates.get(call.request.lockTs);
        const { callerStartTs } = call.request;
        assert.is(callerStartTs, 0n, "nobody's commit is pushed");
        const response = CheckTxnStatusResponse.make({
          lockTtl: fate === "alive" ? 1e9 : 0,
          commitVersion: fate === "committed" ? call.request.lockTs + 1n : 0n,
        });
        return { method: call.method, response };
      }
      case "KvResolveLock":
        for (const key of call.request.keys) this.locks.delete(key);
        return { method: call.method, response: ResolveLockResponse.make() };
      default:
        throw new Error(`nobody scripted ${call.method}`);
    }
  }
}

test("a round clears what is over in every region, and both safe points come to the target", async () => {
  const world = new World();
  world.lock("a", 100, "committed");
  world.lock("z", 200, "rolled back");
  world.lock("y", 950, "rolled back");
  const round = await world.collect();
  assert.is(round?.cleared, 2);
  assert.equal([...world.locks.keys()], ["y"]);
  assert.equal([world.points.transaction, world.points.gc], [at(900), at(900)]);
});

test("a lock that is on its way into a region's log is waited for", async () => {
  const world = new World();
  world.lock("a", 100, "rolled back");
  world.arriving = world.locks.get("a" as Key);
  const round = await world.collect();
  assert.is(round?.cleared, 1);
  assert.equal([...world.locks.keys()], []);
});

test("a transaction that keeps its locks alive holds both safe points below its start", async () => {
  const world = new World();
  world.lock("a", 100, "committed");
  world.lock("n", 600, "alive");
  world.lock("o", 700, "alive");
  const round = await world.collect();
  assert.is(round?.oldest, at(600));
  assert.is(round?.cleared, 1);
  assert.equal([world.points.transaction, world.points.gc], [at(600) - 1n, at(600) - 1n]);
});

test("held for too long, the transaction is given up; its versions stay until its locks go", async () => {
  const world = new World();
  world.lock("n", 600, "alive");
  await world.collect({ ...PLAN, longestMs: 100 * SECOND });
  assert.equal([world.points.transaction, world.points.gc], [at(800), at(600) - 1n]);
});

test("a barrier holds both safe points", async () => {
  const world = new World();
  const barrier = { id: "backup", timestamp: at(500), expiresAt: 1e9, global: false };
  const held = applySafePoint(world.points, { type: "set_barrier", barrier, lenient: false });
  assert.ok(held.ok);
  world.points = held.points;
  await world.collect();
  assert.equal([world.points.transaction, world.points.gc], [at(500), at(500)]);
});

test("many locks are looked at in pages, alive ones among them once", async () => {
  const world = new World([]);
  for (let i = 0; i < 700; i++) {
    world.lock(`k${String(i).padStart(3, "0")}`, 100 + i, i === 300 ? "alive" : "rolled back");
  }
  const round = await world.collect();
  assert.is(round?.cleared, 699);
  assert.is(round?.oldest, at(400));
  assert.equal([...world.locks.keys()], ["k300"]);
});

test("a region that splits in the middle of a round is looked at in all its parts", async () => {
  const world = new World([]);
  world.lock("a", 100, "committed");
  world.lock("z", 100, "committed");
  world.surprise = () => world.bounds.push(encodeMemcomparable("m" as Key));
  const round = await world.collect();
  assert.is(round?.cleared, 2);
  assert.is(world.locks.size, 0);
});

test("regions whose bounds are no keys of transactions are passed like others", async () => {
  const world = new World(["b" as Key, "raw" as Key]);
  world.lock("z", 100, "committed");
  assert.is((await world.collect())?.points.garbage, at(900));
  assert.is(world.calls.filter((method) => method === "KvScanLock").length, 3);
});

test("a round that another has overtaken leaves the safe points where they are", async () => {
  const world = new World();
  world.surprise = () => {
    world.points = { ...world.points, transaction: at(950), gc: at(920) };
  };
  const round = await world.collect();
  assert.equal(round?.points, { transaction: at(950), garbage: at(920) });
  assert.equal([world.points.transaction, world.points.gc], [at(950), at(920)]);
});

test("there is a round once in an interval, and none before anything is old", async () => {
  const world = new World();
  await world.collect();
  assert.is(await world.collect(), undefined);
  const points = { transaction: at(900), garbage: at(900) };
  assert.is(targetOf(at(1009), points, PLAN), undefined);
  assert.is(targetOf(at(1010), points, PLAN), at(910));
  assert.is(targetOf(at(50), { transaction: at(0), garbage: at(0) }, PLAN), undefined);
});

test("a cluster that does not answer ends the round, and no safe point has moved", async () => {
  const world = new World();
  world.lock("a", 100, "alive");
  const stuck = (): void => {
    world.bounds = [...world.bounds];
    world.surprise = stuck;
    throw new ClientError("timeout", "nobody answers");
  };
  world.surprise = stuck;
  try {
    await world.collect();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, ClientError);
  }
  assert.equal([world.points.transaction, world.points.gc], [0n, 0n]);
});

test.run();
