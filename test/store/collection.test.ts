import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import * as tree from "../../engine/base/tree.ts";
import { encodeKey } from "../../engine/mvcc/keys.ts";
import {
  CommitRequest,
  Context,
  GetRequest,
  type KeyError,
  Mutation,
  Op,
  PessimisticLockRequest,
  PrewriteRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { view } from "../../engine/store/query.ts";
import type { StoreConfig } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { Cluster, type Node, testConfig } from "./harness.ts";

const test = suite("store: collection");

const LONG = "v".repeat(300);
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

class Story {
  readonly cluster: Cluster;
  node: Node;

  constructor(change: Partial<StoreConfig> = {}) {
    this.cluster = new Cluster(3, change);
    this.cluster.run(8000);
    this.node = this.cluster.leaderAt("").node;
  }

  get context(): Context {
    const { region, peer } = this.cluster.replicaAt(this.node, "");
    return Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer });
  }

  call(call: TikvCall): string {
    return said(this.cluster.call(this.node, call));
  }

  get(key: string, version: bigint): string {
    const request = GetRequest.make({ context: this.context, key: key as Key, version });
    return this.call({ method: "KvGet", request });
  }

  prewrite(key: string, startVersion: bigint, value: string | undefined): string {
    const op = value === undefined ? Op.Del : Op.Put;
    const mutation = Mutation.make({ op, key: key as Key, value: bytes(value ?? "") });
    const request = PrewriteRequest.make({
      context: this.context,
      mutations: [mutation],
      primaryLock: key as Key,
      startVersion,
      lockTtl: 3000,
    });
    return this.call({ method: "KvPrewrite", request });
  }

  /** Writes from `at` to `at` + 5. */
  write(key: string, at: bigint, value: string | undefined): void {
    assert.is(this.prewrite(key, at, value), "done");
    const request = CommitRequest.make({
      context: this.context,
      startVersion: at,
      keys: [key as Key],
      commitVersion: at + 5n,
    });
    assert.is(this.call({ method: "KvCommit", request }), "done");
  }

  /** The driver moves its safe points, and all stores have heard. */
  collect(at: bigint): void {
    this.cluster.placement.safePoints = { transaction: at, gc: at };
    this.cluster.run(3000);
  }

  /** How many records of the key and how many values each store has. */
  counts(key: string): readonly string[] {
    return this.cluster.nodes.map((node) => {
      const count = (cf: "write" | "default"): number => {
        const bounds = { lower: encodeKey(key as Key), upper: EMPTY_KEY };
        const cursor = view(node.state!, node.tables).cursor(cf, bounds);
        let found = 0;
        for (cursor.seek(bounds.lower); cursor.valid; cursor.next()) {
          if (cursor.key.startsWith(bounds.lower)) found += 1;
        }
        return found;
      };
      return `${count("write")} ${count("default")}`;
    });
  }
}

function said(reply: TikvReply): string {
  const response = reply.response as {
    readonly regionError?: RegionError;
    readonly error?: KeyError;
    readonly errors?: readonly KeyError[];
    readonly notFound?: boolean;
    readonly value?: Uint8Array;
  };
  if (response.regionError !== undefined) return `region: ${response.regionError.message}`;
  const error = response.error ?? response.errors?.[0];
  if (error !== undefined) return error.abort;
  if (reply.method !== "KvGet") return "done";
  return response.notFound === true ? "none" : String.fromCharCode(...(response.value ?? []));
}

test("old versions and their values go from every replica, and the newest stays", () => {
  const story = new Story();
  story.write("k", 100n, "old");
  story.write("k", 200n, LONG);
  story.write("k", 300n, LONG.toUpperCase());
  story.write("k", 400n, "newer");
  story.write("gone", 100n, LONG);
  story.write("gone", 200n, undefined);
  story.collect(310n);
  assert.equal(story.counts("k"), ["2 1", "2 1", "2 1"]);
  assert.equal(story.counts("gone"), ["0 0", "0 0", "0 0"]);
  assert.is(story.get("k", 310n), LONG.toUpperCase());
  assert.is(story.get("k", 500n), "newer");
  assert.is(story.get("gone", 500n), "none");
});

test("who reads below the safe point is told so, also before anything is collected", () => {
  const story = new Story();
  story.write("k", 100n, "old");
  story.cluster.placement.safePoints = { transaction: 200n, gc: 0n };
  story.cluster.run(2000);
  const refusal = story.get("k", 199n);
  assert.match(refusal, "GC life time is shorter than transaction duration");
  assert.match(refusal, "transaction starts at 199, GC safe point is 200");
  assert.is(story.get("k", 200n), "old");
  assert.equal(story.counts("k"), ["1 0", "1 0", "1 0"]);
});

