import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  type Context,
  FlashbackToVersionRequest,
  PrepareFlashbackToVersionRequest,
  RawPutRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { suite } from "../harness.ts";
import {
  bytes,
  commitCall,
  contextOf,
  getCall,
  LATE,
  lockCall,
  prewriteCall,
  said,
} from "./calls.ts";
import { Cluster, type Node } from "./harness.ts";

const test = suite("store: flashback");

const VERSION = LATE + 100n;
const START = LATE + 500n;
const COMMIT = LATE + 600n;

class Story {
  readonly cluster = new Cluster(3);

  constructor() {
    this.cluster.run(8000);
  }

  get node(): Node {
    return this.cluster.leaderAt("").node;
  }

  get context(): Context {
    return contextOf(this.cluster.leaderAt("").replica);
  }

  say(call: TikvCall): string {
    return said(this.cluster.call(this.node, call));
  }

  put(key: string, value: string, startTs: bigint): void {
    assert.is(this.say(prewriteCall(this.context, key, value, startTs)), "done");
    assert.is(this.say(commitCall(this.context, key, startTs, startTs + 1n)), "done");
  }

  get(key: string, version: bigint): string {
    return this.say(getCall(this.context, key, version));
  }

  /** Before, and what has happened since. */
  write(): void {
    this.put("a", "old", LATE);
    this.put("b", "old", LATE + 10n);
    this.put("a", "new", VERSION + 10n);
    this.put("c", "new", VERSION + 20n);
  }

  prepare(startTs: bigint = START): string {
    return told(this.cluster.call(this.node, prepareCall(this.context, startTs)));
  }

  finish(startTs: bigint = START, commitTs: bigint = COMMIT): string {
    return told(this.cluster.call(this.node, finishCall(this.context, startTs, commitTs)));
  }

  /** What everybody reads now. */
  all(): readonly string[] {
    return ["a", "b", "c"].map((key) => this.get(key, COMMIT + 100n));
  }
}

const prepareCall = (context: Context, startTs: bigint): TikvCall => ({
  method: "KvPrepareFlashbackToVersion",
  request: PrepareFlashbackToVersionRequest.make({ context, startTs, version: VERSION }),
});

const finishCall = (context: Context, startTs: bigint, commitTs: bigint): TikvCall => ({
  method: "KvFlashbackToVersion",
  request: FlashbackToVersionRequest.make({ context, startTs, commitTs, version: VERSION }),
});

function told(reply: TikvReply): string {
  const { regionError, error } = reply.response as {
    readonly regionError?: { readonly message: string };
    readonly error: string;
  };
  if (regionError !== undefined) return `region: ${regionError.message}`;
  return error === "" ? "done" : error;
}

const closed = (startTs: bigint): string =>
  `region: region 104 is in flashback progress, FlashbackStartTS is ${startTs}`;
const NOT_PREPARED = "region: region 104 is not prepared for the flashback";

test("everything is what it was, and what was is kept", () => {
  const story = new Story();
  story.write();
  assert.is(story.prepare(), "done");
  assert.is(story.finish(), "done");
  assert.equal(story.all(), ["old", "old", "none"]);
  assert.is(story.get("a", COMMIT - 1n), "new");
  story.put("a", "later", COMMIT + 10n);
  assert.is(story.get("a", COMMIT + 20n), "later");
});

test("a region that is being flashed back serves reads from before, and nothing else", () => {
  const story = new Story();
  story.write();
  assert.is(story.prepare(), "done");
  const { context } = story;
  const lock = lockCall(context, "b", START + 5n);
  const raw = RawPutRequest.make({ context, key: "r" as Key, value: bytes("v") });
  const split = SplitRegionRequest.make({ context, splitKeys: ["m" as Key] });
  const refused: readonly TikvCall[] = [
    prewriteCall(context, "b", "x", START + 5n),
    commitCall(context, "b", LATE + 10n, LATE + 11n),
    lock,
    getCall(context, "b", START),
    { method: "RawPut", request: raw },
    { method: "SplitRegion", request: split },
  ];
  for (const call of refused) assert.is(story.say(call), closed(START), call.method);
  assert.is(story.get("a", START - 1n), "new");
});

