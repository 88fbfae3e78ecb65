/**
 * A store loses power before every single operation of its disk, and once more while it recovers.
 * Each time everything acknowledged must be there, and nothing that was never written.
 */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  Context,
  RawDeleteRangeRequest,
  RawPutRequest,
  RawScanRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import type { Replica } from "../../engine/store/index.ts";
import { generator } from "../disk/random.ts";
import { suite } from "../harness.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store crashes");

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (value: Uint8Array): string => String.fromCharCode(...value);
const context = ({ region, peer }: Replica, replicaRead: boolean = false): Context =>
  Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer, replicaRead });

/** A cluster with what clients know of it. */
interface Told {
  readonly cluster: Cluster;
  readonly contents: Map<string, string>;
  /** Keys of the operation whose answer is not there yet, and their values if it is carried out. */
  doubtful: Map<string, string | undefined>;
}

function change(told: Told, at: string, call: (c: Context) => TikvCall): void {
  const { node, replica } = told.cluster.leaderAt(at);
  const { response } = told.cluster.call(node, call(context(replica)));
  assert.equal((response as { regionError?: unknown }).regionError, undefined);
  assert.equal((response as { error?: string }).error ?? "", "");
  for (const [key, value] of told.doubtful) {
    if (value === undefined) told.contents.delete(key);
    else told.contents.set(key, value);
  }
  told.doubtful = new Map();
}

function put(told: Told, key: string, value: string): void {
  told.doubtful = new Map([[key, value]]);
  change(told, key, (c) => ({
    method: "RawPut",
    request: RawPutRequest.make({ context: c, key: key as Key, value: bytes(value) }),
  }));
}

/** Deletes what lies in [start, end), which is in one region. */
function clear(told: Told, start: string, end: string): void {
  const keys = [...told.contents.keys()].filter((key) => key >= start && key < end);
  told.doubtful = new Map(keys.map((key) => [key, undefined]));
  const range = { startKey: start as Key, endKey: end as Key };
  change(told, start, (c) => ({
    method: "RawDeleteRange",
    request: RawDeleteRangeRequest.make({ context: c, ...range }),
  }));
}

function split(told: Told, key: string): void {
  change(told, key, (c) => ({
    method: "SplitRegion",
    request: SplitRegionRequest.make({ context: c, splitKeys: [key as Key], isRawKv: true }),
  }));
}

const value = (key: string, round: number): string => `${key}.${round}`.padEnd(90, "=");

/** Writes over all keys again and again, and takes a part of them away. */
function churn(told: Told, prefixes: string, rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    for (const prefix of prefixes) {
      for (let i = 0; i < 8; i++) put(told, `${prefix}${i}`, value(`${prefix}${i}`, round));
      clear(told, `${prefix}3`, `${prefix}5`);
    }
  }
}

/** Every pair that the replicas on `node` have, region by region. */
function everything(cluster: Cluster, node: Node): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let start = "", done = false; !done;) {
    const { replica } = cluster.leaderAt(start);
    const own = cluster.replicaAt(node, start);
    const call: TikvCall = {
      method: "RawScan",
      request: RawScanRequest.make({
        context: { ...context(own, own !== replica), peer: own.peer },
        startKey: start as Key,
        limit: 10_000,
      }),
    };
    const reply = cluster.call(node, call);
    if (reply.method !== "RawScan") throw new Error(reply.method);
    assert.equal(reply.response.regionError, undefined);
    for (const { key, value: found } of reply.response.kvs) pairs.set(key, text(found));
    start = own.region.endKey;
    done = start === "";
  }
  return pairs;
}

/** What is on `node` is what clients were told, but for the operation under way. */
function agrees({ contents, doubtful }: Told, cluster: Cluster, node: Node, when: string): void {
  const found = everything(cluster, node);
  for (const key of new Set([...contents.keys(), ...found.keys(), ...doubtful.keys()])) {
    const allowed = [contents.get(key)];
    if (doubtful.has(key)) allowed.push(doubtful.get(key));
    assert.ok(allowed.includes(found.get(key)), `${when}: ${key} is ${found.get(key)}`);
  }
}

