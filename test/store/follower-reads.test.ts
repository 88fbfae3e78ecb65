import * as assert from "uvu/assert";
import type { Ticket } from "../../engine/base/ids.ts";
import {
  type Context,
  type PrewriteRequest,
  ScanRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import type { StoreMessage } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { commitCall, contextOf, getCall, LATE, prewriteCall, said } from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: reads at followers");

class Story {
  readonly cluster = new Cluster(3);
  readonly leader: Node;
  readonly follower: Node;
  readonly context: Context;

  constructor() {
    this.cluster.run(8000);
    const { node, replica } = this.cluster.leaderAt("");
    this.leader = node;
    this.follower = this.cluster.nodes.find((other) => other !== node) as Node;
    this.context = contextOf(replica);
  }

  get followerContext(): Context {
    const replica = this.cluster.replicaAt(this.follower, "k");
    return { ...contextOf(replica), replicaRead: true };
  }

  /** The followers get no entries from now on, though all else. */
  starve(chosen: (node: Node) => boolean = () => true): void {
    for (const node of this.cluster.nodes) {
      if (node !== this.leader && chosen(node)) node.misses = isAppend;
    }
  }

  feed(): void {
    for (const node of this.cluster.nodes) node.misses = () => false;
  }

  put(key: string, value: string, startTs: bigint): void {
    assert.is(this.write(prewriteCall(this.context, key, value, startTs)), "done");
    assert.is(this.write(commitCall(this.context, key, startTs, startTs + 1n)), "done");
  }

  write(call: TikvCall): string {
    return said(this.cluster.call(this.leader, call));
  }

  prewrite(key: string, startTs: bigint, more: Partial<PrewriteRequest>): Ticket {
    const call = prewriteCall(this.context, key, "new", startTs, more);
    return this.cluster.ask(this.leader, call);
  }

  /** Asks the follower for `key` at `version`. */
  ask(key: string, version: bigint): Ticket {
    return this.cluster.ask(this.follower, getCall(this.followerContext, key, version));
  }

  said(ticket: Ticket): string {
    return said(this.cluster.replies.get(ticket));
  }
}

const isAppend = (message: StoreMessage): boolean =>
  message.type === "raft" && message.message.type === "append_request";

test("a follower reads what was committed when it was asked, once it holds it", () => {
  const story = new Story();
  story.put("k", "old", LATE);
  story.cluster.run(200);
  story.starve((node) => node === story.follower);
  story.put("k", "new", LATE + 10n);
  const read = story.ask("k", LATE + 20n);
  story.cluster.run(300);
  assert.is(story.said(read), "nothing");
  story.feed();
  story.cluster.run(300);
  assert.is(story.said(read), "new");
});

test("no commit is calculated at or below a timestamp at which a follower has read", () => {
  const story = new Story();
  const read = story.ask("k", LATE + 100n);
  story.cluster.run(100);
  assert.is(story.said(read), "none");
  const ticket = story.prewrite("k", LATE, { tryOnePc: true });
  story.cluster.run(100);
  const reply = story.cluster.replies.get(ticket);
  assert.ok(reply?.method === "KvPrewrite");
  assert.is(reply.response.onePcCommitTs, LATE + 101n);
});

test("a commit that is being calculated stops followers' reads at or above it", () => {
  const story = new Story();
  story.put("k", "old", LATE - 10n);
  story.cluster.run(200);
  story.starve();
  story.prewrite("k", LATE, { useAsyncCommit: true });
  story.prewrite("l", LATE + 1n, { tryOnePc: true });
  const scan = ScanRequest.make({ context: story.followerContext, limit: 9, version: LATE + 50n });
  const scanned = story.cluster.ask(story.follower, { method: "KvScan", request: scan });
  const reads = [story.ask("k", LATE + 50n), story.ask("l", LATE + 50n), story.ask("k", LATE)];
  story.cluster.run(100);
  const answers = reads.map((ticket) => story.said(ticket));
  assert.equal(answers, [`locked by ${LATE}`, `locked by ${LATE + 1n}`, "old"]);
  assert.is(story.said(scanned), `locked by ${LATE}`);
});

test("a follower that is not asked to read sends its client to the leader", () => {
  const story = new Story();
  const context = { ...story.followerContext, replicaRead: false };
  const reply = story.cluster.call(story.follower, getCall(context, "k", LATE));
  assert.match(said(reply), "peer is not leader");
});

test.run();