test("what waits in the log behind its closing is void", () => {
  const story = new Story();
  story.write();
  const { cluster, context, node } = story;
  for (const other of cluster.nodes) if (other !== node) other.misses = () => true;
  const prepared = cluster.ask(node, prepareCall(context, START));
  const late = cluster.ask(node, prewriteCall(context, "b", "x", VERSION + 50n));
  for (const other of cluster.nodes) other.misses = () => false;
  cluster.run(1000);
  assert.is(told(cluster.replies.get(prepared) as TikvReply), "done");
  assert.is(said(cluster.replies.get(late)), "region: epoch not match");
  assert.is(story.finish(), "done");
  assert.equal(story.all(), ["old", "old", "none"]);
});

test("locks of others are gone, those in memory too", () => {
  const story = new Story();
  story.write();
  const { context } = story;
  assert.is(story.say(prewriteCall(context, "b", "x", VERSION + 50n)), "done");
  assert.is(story.say(lockCall(context, "c", VERSION + 60n)), "done");
  assert.is(story.prepare(), "done");
  assert.is(story.finish(), "done");
  assert.equal(story.all(), ["old", "old", "none"]);
  const commit = commitCall(story.context, "b", VERSION + 50n, COMMIT + 50n);
  assert.not.equal(story.say(commit), "done");
  const late = prewriteCall(story.context, "c", "x", VERSION + 60n, {
    forUpdateTs: VERSION + 60n,
    pessimisticActions: [1],
  });
  assert.not.equal(story.say(late), "done");
});

test("who has not prepared is told so; who comes again is told that it is done", () => {
  const story = new Story();
  story.write();
  assert.is(story.finish(), NOT_PREPARED);
  assert.is(story.prepare(), "done");
  assert.is(story.prepare(), "done");
  assert.is(story.finish(START + 1n), NOT_PREPARED);
  assert.is(story.finish(), "done");
  assert.is(story.finish(), "done");
  // One that comes late does not close the region again.
  assert.is(story.prepare(), "done");
  story.put("b", "later", COMMIT + 10n);
});

test("a flashback that was given up is taken over by the next one", () => {
  const story = new Story();
  story.write();
  assert.is(story.prepare(), "done");
  assert.is(story.prepare(START + 50n), "done");
  assert.is(story.finish(), NOT_PREPARED);
  assert.is(story.finish(START + 50n), "done");
  assert.equal(story.all(), ["old", "old", "none"]);
});

test("the next leader knows that its region is closed, and finishes what was begun", () => {
  const story = new Story();
  story.write();
  assert.is(story.prepare(), "done");
  const { node, cluster } = story;
  cluster.crash(node);
  cluster.run(3000);
  cluster.start(node);
  cluster.run(8000);
  assert.is(story.get("b", START), closed(START));
  assert.is(story.finish(), "done");
  assert.equal(story.all(), ["old", "old", "none"]);
});

test("more keys than are written at once are all flashed back", () => {
  const story = new Story();
  const names = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, "0")}`);
  for (const name of names) {
    const context = story.context;
    const call = prewriteCall(context, name, "x", VERSION + 10n, { tryOnePc: true });
    assert.is(story.say(call), "done");
  }
  assert.is(story.prepare(), "done");
  assert.is(story.finish(), "done");
  assert.equal(new Set(names.map((name) => story.get(name, COMMIT + 1n))), new Set(["none"]));
});

test("a region without keys is closed and opened", () => {
  const story = new Story();
  assert.is(story.prepare(), "done");
  assert.is(story.get("a", START), closed(START));
  assert.is(story.finish(), "done");
  assert.is(story.get("a", COMMIT), "none");
});

test.run();
