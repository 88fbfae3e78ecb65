import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import {
  KeyError,
  PessimisticLockRequest,
  PessimisticLockResponse,
  PrewriteRequest,
  TxnHeartBeatRequest,
  TxnHeartBeatResponse,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, DEFAULT_OPTIONS } from "../../sim/build.ts";
import {
  excuseHearts,
  noteAnswered,
  noteAsked,
  noteFailedBeat,
} from "../../sim/checkers/heartbeats.ts";
import type { Client, Outcome, World } from "../../sim/model.ts";
import { suite } from "../harness.ts";

const test = suite("sim/checkers: heartbeats");

const TTL_MS = 1000;
const START = 7n;
const NAME = "client1";

const lock: TikvCall = {
  method: "KvPessimisticLock",
  request: PessimisticLockRequest.make({
    startVersion: START,
    isFirstLock: true,
    lockTtl: TTL_MS,
  }),
};
const beat: TikvCall = {
  method: "KvTxnHeartBeat",
  request: TxnHeartBeatRequest.make({ primaryLock: "k" as Key, startVersion: START }),
};
const prewrite: TikvCall = {
  method: "KvPrewrite",
  request: PrewriteRequest.make({ startVersion: START }),
};
const locked: Outcome = {
  type: "reply",
  reply: { method: "KvPessimisticLock", response: PessimisticLockResponse.make() },
};

class Story {
  readonly world: World = build(calm, "1", drain, DEFAULT_OPTIONS).world;

  constructor() {
    this.at(100, () => noteAnswered(this.world, NAME, lock, locked));
  }

  at(ms: number, what: () => void): void {
    this.world.timeUs = ms * 1000;
    what();
  }

  asks(ms: number, call: TikvCall, client: string = NAME): string {
    this.at(ms, () => noteAsked(this.world, client, call));
    return this.world.checks.violation?.check ?? "none";
  }
}

test("a transaction that goes on long after its locks were last prolonged has a heart that stopped", () => {
  const story = new Story();
  assert.is(story.asks(600, beat), "none");
  assert.is(story.asks(600 + 2 * TTL_MS, prewrite), "none");
  assert.is(story.asks(1200 + 2 * TTL_MS, prewrite), "heartbeats");
});

test("as long as it asks for more it may go on for ever, and others' calls do not count", () => {
  const story = new Story();
  for (let ms = 600; ms < 60_000; ms += 600) assert.is(story.asks(ms, beat), "none");
  assert.is(story.asks(60_000, prewrite), "none");
  assert.is(story.asks(70_000, beat, "client2"), "none");
  assert.is(story.asks(70_000, prewrite, "client2"), "none");
  assert.is(story.asks(70_000, prewrite), "heartbeats");
});

test("who cannot ask, or stands still, has not stopped", () => {
  const story = new Story();
  story.at(2000, () => noteFailedBeat(story.world, NAME));
  assert.is(story.asks(4000, prewrite), "none");
  story.at(4000, () => excuseHearts(story.world, { name: NAME } as Client, 20_000_000));
  assert.is(story.asks(22_000, prewrite), "none");
});

test("who is told that its locks are gone need not prolong them", () => {
  const story = new Story();
  const response = TxnHeartBeatResponse.make({ error: KeyError.make({ abort: "gone" }) });
  const gone: Outcome = { type: "reply", reply: { method: "KvTxnHeartBeat", response } };
  story.at(700, () => noteAnswered(story.world, NAME, beat, gone));
  assert.is(story.asks(60_000, prewrite), "none");
});

test.run();
