import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_BYTES, type Key } from "../../engine/base/bytes.ts";
import type { StoreId, Ticket } from "../../engine/base/ids.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import {
  detect,
  expire,
  forgetWait,
  noEdges,
  type Wait,
  type WaitGraph,
} from "../../engine/transaction/deadlock.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: deadlock");

const TTL = 1000;
const wait = (waiter: number, holder: number, number = waiter): Wait => ({
  waiter: Timestamp(BigInt(waiter)),
  holder: Timestamp(BigInt(holder)),
  key: "k" as Key,
  tag: EMPTY_BYTES,
  store: 1 as StoreId,
  number: number as Ticket,
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
  const graph = graphOf([wait(1, 2), wait(2, 3), wait(2, 4, 7), wait(4, 5)]);
  const detected = detect(graph, wait(5, 1), 0, TTL);
  assert.equal(detected, { type: "circle", chain: [wait(1, 2), wait(2, 4, 7), wait(4, 5)] });
});

test("a wait that ended, or faded, closes nothing", () => {
  const graph = graphOf([wait(1, 2), wait(2, 3)]);
  const types = [
    detect(forgetWait(graph, wait(1, 2)), wait(3, 1), 0, TTL).type,
    detect(forgetWait(graph, wait(2, 3)), wait(3, 1), 0, TTL).type,
    detect(graph, wait(3, 1), TTL, TTL).type,
    detect(expire(graph, TTL), wait(3, 1), 0, TTL).type,
    detect(expire(graph, TTL - 1), wait(3, 1), 0, TTL).type,
  ];
  assert.equal(types, ["waits", "waits", "waits", "waits", "circle"]);
});

test("a transaction may wait for two others, and one wait ends without the other", () => {
  const graph = forgetWait(graphOf([wait(1, 2, 8), wait(1, 3, 9)]), wait(1, 2, 8));
  assert.is(detect(graph, wait(2, 1), 0, TTL).type, "waits");
  assert.is(detect(graph, wait(3, 1), 0, TTL).type, "circle");
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
      for (const [i, [a, b]] of pairs.entries()) {
        const closes = reaches(b, a);
        const detected = detect(graph, wait(a, b, i), 0, TTL);
        assert.is(detected.type === "circle", closes);
        if (detected.type === "waits") {
          graph = detected.graph;
          edges.push([a, b]);
          continue;
        }
        const { chain } = detected;
        assert.is(Number(chain[0]?.waiter), b);
        assert.is(Number(chain.at(-1)?.holder), a);
        for (const [at, link] of chain.entries()) {
          if (at > 0) assert.is(link.waiter, chain[at - 1]?.holder);
        }
      }
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test.run();
