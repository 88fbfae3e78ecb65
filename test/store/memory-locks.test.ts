import * as assert from "uvu/assert";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import {
  PessimisticRollbackRequest,
  type PrewriteRequest,
  ScanLockRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import { type StoreConfig, storeId } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { commitCall, contextOf, getCall, LATE, lockCall, prewriteCall, said } from "./calls.ts";
import { Cluster, type Node, testConfig } from "./harness.ts";

const test = suite("store: pessimistic locks in memory");

const usual = testConfig(1).pessimistic;

class Story {
  readonly cluster: Cluster;

  constructor(pessimistic: Partial<StoreConfig["pessimistic"]> = {}) {
    this.cluster = new Cluster(3, {
      regionHeartbeatMs: 200,
      pessimistic: { ...usual, ...pessimistic },
    });
    this.cluster.run(8000);
  }

  leader(key = "k"): Node {
    return this.cluster.leaderAt(key).node;
  }

  other(): Node {
    const leader = this.leader();
    return this.cluster.nodes.find((node) => node !== leader) as Node;
  }

  /** From now on nothing is replicated, or it is again. */
  cut(isCut: boolean): void {
    const leader = this.leader();
    for (const node of this.cluster.nodes) {
      node.misses = (m) =>
        isCut && node !== leader && m.type === "raft" && m.message.type === "append_request";
    }
  }

  transfer(to: Node): void {
    const { region } = this.cluster.leaderAt("k").replica;
    this.cluster.placement.leaders.set(region.id, storeOf(to));
    this.cluster.run(800);
    assert.is(this.leader(), to);
    this.cluster.placement.leaders.clear();
  }

  lock(key: string, startTs: bigint): string {
    return this.tell(this.askLock(key, startTs));
  }

  /** Does not wait for locks of others. */
  askLock(key: string, startTs: bigint, more: object = { waitTimeout: -1n }): Ticket {
    const { node, replica } = this.cluster.leaderAt(key);
    return this.cluster.ask(node, lockCall(contextOf(replica), key, startTs, more));
  }

  tell(ticket: Ticket): string {
    return said(this.cluster.replies.get(ticket));
  }

  call(key: string, make: (context: ReturnType<typeof contextOf>) => TikvCall): string {
    const { node, replica } = this.cluster.leaderAt(key);
    return said(this.cluster.call(node, make(contextOf(replica))));
  }

  prewrite(key: string, startTs: bigint, more: Partial<PrewriteRequest> = {}): string {
    const held = { forUpdateTs: startTs, pessimisticActions: [1], ...more };
    return this.call(key, (context) => prewriteCall(context, key, "v", startTs, held));
  }

  commit(key: string, startTs: bigint, commitTs: bigint): string {
    return this.call(key, (context) => commitCall(context, key, startTs, commitTs));
  }

  rollback(key: string, startTs: bigint): string {
    return this.call(key, (context) => {
      const keys = [key as Key];
      const request = PessimisticRollbackRequest.make({
        context,
        startVersion: startTs,
        forUpdateTs: startTs,
        keys,
      });
      return { method: "KVPessimisticRollback", request };
    });
  }
}

const storeOf = ({ state }: Node): number => (state === undefined ? 0 : (storeId(state) ?? 0));
const A = LATE + 10n;
const B = LATE + 20n;

test("a lock in memory is there at once, without a word to followers, for everybody", () => {
  const story = new Story();
  story.cut(true);
  assert.is(story.lock("k", A), "done");
  assert.is(story.lock("k", B), `locked by ${A}`);
  assert.is(
    story.call("k", (context) => getCall(context, "k", B)),
    "none",
  );
  const { node, replica } = story.cluster.leaderAt("k");
  const scan = ScanLockRequest.make({
    context: contextOf(replica),
    maxVersion: B,
    startKey: EMPTY_KEY,
    limit: 9,
  });
  const reply = story.cluster.call(node, { method: "KvScanLock", request: scan });
  assert.ok(reply.method === "KvScanLock");
  assert.equal(
    reply.response.locks.map(({ key, lockVersion }) => [key, lockVersion]),
    [["k", A]],
  );
  story.cut(false);
  const strangers = { forUpdateTs: 0n, pessimisticActions: [] };
  assert.is(story.prewrite("k", B, strangers), `locked by ${A}`);
});

test("what is written takes the place of the lock, and its end frees the key", () => {
  const story = new Story();
  story.lock("k", A);
  assert.is(story.prewrite("k", A), "done");
  assert.is(story.lock("k", B), `locked by ${A}`);
  assert.is(story.commit("k", A, A + 1n), "done");
  assert.is(story.lock("k", B), "done");
  assert.is(story.rollback("k", B), "done");
  assert.is(story.lock("k", B + 1n), "done");
});

test("the next leader has the locks of one that has handed over", () => {
  const story = new Story();
  story.lock("k", A);
  story.lock("l", A);
  story.transfer(story.other());
  assert.is(story.lock("k", B), `locked by ${A}`);
  assert.is(story.prewrite("k", A), "done");
  assert.is(story.commit("k", A, A + 1n), "done");
  assert.is(story.lock("k", B), "done");
});

test("an entry under way is not undone by the handing over of the lock that it replaces", () => {
  const story = new Story();
  story.lock("k", A);
  story.cut(true);
  const { node, replica } = story.cluster.leaderAt("k");
  const held = { forUpdateTs: A, pessimisticActions: [1] };
  story.cluster.ask(node, prewriteCall(contextOf(replica), "k", "v", A, held));
  const { region } = replica;
  const to = story.other();
  story.cluster.placement.leaders.set(region.id, storeOf(to));
  story.cluster.run(400);
  story.cut(false);
  story.cluster.run(800);
  assert.is(story.leader(), to);
  assert.is(story.commit("k", A, A + 1n), "done");
  assert.is(
    story.call("k", (context) => getCall(context, "k", A + 1n)),
    "v",
  );
});

test("a lock that is lost with its leader does no harm, whether somebody wrote since or not", () => {
  const story = new Story();
  story.lock("k", A);
  story.lock("l", A);
  story.cluster.crash(story.leader());
  story.cluster.run(5000);
  assert.is(story.lock("l", B), "done");
  assert.is(story.prewrite("l", B), "done");
  assert.is(story.commit("l", B, B + 1n), "done");
  assert.is(story.prewrite("k", A), "done");
  assert.match(story.prewrite("l", A), /not found|PessimisticLockNotFound|conflict/);
});

test("a leader that leads again has none of the locks it had before", () => {
  const story = new Story();
  const old = story.leader();
  story.lock("k", A);
  for (const node of story.cluster.nodes) {
    const isOld = node === old;
    const oldPeer = story.cluster.replicaAt(old, "k").peer.id;
    node.misses = (m) => isOld || ("from" in m && m.from === oldPeer);
  }
  story.cluster.run(4000);
  assert.is.not(story.leader(), old);
  assert.is(story.lock("k", B), "done");
  assert.is(story.prewrite("k", B), "done");
  assert.is(story.commit("k", B, B + 1n), "done");
  for (const node of story.cluster.nodes) node.misses = () => false;
  story.cluster.run(1000);
  story.transfer(old);
  assert.match(story.prewrite("k", A), /not found|PessimisticLockNotFound|conflict/);
});

test("a region that is split off has its locks", () => {
  const story = new Story();
  story.lock("b", A);
  story.lock("k", A);
  const { node, replica } = story.cluster.leaderAt("k");
  const request = SplitRegionRequest.make({
    context: contextOf(replica),
    splitKeys: ["g" as Key],
    isRawKv: true,
  });
  story.cluster.call(node, { method: "SplitRegion", request });
  story.cluster.run(500);
  assert.is(story.leader("b"), node);
  assert.is.not(story.cluster.leaderAt("b").replica.region.id, replica.region.id);
  story.cut(true);
  assert.is(story.lock("b", B), `locked by ${A}`);
  assert.is(story.lock("k", B), `locked by ${A}`);
});

test("what finds no room in memory is written, and answered when the leader's log has it", () => {
  const story = new Story({ regionBytes: 200 });
  story.cut(true);
  const keys = ["a", "b", "c", "d", "e", "f"];
  assert.equal(
    keys.map((key) => story.lock(key, A)),
    keys.map(() => "done"),
  );
  // The latch of one that was written is still taken.
  assert.is(story.lock("a", B), `locked by ${A}`);
  const waiting = story.askLock("f", B);
  assert.is(story.tell(waiting), "nothing");
  story.cut(false);
  story.cluster.run(300);
  assert.is(story.tell(waiting), `locked by ${A}`);
});

test("without both, a lock is answered when it is applied", () => {
  const story = new Story({ inMemory: false, pipelined: false });
  story.cut(true);
  const lock = story.askLock("k", A);
  assert.is(story.tell(lock), "nothing");
  story.cut(false);
  story.cluster.run(300);
  assert.is(story.tell(lock), "done");
});

test.run();
