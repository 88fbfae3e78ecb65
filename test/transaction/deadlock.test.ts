import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_BYTES, type Key } from "../../engine/base/bytes.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import {
  detect,
  expire,
  forgetWait,
  forgetWaiter,
  noEdges,
  type Wait,
  type WaitGraph,
} from "../../engine/transaction/deadlock.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: deadlock");

const TTL = 1000;
const wait = (waiter: number, holder: number, key = "k"): Wait => ({
  waiter: Timestamp(BigInt(waiter)),
  holder: Timestamp(BigInt(holder)),
  key: key as Key,
  tag: EMPTY_BYTES,
});

function graphOf(waits: readonly Wait[], now = 0): WaitGraph {
  let graph = noEdges();
  for (const one of waits) {
    const detected = detect(graph, one, now, TTL);
    assert.is(detected.type, "waits");
    if (detected.type === "waits") graph = detected.graph;
  }
  return graph;
}

test("the wait that closes a circle is refused with the chain from the holder back", () => {
  const graph = graphOf([wait(1, 2), wait(2, 3), wait(2, 4), wait(4, 5)]);
  const detected = detect(graph, wait(5, 1), 0, TTL);
  assert.equal(detected, { type: "deadlock", chain: [wait(1, 2), wait(2, 4), wait(4, 5)] });
});

test("a wait that ended, or faded, closes nothing", () => {
  const graph = graphOf([wait(1, 2), wait(2, 3)]);
  const types = [
    detect(forgetWait(graph, wait(1, 2)), wait(3, 1), 0, TTL).type,
    detect(forgetWaiter(graph, Timestamp(2n)), wait(3, 1), 0, TTL).type,
    detect(graph, wait(3, 1), TTL, TTL).type,
    detect(expire(graph, TTL), wait(3, 1), 0, TTL).type,
    detect(expire(graph, TTL - 1), wait(3, 1), 0, TTL).type,
  ];
  assert.equal(types, ["waits", "waits", "waits", "waits", "deadlock"]);
});

test("a transaction may wait for two others, and one wait ends without the other", () => {
  const graph = forgetWait(graphOf([wait(1, 2, "a"), wait(1, 3, "b")]), wait(1, 2, "a"));
  assert.is(detect(graph, wait(2, 1), 0, TTL).type, "waits");
  assert.is(detect(graph, wait(3, 1), 0, TTL).type, "deadlock");
});

test("a circle is found exactly where there is one", () => {
  const node = fc.integer({ min: 1, max: 6 });
  const pair = fc.tuple(node, node).filter(([a, b]) => a !== b);
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 30 }), (pairs) => {
      let graph = noEdges();
      const edges: [number, number][] = [];
      const reaches = (from: number, to: number, seen = new Set<number>()): boolean =>
        from === to ||
        edges.some(([a, b]) => a === from && !seen.has(b) && reaches(b, to, seen.add(b)));
      for (const [a, b] of pairs) {
        const closes = reaches(b, a);
        const detected = detect(graph, wait(a, b), 0, TTL);
        assert.is(detected.type === "deadlock", closes);
        if (detected.type === "waits") {
          graph = detected.graph;
          edges.push([a, b]);
          continue;
        }
        const { chain } = detected;
        assert.is(Number(chain[0]?.waiter), b);
        assert.is(Number(chain.at(-1)?.holder), a);
        for (const [i, link] of chain.entries()) {
          if (i > 0) assert.is(link.waiter, chain[i - 1]?.holder);
        }
      }
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test.run();