/** Calls `strike` in a fork before each operation of the victim's disk while `script` runs. */
function atEachOperation(
  told: Told,
  victim: Node,
  strike: (fork: Cluster, n: number) => void,
  script: () => void,
): number {
  const { cluster } = told;
  let n = 0;
  cluster.beforeOperation = (node) => {
    if (node !== victim) return;
    n += 1;
    strike(cluster.fork(), n);
  };
  script();
  cluster.beforeOperation = () => {};
  return n;
}

const single = (): Told => {
  const cluster = new Cluster(1, { freezeLogBytes: 3000 });
  cluster.run(3000);
  return { cluster, contents: new Map(), doubtful: new Map() };
};

test("one store, over writes, deletions of ranges and a split: a crash before any operation loses nothing", () => {
  const told = single();
  const victim = told.cluster.nodes[0]!;
  const count = atEachOperation(
    told,
    victim,
    (fork, n) => {
      const node = fork.nodes[0]!;
      fork.crash(node, generator(n));
      fork.start(node);
      fork.run(2500);
      agrees(told, fork, node, `crash before operation ${n}`);
    },
    () => {
      churn(told, "am", 2);
      split(told, "g");
      churn(told, "am", 2);
    },
  );
  assert.ok(count > 150, `${count} operations`);
});

test("a store that crashes again while it recovers, and once more after it has written, loses nothing", () => {
  const told = single();
  churn(told, "am", 2);
  split(told, "g");
  churn(told, "a", 1);
  for (let n = 1; n <= 25; n++) {
    const again: Told = {
      cluster: told.cluster.fork(),
      contents: new Map(told.contents),
      doubtful: new Map(),
    };
    const { cluster } = again;
    const node = cluster.nodes[0]!;
    const random = generator(n);
    cluster.crash(node, random);
    let left = n;
    let crashed: Cluster | undefined;
    cluster.beforeOperation = () => {
      left -= 1;
      if (left === 0) crashed = cluster.fork();
    };
    cluster.start(node);
    cluster.run(2500);
    put(again, "b", value("b", n));
    put(again, "n", value("n", n));
    cluster.beforeOperation = () => {};
    agrees(again, cluster, node, `one crash, ${n}`);
    if (crashed === undefined) continue;
    const twice = crashed.nodes[0]!;
    crashed.crash(twice, random);
    crashed.start(twice);
    crashed.run(2500);
    const unsure = new Map([
      ["b", value("b", n)],
      ["n", value("n", n)],
    ]);
    agrees({ ...told, doubtful: unsure }, crashed, twice, `second crash before operation ${n}`);
  }
});

test("a store that is caught up by snapshots loses nothing by a crash before any operation meanwhile", () => {
  const cluster = new Cluster(3, { freezeLogBytes: 3000 });
  cluster.run(8000);
  const told: Told = { cluster, contents: new Map(), doubtful: new Map() };
  churn(told, "am", 1);
  const victim = cluster.nodes.find((node) => node !== cluster.leaderAt("").node)!;
  const at = cluster.nodes.indexOf(victim);
  victim.misses = () => true;
  split(told, "g");
  churn(told, "am", 3);
  victim.misses = () => false;
  let strikes = 0;
  const count = atEachOperation(
    told,
    victim,
    (fork, n) => {
      strikes += 1;
      const node = fork.nodes[at]!;
      fork.crash(node, generator(n));
      fork.start(node);
      fork.run(4000);
      agrees(told, fork, node, `crash before operation ${n}`);
    },
    () => {
      cluster.run(4000);
      churn(told, "a", 1);
    },
  );
  assert.is(strikes, count);
  agrees(told, cluster, victim, "without a crash");
});

test.run();
