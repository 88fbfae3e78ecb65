import * as assert from "uvu/assert";
import { composeTimestamp, MAX_TIMESTAMP, physicalOf } from "../../engine/base/timestamp.ts";
import type { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { MaxTsConfig } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { contextOf, getCall, lockCall, prewriteCall, said } from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: timestamps that the oracle never gave");

const DRIFT_MS = 60_000;
const CONFIG: MaxTsConfig = { action: "error", syncMs: 15_000, driftMs: DRIFT_MS };

class Story {
  readonly cluster: Cluster;
  readonly leader: Node;
  readonly follower: Node;

  constructor(change: Partial<MaxTsConfig> = {}) {
    this.cluster = new Cluster(3, { maxTs: { ...CONFIG, ...change } });
    this.cluster.run(8000);
    this.leader = this.cluster.leaderAt("").node;
    this.follower = this.cluster.nodes.find((other) => other !== this.leader) as Node;
  }

  context(node: Node = this.leader): Context {
    return contextOf(this.cluster.replicaAt(node, ""));
  }

  /** Answered once, as a client hears it that does not try again. */
  read(version: bigint, node: Node = this.leader): string {
    const context = { ...this.context(node), replicaRead: node !== this.leader };
    return said(this.cluster.call(node, getCall(context, "k", version)));
  }

  /** Milliseconds of the commit timestamp that an asynchronous commit calculates now. */
  calculated(key: string, startTs: bigint): number {
    const more = { useAsyncCommit: true };
    const call = prewriteCall(this.context(), key, "v", startTs, more);
    const reply = this.cluster.call(this.leader, call);
    assert.is(said(reply), "done");
    const minCommitTs = reply.method === "KvPrewrite" ? reply.response.minCommitTs : 0n;
    return physicalOf(minCommitTs as typeof MAX_TIMESTAMP);
  }
}

const at = (ms: number): bigint => composeTimestamp(ms, 1);
const ASKED = /^region: read index not ready, reason the oracle is asked/;
const INVALID = /^region: invalid max_ts update: /;

test("a read from the far future is asked back once, then refused, and moves nothing", () => {
  const story = new Story();
  const future = at(1e9);
  assert.match(story.read(future), ASKED);
  assert.match(story.read(future), INVALID);
  assert.match(story.read(future), INVALID);
  assert.ok(story.calculated("k", at(1100)) < 1e6);
});

test("the same is asked back and refused of writes that read", () => {
  const story = new Story();
  const lock = lockCall(story.context(), "k", at(1e9), { returnValues: true });
  assert.match(said(story.cluster.call(story.leader, lock)), ASKED);
  assert.match(said(story.cluster.call(story.leader, lock)), INVALID);
});

test("a read that means the newest there is goes on, and moves nothing", () => {
  const story = new Story();
  assert.is(story.read(MAX_TIMESTAMP), "none");
  assert.ok(story.calculated("k", at(1100)) < 1e6);
});

test("a timestamp within the drift is believed at once", () => {
  const story = new Story();
  assert.is(story.read(at(1000 + DRIFT_MS)), "none");
});

test("an oracle that has leapt ahead is believed when it has been asked", () => {
  const story = new Story();
  story.cluster.placement.oracleMs = 1e9;
  assert.match(story.read(at(1e9)), ASKED);
  assert.is(story.read(at(1e9)), "none");
});

test("while the oracle is silent, time that passes here counts for its own", () => {
  const story = new Story();
  story.cluster.placement.oracleMs = undefined;
  assert.match(story.read(at(1000 + DRIFT_MS + 40_000)), ASKED);
  story.cluster.run(35_000);
  assert.is(story.read(at(1000 + DRIFT_MS + 40_000)), "none");
  // Nothing is refused for good on such grounds.
  for (let i = 0; i < 3; i++) assert.match(story.read(at(1e9)), ASKED);
});

test("the oracle's time is asked for again and again", () => {
  const story = new Story({ syncMs: 1000 });
  story.cluster.placement.oracleMs = 1e9;
  story.cluster.run(1100);
  assert.is(story.read(at(1e9)), "none");
});

test("followers ask back too, and a leader does not believe them more than others", () => {
  const story = new Story();
  assert.match(story.read(at(1e9), story.follower), ASKED);
  assert.match(story.read(at(1e9), story.follower), INVALID);
  // The follower has heard an oracle that the leader has not.
  story.cluster.placement.oracleMs = 1e9;
  assert.match(story.read(at(1e9 + 7), story.follower), ASKED);
  story.cluster.placement.oracleMs = 1000;
  assert.match(
    story.read(at(1e9 + 7), story.follower),
    /not ready, reason no leader has confirmed/,
  );
  assert.ok(story.calculated("k", at(1100)) < 1e6);
});

test("with `log` such calls are carried out, but for timestamps that no oracle gives", () => {
  const story = new Story({ action: "log" });
  assert.match(story.read(at(1e9)), ASKED);
  assert.is(story.read(at(1e9)), "none");
  assert.match(story.read(MAX_TIMESTAMP - 1n), INVALID);
  assert.is(story.calculated("k", at(1100)), 1e9);
});

test("with `panic` the store stops", () => {
  const story = new Story({ action: "panic" });
  story.read(at(1e9));
  assert.equal(story.cluster.stopped, []);
  assert.match(story.read(at(1e9)), INVALID);
  assert.match(story.cluster.stopped[0] ?? "", /^invalid max_ts update/);
});

test.run();
