import * as assert from "uvu/assert";
import { clusterOf, deliver } from "../../bench/network/cluster.ts";
import type { Cluster } from "../../bench/network/cluster.ts";
import type { Load } from "../../bench/network/load.ts";
import { hashText } from "../../sim/trace/hash.ts";
import { suite } from "../harness.ts";

const test = suite("the load beside madsim and turmoil");

const LOAD: Load = { window: 16, payload: 64, warmUp: 0, messages: 20_000, seed: 1 };

function played(load: Load, byReference = false): Cluster {
  const cluster = clusterOf(load, byReference);
  deliver(cluster, load.messages);
  return cluster;
}

test("each node has its window in flight, no more and no less", () => {
  for (const window of [1, 16, 256]) {
    const { machines } = played({ ...LOAD, window });
    for (const { requests, answers } of machines) {
      assert.is(requests - answers, window);
      assert.ok(answers > 0);
    }
  }
});

test("what is delivered is half requests and half answers, and nothing is lost", () => {
  const { machines, network, delivered } = played(LOAD);
  const answers = machines.reduce((sum, machine) => sum + machine.answers, 0);
  assert.is(delivered, LOAD.messages);
  assert.ok(Math.abs(answers - delivered / 2) <= 5 * LOAD.window, `${answers} answers`);
  assert.is(network.lost + network.duplicated, 0);
});

test("latencies are those that the peers are told", () => {
  const { timeUs, delivered } = played({ ...LOAD, window: 1 });
  const mean = (timeUs * 5) / delivered;
  assert.ok(mean > 5400 && mean < 5600, `${mean} us on the way`);
});

test("by reference and through the codec the same is delivered, at the same times", () => {
  const bytes = played(LOAD);
  const reference = played(LOAD, true);
  assert.is(bytes.timeUs, reference.timeUs);
  assert.equal(
    bytes.machines.map(({ requests }) => requests),
    reference.machines.map(({ requests }) => requests),
  );
});

test("a seed repeats itself, and another one does not", () => {
  const hash = hashText(played(LOAD).hash);
  assert.is(hashText(played(LOAD).hash), hash);
  assert.is.not(hashText(played({ ...LOAD, seed: 2 }).hash), hash);
});

test.run();
