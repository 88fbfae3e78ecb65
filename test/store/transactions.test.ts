import * as assert from "uvu/assert";
import type { Ticket } from "../../engine/base/ids.ts";
import {
  type Context,
  PessimisticLockRequest,
  type PrewriteRequest,
  type PrewriteResponse,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { suite } from "../harness.ts";
import { commitCall, contextOf, getCall, LATE, lockCall, prewriteCall, said } from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: transactions");

class Story {
  readonly cluster = new Cluster(3);
  readonly node: Node;
  readonly context: Context;

  constructor() {
    this.cluster.run(8000);
    const { node, replica } = this.cluster.leaderAt("");
    this.node = node;
    this.context = contextOf(replica);
  }

  get followers(): readonly Node[] {
    return this.cluster.nodes.filter((other) => other !== this.node);
  }

  /** From now on nothing is replicated, or it is again. */
  cut(isCut: boolean): void {
    for (const follower of this.followers) follower.misses = () => isCut;
  }

  call(call: TikvCall): TikvReply {
    return this.cluster.call(this.node, call);
  }

  ask(call: TikvCall): Ticket {
    return this.cluster.ask(this.node, call);
  }

  reply(ticket: Ticket): TikvReply | undefined {
    return this.cluster.replies.get(ticket);
  }

  prewrite(
    key: string,
    value: string,
    startVersion: bigint,
    more: Partial<PrewriteRequest> = {},
  ): TikvCall {
    return prewriteCall(this.context, key, value, startVersion, more);
  }

  commit(key: string, startVersion: bigint, commitVersion: bigint): TikvCall {
    return commitCall(this.context, key, startVersion, commitVersion);
  }

  get(key: string, version: bigint): TikvCall {
    return getCall(this.context, key, version);
  }

  lock(key: string, startVersion: bigint, more: Partial<PessimisticLockRequest> = {}): TikvCall {
    return lockCall(this.context, key, startVersion, more);
  }
}

const prewriteResponse = (reply: TikvReply | undefined): PrewriteResponse => {
  if (reply?.method !== "KvPrewrite") throw new Error("no prewrite was answered");
  return reply.response;
};

test("what was prewritten is seen when it is committed, from its timestamp on", () => {
  const story = new Story();
  assert.is(said(story.call(story.prewrite("k", "v", LATE))), "done");
  assert.is(said(story.call(story.get("k", LATE + 5n))), `locked by ${LATE}`);
  assert.is(said(story.call(story.commit("k", LATE, LATE + 10n))), "done");
  assert.is(said(story.call(story.get("k", LATE + 9n))), "none");
  assert.is(said(story.call(story.get("k", LATE + 10n))), "v");
});

test("a write of a key waits for the one before it, and sees what came of it", () => {
  const story = new Story();
  story.cut(true);
  const first = story.ask(story.prewrite("k", "1", LATE));
  const second = story.ask(story.prewrite("k", "2", LATE + 1n));
  const other = story.ask(story.prewrite("l", "3", LATE + 2n));
  story.cluster.run(100);
  assert.equal(
    [first, second, other].map((ticket) => said(story.reply(ticket))),
    ["nothing", "nothing", "nothing"],
  );
  story.cut(false);
  story.cluster.run(500);
  const answers = [first, second, other].map((ticket) => said(story.reply(ticket)));
  assert.equal(answers, ["done", `locked by ${LATE}`, "done"]);
});

test("a commit timestamp that is calculated is above every read that was answered", () => {
  const story = new Story();
  assert.is(said(story.call(story.get("k", LATE + 100n))), "none");
  const reply = story.call(story.prewrite("k", "v", LATE, { tryOnePc: true }));
  assert.is(prewriteResponse(reply).onePcCommitTs, LATE + 101n);
  assert.is(said(story.call(story.get("k", LATE + 100n))), "none");
  assert.is(said(story.call(story.get("k", LATE + 101n))), "v");
});

test("while its entry is on its way, a calculated commit stops reads at or above it", () => {
  const story = new Story();
  story.cut(true);
  const ticket = story.ask(story.prewrite("k", "v", LATE, { useAsyncCommit: true }));
  const above = story.ask(story.get("k", LATE + 50n));
  const below = story.ask(story.get("k", LATE));
  assert.is(said(story.reply(ticket)), "nothing");
  assert.is(said(story.reply(above)), `locked by ${LATE}`);
  assert.is(said(story.reply(below)), "none");
  story.cut(false);
  story.cluster.run(500);
  const { minCommitTs } = prewriteResponse(story.reply(ticket));
  assert.ok(minCommitTs > LATE);
  assert.is(said(story.call(story.get("k", minCommitTs))), `locked by ${LATE}`);
});

test("a lock request waits for the lock it meets, and hears of its end", () => {
  const story = new Story();
  assert.is(said(story.call(story.lock("k", LATE))), "done");
  const waiting = story.ask(story.lock("k", LATE + 1n));
  story.cluster.run(300);
  assert.is(said(story.reply(waiting)), "nothing");
  const prewrite = story.prewrite("k", "v", LATE, {
    forUpdateTs: LATE,
    pessimisticActions: [1],
  });
  assert.is(said(story.call(prewrite)), "done");
  assert.is(said(story.call(story.commit("k", LATE, LATE + 10n))), "done");
  story.cluster.run(100);
  assert.is(said(story.reply(waiting)), `conflict with ${LATE}`);
  const again = story.lock("k", LATE + 1n, { forUpdateTs: LATE + 20n });
  assert.is(said(story.call(again)), "done");
});

test("one that waits too long is told who holds the lock, one that will not wait at once", () => {
  const story = new Story();
  assert.is(said(story.call(story.lock("k", LATE))), "done");
  const now = story.ask(story.lock("k", LATE + 2n, { waitTimeout: -1n }));
  story.cluster.settle();
  assert.is(said(story.reply(now)), `locked by ${LATE}`);
  const waiting = story.ask(story.lock("k", LATE + 1n, { waitTimeout: 400n }));
  story.cluster.run(300);
  assert.is(said(story.reply(waiting)), "nothing");
  story.cluster.run(200);
  assert.is(said(story.reply(waiting)), `locked by ${LATE}`);
});

test("one that would wait for ever is told after a second, as the server lets nobody wait longer", () => {
  const story = new Story();
  story.call(story.lock("k", LATE));
  // What client-go sends for "always": the greatest int64, through the codec.
  const { request } = story.lock("k", LATE + 1n, { waitTimeout: (1n << 63n) - 1n });
  const decoded = PessimisticLockRequest.decode(
    PessimisticLockRequest.encode(request as PessimisticLockRequest),
  );
  assert.ok(decoded.ok);
  const waiting = story.ask({ method: "KvPessimisticLock", request: decoded.value });
  story.cluster.run(900);
  assert.is(said(story.reply(waiting)), "nothing");
  story.cluster.run(200);
  assert.is(said(story.reply(waiting)), `locked by ${LATE}`);
});

test("whoever would close a circle of waits is told so with the circle", () => {
  const story = new Story();
  story.call(story.lock("a", LATE));
  story.call(story.lock("b", LATE + 1n));
  const waiting = story.ask(story.lock("b", LATE));
  const closing = story.ask(story.lock("a", LATE + 1n));
  story.cluster.settle();
  assert.is(said(story.reply(waiting)), "nothing");
  const circle = `${LATE}>${LATE + 1n} ${LATE + 1n}>${LATE}`;
  assert.is(said(story.reply(closing)), `deadlock ${circle}`);
});

test("a leader that does not know what its predecessor has read calculates no timestamp", () => {
  const story = new Story();
  const { placement } = story.cluster;
  const { node } = story;
  const answer = placement.answer.bind(placement);
  // Whoever leads next asks the oracle, which gives no timestamp for now.
  story.cluster.crash(node);
  let asked = 0;
  placement.answer = (call) => {
    if (call.method !== "Tso") return answer(call);
    asked += 1;
    return { method: "GetMembers", response: {} } as never;
  };
  story.cluster.run(5000);
  const next = story.cluster.leaderAt("");
  const context = contextOf(next.replica);
  const onePc = story.prewrite("k", "v", LATE, { tryOnePc: true, context });
  assert.match(said(story.cluster.call(next.node, onePc)), "region: the greatest timestamp");
  assert.ok(asked > 0);
  const plain = story.prewrite("l", "v", LATE, { context });
  assert.is(said(story.cluster.call(next.node, plain)), "done");
  placement.answer = answer;
  story.cluster.run(500);
  assert.is(said(story.cluster.call(next.node, onePc)), "done");
});

test("a call on a key of another region is refused, and takes no latch", () => {
  const story = new Story();
  const stale = { ...story.context, regionEpoch: undefined };
  const call = story.prewrite("k", "v", LATE, { context: stale });
  assert.match(said(story.call(call)), "region: epoch not match");
  assert.is(said(story.call(story.prewrite("k", "v", LATE + 1n))), "done");
});

test.run();
