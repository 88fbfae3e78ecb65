import * as assert from "uvu/assert";
import { EMPTY_BYTES, type Key } from "../../engine/base/bytes.ts";
import type { StoreId, Ticket } from "../../engine/base/ids.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import type { Wait } from "../../engine/transaction/deadlock.ts";
import {
  confirm,
  type Detector,
  fade,
  type Finding,
  forget,
  hear,
  isIdle,
  noDetector,
} from "../../engine/transaction/detector.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: detector");

const TTL = 1000;
/** Transaction `waiter` waits for `holder` at store `store`. */
const wait = (waiter: number, holder: number, store: number, number = waiter): Wait => ({
  waiter: Timestamp(BigInt(waiter)),
  holder: Timestamp(BigInt(holder)),
  key: "k" as Key,
  tag: EMPTY_BYTES,
  store: store as StoreId,
  number: number as Ticket,
});

class Story {
  detector: Detector = noDetector();

  told(nowMs: number, ...waits: readonly Wait[]): readonly string[] {
    return this.take(hear(this.detector, waits, nowMs, TTL));
  }

  answered(nowMs: number, store: number, round: number, ...lasting: number[]): readonly string[] {
    const numbers = lasting as unknown as readonly Ticket[];
    return this.take(confirm(this.detector, store as StoreId, round, numbers, nowMs, TTL));
  }

  private take(heard: ReturnType<typeof hear>): readonly string[] {
    this.detector = heard.detector;
    return heard.findings.map(described);
  }
}

const described = (finding: Finding): string =>
  finding.type === "ask"
    ? `ask ${finding.store}: ${finding.numbers.join(" ")} in ${finding.round}`
    : `deadlock of ${finding.wait.waiter}, ${finding.chain.length} others`;

test("a circle is a deadlock when every store says that its waits in it last", () => {
  const story = new Story();
  assert.equal(story.told(0, wait(1, 2, 10), wait(2, 3, 20)), []);
  assert.equal(story.told(0, wait(3, 1, 30)), ["ask 10: 1 in 1", "ask 20: 2 in 1"]);
  assert.equal(story.answered(1, 20, 1, 2), []);
  assert.equal(story.answered(2, 10, 1, 1), ["deadlock of 3, 2 others"]);
});

test("a wait that has ended makes no deadlock, though nobody has heard of its end", () => {
  const story = new Story();
  story.told(0, wait(1, 2, 10), wait(2, 1, 20));
  assert.equal(story.answered(1, 10, 1), []);
  // What seemed to close a circle is a wait like others, and another may close one with it.
  assert.equal(story.told(2, wait(1, 2, 10, 7)), ["ask 20: 2 in 2"]);
});

test("where one circle is none, another is looked for", () => {
  const story = new Story();
  story.told(0, wait(1, 2, 10, 1), wait(1, 3, 11, 5), wait(3, 2, 12));
  assert.equal(story.told(0, wait(2, 1, 20)), ["ask 10: 1 in 1"]);
  assert.equal(story.answered(1, 10, 1), ["ask 11: 5 in 2", "ask 12: 3 in 2"]);
});

test("a question that was lost is asked again, and an answer to it counts once", () => {
  const story = new Story();
  story.told(0, wait(1, 2, 10));
  assert.equal(story.told(0, wait(2, 1, 20)), ["ask 10: 1 in 1"]);
  assert.equal(story.told(300, wait(2, 1, 20)), ["ask 10: 1 in 1"]);
  assert.equal(story.answered(301, 10, 1, 1), ["deadlock of 2, 1 others"]);
  assert.equal(story.answered(302, 10, 1, 1), []);
});

test("an answer to an earlier question confirms nothing", () => {
  const story = new Story();
  story.told(0, wait(1, 2, 10));
  story.told(0, wait(2, 1, 20));
  story.detector = forget(story.detector, [wait(2, 1, 20)]);
  assert.equal(story.told(1, wait(2, 1, 20, 9)), ["ask 10: 1 in 2"]);
  assert.equal(story.answered(2, 10, 1, 1), []);
});

test("what nobody tells again is gone after a while", () => {
  const story = new Story();
  story.told(0, wait(1, 2, 10), wait(2, 1, 20));
  assert.not.ok(isIdle(fade(story.detector, TTL - 1)));
  assert.ok(isIdle(fade(story.detector, TTL)));
});

test.run();
