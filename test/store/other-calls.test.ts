import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { Ticket } from "../../engine/base/ids.ts";
import {
  BroadcastTxnStatusRequest,
  type Context,
  GCRequest,
  SplitRegionRequest,
  UnsafeDestroyRangeRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { step } from "../../engine/store/index.ts";
import type { StoreMessage } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { commitCall, contextOf, getCall, LATE, lockCall, prewriteCall, said } from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: other calls");

class Story {
  readonly cluster = new Cluster(3);

  constructor() {
    this.cluster.run(8000);
  }

  /** The leader of the key's region, and the context of calls to it. */
  at(key: string): { readonly node: Node; readonly context: Context } {
    const { node, replica } = this.cluster.leaderAt(key);
    return { node, context: contextOf(replica) };
  }

  write(key: string, startTs: bigint): void {
    const { node, context } = this.at(key);
    assert.is(said(this.cluster.call(node, prewriteCall(context, key, "v", startTs))), "done");
    const commit = commitCall(context, key, startTs, startTs + 1n);
    assert.is(said(this.cluster.call(node, commit)), "done");
  }

  read(key: string): string {
    const { node, context } = this.at(key);
    return said(this.cluster.call(node, getCall(context, key, LATE + 100n)));
  }

  destroy(node: Node, startKey: string, endKey: string, patienceMs = 3000): string {
    const request = UnsafeDestroyRangeRequest.make({
      startKey: startKey as Key,
      endKey: endKey as Key,
    });
    const call = { method: "UnsafeDestroyRange", request } as const;
    const reply = this.cluster.call(node, call, patienceMs);
    return reply.method === "UnsafeDestroyRange" ? reply.response.error : "another answer";
  }

  split(key: string): void {
    const { node, context } = this.at(key);
    const splitKeys = [key as Key];
    const request = SplitRegionRequest.make({ context, splitKeys });
    this.cluster.call(node, { method: "SplitRegion", request });
    this.cluster.run(2000);
  }
}

const isAppend = (message: StoreMessage): boolean =>
  message.type === "raft" && message.message.type === "append_request";

test("a range is destroyed when every store has been asked, in all regions and nowhere else", () => {
  const story = new Story();
  for (const key of ["a", "c", "e"]) story.write(key, LATE);
  story.split("d");
  const { node, context } = story.at("c");
  assert.is(said(story.cluster.call(node, lockCall(context, "c", LATE + 9n))), "done");
  for (const store of story.cluster.nodes) assert.is(story.destroy(store, "b", "f"), "");
  assert.equal(
    ["a", "c", "e"].map((key) => story.read(key)),
    ["v", "none", "none"],
  );
  // The lock went with the rest, in memory too.
  story.write("c", LATE + 20n);
});

test("a store destroys what it leads, in the data of all replicas", () => {
  const story = new Story();
  story.write("c", LATE);
  const { node: leader } = story.at("c");
  const [other] = story.cluster.nodes.filter((node) => node !== leader);
  assert.is(story.destroy(other as Node, "", ""), "");
  assert.is(story.read("c"), "v");
  assert.is(story.destroy(leader, "", ""), "");
  story.cluster.run(500);
  for (const node of story.cluster.nodes) {
    const context = { ...contextOf(story.cluster.replicaAt(node, "c")), replicaRead: true };
    assert.is(said(story.cluster.call(node, getCall(context, "c", LATE + 100n))), "none");
  }
});

test("what a region cannot destroy is told, and nothing is remembered of the call", () => {
  const story = new Story();
  story.write("c", LATE);
  const { node } = story.at("c");
  for (const other of story.cluster.nodes) {
    if (other !== node) other.misses = isAppend;
  }
  node.misses = () => true;
  const request = UnsafeDestroyRangeRequest.make();
  const ticket = story.cluster.ask(node, { method: "UnsafeDestroyRange", request });
  story.cluster.run(100);
  // The others go on without it.
  for (const other of story.cluster.nodes) {
    if (other !== node) other.misses = () => false;
  }
  story.cluster.nodes.splice(story.cluster.nodes.indexOf(node), 1);
  story.cluster.run(4000);
  story.cluster.nodes.push(node);
  node.misses = () => false;
  story.cluster.run(4000);
  const reply = story.cluster.replies.get(ticket);
  assert.ok(reply?.method === "UnsafeDestroyRange");
  assert.is.not(reply.method === "UnsafeDestroyRange" ? reply.response.error : "", "");
  assert.ok(node.state !== undefined && node.state.transactions.destroying.size === 0);
  assert.is(story.read("c"), "v");
});

test("fates of transactions are taken note of, and collections ordered by clients refused", () => {
  const story = new Story();
  const [node] = story.cluster.nodes as [Node];
  const request = BroadcastTxnStatusRequest.make();
  const reply = story.cluster.call(node, { method: "BroadcastTxnStatus", request });
  assert.is(reply.method, "BroadcastTxnStatus");
  const call = { method: "KvGC", request: GCRequest.make() } as const;
  assert.ok(node.state !== undefined);
  const input = { type: "request", ticket: Ticket(1e6), call } as const;
  const { effects } = step(node.state, story.cluster.now, node.tables, [input]);
  const refusal = effects.find(({ type }) => type === "refuse");
  assert.is(refusal?.type === "refuse" ? refusal.code : 0, 12);
});

test.run();
