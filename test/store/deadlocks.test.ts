import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import { GetLockWaitInfoRequest, SplitRegionRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { storeId } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { contextOf, LATE, lockCall, said } from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: deadlocks across stores");

/** Keys a…, h…, p… lie in regions of their own, which three stores lead. */
const PLACES = ["a", "h", "p"] as const;

class Story {
  readonly cluster: Cluster;

  constructor(stores = 3) {
    this.cluster = new Cluster(stores, { regionHeartbeatMs: 200 });
    this.cluster.run(8000);
    for (const key of ["g", "n"]) {
      const { node, replica } = this.cluster.leaderAt(key);
      const request = SplitRegionRequest.make({
        context: contextOf(replica),
        splitKeys: [key as Key],
        isRawKv: true,
      });
      this.cluster.call(node, { method: "SplitRegion", request });
      this.cluster.run(2000);
    }
    for (const [i, key] of PLACES.entries()) this.lead(key, this.cluster.nodes[i] as Node);
    this.cluster.run(4000);
    const leaders = PLACES.map((key) => this.leader(key));
    assert.equal(leaders, this.cluster.nodes.slice(0, 3));
  }

  leader(key: string): Node {
    return this.cluster.leaderAt(key).node;
  }

  /** The region of `key` is to be led by `node`. */
  lead(key: string, node: Node): void {
    const { region } = this.cluster.leaderAt(key).replica;
    this.cluster.placement.leaders.set(region.id, storeOf(node));
  }

  lock(key: string, startTs: bigint): Ticket {
    const { node, replica } = this.cluster.leaderAt(key);
    return this.cluster.ask(node, lockCall(contextOf(replica), key, startTs));
  }

  said(ticket: Ticket): string {
    return said(this.cluster.replies.get(ticket));
  }
}

const storeOf = ({ state }: Node): number => (state === undefined ? 0 : (storeId(state) ?? 0));

const A = LATE + 1n;
const B = LATE + 2n;
const C = LATE + 3n;

test("a circle of two is found though its waits are at different stores", () => {
  const story = new Story();
  assert.equal(
    [story.lock("h", A), story.lock("p", B)].map((t) => story.said(t)),
    ["done", "done"],
  );
  const first = story.lock("p", A);
  const info = { method: "GetLockWaitInfo" as const, request: GetLockWaitInfoRequest.make() };
  const waiting = story.cluster.call(story.leader("p"), info);
  assert.ok(waiting.method === "GetLockWaitInfo");
  const pairs = waiting.response.entries.map(({ txn, waitForTxn, key }) => [txn, waitForTxn, key]);
  assert.equal(pairs, [[A, B, "p"]]);
  const second = story.lock("h", B);
  assert.is(story.said(first), "nothing");
  assert.is(story.said(second), `deadlock ${A}>${B} ${B}>${A}`);
  const reply = story.cluster.replies.get(second);
  assert.ok(reply?.method === "KvPessimisticLock");
  const deadlock = reply.response.errors[0]?.deadlock;
  assert.is(deadlock?.lockTs, A);
  assert.is(deadlock?.lockKey, "h");
  assert.is(deadlock?.deadlockKey, "p");
  assert.is(deadlock?.deadlockKeyHash, deadlock?.waitChain[0]?.keyHash);
});

test("a circle of three is found", () => {
  const story = new Story();
  for (const [key, ts] of [
    ["a", A],
    ["h", B],
    ["p", C],
  ] as const)
    story.lock(key, ts);
  const waits = [story.lock("h", A), story.lock("p", B)];
  assert.equal(
    waits.map((t) => story.said(t)),
    ["nothing", "nothing"],
  );
  assert.is(story.said(story.lock("a", C)), `deadlock ${A}>${B} ${B}>${C} ${C}>${A}`);
  story.cluster.run(200);
  assert.equal(
    waits.map((t) => story.said(t)),
    ["nothing", "nothing"],
  );
});

test("a new leader of the first region learns of the waits that were told to the old one", () => {
  const story = new Story();
  story.lock("h", A);
  story.lock("p", B);
  const first = story.lock("p", A);
  // The old detector forgets all: it leads no more. The new one hears of the first wait again.
  story.lead("a", story.cluster.nodes[1] as Node);
  story.cluster.run(400);
  assert.is(story.leader("a"), story.cluster.nodes[1]);
  assert.is(story.said(first), "nothing");
  const second = story.lock("h", B);
  story.cluster.run(350);
  const answers = [story.said(first), story.said(second)];
  assert.is(answers.filter((one) => one.startsWith("deadlock")).length, 1);
});

test("waits whose telling was lost are told again", () => {
  const story = new Story();
  story.lock("h", A);
  story.lock("p", B);
  const [detector] = story.cluster.nodes as [Node];
  detector.misses = ({ type }) => type === "detector";
  const first = story.lock("p", A);
  const second = story.lock("h", B);
  story.cluster.run(200);
  assert.equal([story.said(first), story.said(second)], ["nothing", "nothing"]);
  detector.misses = () => false;
  story.cluster.run(500);
  const found = [story.said(first), story.said(second)].filter((one) => one !== "nothing");
  assert.is(found.length, 1);
  assert.match(found[0] ?? "", "deadlock");
});

test("a wait that has ended makes no deadlock, though its end was never told", () => {
  const story = new Story();
  story.lock("h", A);
  story.lock("p", B);
  const [detector] = story.cluster.nodes as [Node];
  const first = story.lock("p", A);
  // From here on the detector hears of no end.
  detector.misses = (m) =>
    m.type === "detector" && m.message.type === "waits" && m.message.ended.length > 0;
  story.cluster.run(900);
  const other = story.cluster.nodes[2] as Node;
  assert.is(story.said(first), "nothing");
  // Only the last telling is remembered now, and the wait is over.
  story.cluster.run(150);
  assert.is(story.said(first), `locked by ${B}`);
  let asked = 0;
  other.misses = (m) => {
    if (m.type === "detector" && m.message.type === "waits_asked") asked += 1;
    return false;
  };
  const second = story.lock("h", B);
  story.cluster.run(100);
  assert.is(story.said(second), "nothing");
  assert.is(asked, 1);
});

test("a store without a replica of the first region asks who leads it", () => {
  const story = new Story(4);
  const { placement } = story.cluster;
  const [, lone] = story.cluster.nodes as [Node, Node];
  const { region } = story.cluster.leaderAt("a").replica;
  placement.shunned.set(region.id, storeOf(lone));
  story.cluster.run(4000);
  assert.throws(() => story.cluster.replicaAt(lone, "a"));
  story.lock("h", A);
  story.lock("p", B);
  const first = story.lock("p", A);
  const second = story.lock("h", B);
  story.cluster.run(500);
  const answers = [story.said(first), story.said(second)];
  assert.is(answers.filter((one) => one.startsWith("deadlock")).length, 1);
});

test("who waits at a store that leads no more is sent to the one that does", () => {
  const story = new Story();
  story.lock("h", A);
  const waiting = story.lock("h", B);
  story.lead("h", story.cluster.nodes[2] as Node);
  story.cluster.run(500);
  assert.match(story.said(waiting), "region: peer is not leader");
});

test("a store that starts again has no waits, and none of its old ones makes a deadlock", () => {
  const story = new Story();
  story.lock("h", A);
  story.lock("p", B);
  story.lock("p", A);
  const node = story.cluster.nodes[2] as Node;
  story.cluster.crash(node);
  story.cluster.start(node);
  const second = story.lock("h", B);
  story.cluster.run(300);
  assert.is(story.said(second), "nothing");
});

test.run();