test("a transaction from below the safe point places no lock any more", () => {
  const story = new Story();
  story.collect(200n);
  assert.match(story.prewrite("k", 199n, "late"), "GC life time is shorter");
  const mutations = [Mutation.make({ op: Op.PessimisticLock, key: "k" as Key })];
  const request = PessimisticLockRequest.make({
    context: story.context,
    mutations,
    primaryLock: "k" as Key,
    startVersion: 199n,
    forUpdateTs: 300n,
    lockTtl: 3000,
  });
  assert.match(story.call({ method: "KvPessimisticLock", request }), "GC life time is shorter");
  assert.is(story.prewrite("k", 200n, "in time"), "done");
});

test("a safe point that goes back is not believed, nor one of garbage above that of readers", () => {
  const story = new Story();
  story.write("k", 100n, "old");
  story.write("k", 200n, "new");
  story.cluster.placement.safePoints = { transaction: 150n, gc: 300n };
  story.cluster.run(3000);
  assert.equal(story.counts("k"), ["2 0", "2 0", "2 0"]);
  story.cluster.placement.safePoints = { transaction: 50n, gc: 50n };
  story.cluster.run(3000);
  assert.match(story.get("k", 149n), "GC safe point is 150");
});

test("a store that has been started again serves no transaction before it knows the safe point", () => {
  const story = new Story();
  story.write("k", 100n, "old");
  story.write("k", 200n, "new");
  story.collect(210n);
  for (const node of story.cluster.nodes) {
    story.cluster.crash(node);
    story.cluster.start(node);
  }
  const { placement } = story.cluster;
  const answer = placement.answer.bind(placement);
  placement.answer = (call) =>
    call.method === "GetGCState" ? answer({ ...call, method: "Nothing" as never }) : answer(call);
  story.cluster.run(5000);
  story.node = story.cluster.leaderAt("").node;
  assert.match(story.get("k", 150n), "region: ");
  assert.match(story.prewrite("l", 150n, "late"), "region: ");
  placement.answer = answer;
  story.cluster.run(1000);
  assert.match(story.get("k", 150n), "GC safe point is 210");
  assert.is(story.get("k", 300n), "new");
});

test("a region that has not changed since it was swept clean is not looked at again", () => {
  const story = new Story();
  story.write("k", 100n, "old");
  story.write("k", 200n, "new");
  story.collect(300n);
  const { collection } = story.node.state!;
  const [, seen] = [...collectionEntries(story.node)][0]!;
  assert.not(seen.newer);
  assert.is(collection.sweep, undefined);
  story.collect(400n);
  assert.is(story.node.state!.collection.removed, collection.removed);
  story.write("k", 500n, "newest");
  story.collect(600n);
  assert.equal(story.counts("k"), ["1 0", "1 0", "1 0"]);
});

test("compactions leave garbage out where no sweep has been", () => {
  const config = testConfig(1);
  const story = new Story({
    collection: { pollMs: 1000, sweepRecords: 0, inCompactions: true },
    memtableBytes: 2048,
    storage: {
      ...config.storage,
      lsm: { ...config.storage.lsm, levelZeroTables: 2, tableBytes: 4096 },
    },
  });
  for (let i = 1n; i <= 20n; i++) story.write("k", 10n * i, `v${i}`);
  story.collect(200n);
  const before = story.counts("k");
  for (let i = 21n; i <= 80n; i++) story.write("other", 10n * i, "w".repeat(200));
  story.cluster.run(2000);
  for (const [i, count] of story.counts("k").entries()) {
    assert.ok(Number.parseInt(count) < Number.parseInt(before[i]!), `${before[i]} became ${count}`);
  }
  assert.is(story.get("k", 200n), "v19");
  assert.is(story.get("k", 300n), "v20");
});

test("a snapshot brings the safe point of its data along", () => {
  const story = new Story();
  // What follows the snapshots with which the region has grown is no longer kept.
  story.cluster.run(11_000);
  const late = story.cluster.nodes.find((node) => node !== story.node)!;
  const { collection } = late.config;
  // It asks the driver no more, and hears nothing of the others.
  late.state = {
    ...late.state!,
    config: { ...late.config, collection: { ...collection, pollMs: 1e9 } },
  };
  late.misses = () => true;
  story.write("k", 100n, "old");
  story.write("k", 200n, "new");
  story.collect(5000n);
  for (let i = 60n; i <= 120n; i++) story.write("l", 100n * i, LONG);
  assert.is(late.state.safePoint, 0n);
  late.misses = () => false;
  story.cluster.run(8000);
  assert.is(late.state.safePoint, 5000n);
  assert.is(story.counts("k")[story.cluster.nodes.indexOf(late)], "1 0");
});

function collectionEntries(node: Node): Iterable<readonly [string, { readonly newer: boolean }]> {
  return tree.entries(node.state!.collection.swept);
}

test.run();
