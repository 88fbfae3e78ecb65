import * as assert from "uvu/assert";
import { decisionsOf } from "../../sim/decisions/decisions.ts";
import type { Hold } from "../../sim/network/hold.ts";
import type { NetworkProfile, Packet } from "../../sim/network/network.ts";
import type { Latency } from "../../sim/network/latency.ts";
import type { Link } from "../../sim/network/topology.ts";
import { draw } from "../../sim/network/latency.ts";
import { CALM, clog, cut, healNetwork, isCut, mend, networkOf } from "../../sim/network/network.ts";
import { type Network, transmit } from "../../sim/network/network.ts";
import { lanesOf, messageType } from "../../sim/network/lanes.ts";
import { SHAPES, drawCut, drawLinks } from "../../sim/network/topology.ts";
import { randomOf } from "../../sim/random.ts";
import { suite } from "../harness.ts";

const test = suite("sim/network");

const made = (size: number, profile: NetworkProfile): Network =>
  networkOf(size, profile, lanesOf(decisionsOf("network test"), String));

interface Sent extends Partial<Omit<Packet, "type">> {
  readonly type?: string;
}

/** When the copies of a message arrive. */
function send(network: Network, timeUs: number, sent: Sent = {}): readonly number[] {
  const type = messageType(network.lanes, "message", sent.type ?? "append_request");
  const packet = { from: 0, to: 1, bytes: 1000, once: false, ...sent, type };
  return transmit(network, timeUs, packet);
}

const random = randomOf("network test");
const profile = (changes: Partial<NetworkProfile>): NetworkProfile => ({ ...CALM, ...changes });

test("messages of a cut link are lost, in the cut direction only, until every cut is mended", () => {
  const network = made(3, CALM);
  const links: Link[] = [[0, 1]];
  cut(network, links);
  cut(network, links);
  assert.is(send(network, 0).length, 0);
  assert.is(send(network, 0, { from: 1, to: 0 }).length, 1);
  mend(network, links);
  assert.ok(isCut(network, 0, 1));
  mend(network, links);
  assert.is(send(network, 0).length, 1);
});

test("messages of a link wait as long as its priority says, until the network heals", () => {
  const network = made(2, profile({ latency: { type: "uniform", lowUs: 100, highUs: 200 } }));
  network.behind[1] = 50_000;
  const [late = 0] = send(network, 0);
  assert.ok(late >= 50_100 && late <= 50_200, `${late}`);
  assert.is(network.heldUntilUs, late);
  assert.ok((send(network, 0, { from: 1, to: 0 })[0] ?? 0) <= 200);
  healNetwork(network, CALM);
  assert.ok((send(network, 60_000)[0] ?? 0) <= 61_000);
});

test("an ordered link never delivers a later message first", () => {
  const network = made(2, profile({ latency: { type: "uniform", lowUs: 1, highUs: 10_000 } }));
  let last = 0;
  for (let time = 0; time < 100_000; time += 10) {
    const arrives = send(network, time)[0] as number;
    assert.ok(arrives >= last);
    last = arrives;
  }
});

test("an unordered link overtakes", () => {
  const network = made(
    2,
    profile({ ordered: false, latency: { type: "uniform", lowUs: 1, highUs: 10_000 } }),
  );
  const times = Array.from({ length: 100 }, (_, i) => send(network, i)[0] as number);
  assert.ok(times.some((time, i) => i > 0 && time < (times[i - 1] as number)));
});

test("loss and duplication happen about as often as asked; calls are never duplicated", () => {
  const network = made(2, profile({ loss: 200_000, duplication: 250_000 }));
  const counts = [0, 0, 0];
  const count = (once: boolean): void => {
    const copies = send(network, 0, { once }).length;
    counts[copies] = (counts[copies] as number) + 1;
  };
  for (let i = 0; i < 10_000; i++) count(false);
  assert.ok(Math.abs((counts[0] as number) - 2000) < 200);
  assert.ok(Math.abs((counts[2] as number) - 2000) < 200);
  const twice = counts[2];
  for (let i = 0; i < 1000; i++) count(true);
  assert.is(counts[2], twice);
});

test("a narrow link delays each message by those before it", () => {
  const network = made(2, profile({ bytesPerMs: 1000, latency: { type: "constant", us: 100 } }));
  assert.equal([...send(network, 0)], [1100]);
  assert.equal([...send(network, 0)], [2100]);
  assert.equal([...send(network, 10_000)], [11_100]);
});

test("a clogged link holds everything until it is free", () => {
  const network = made(2, profile({ latency: { type: "constant", us: 100 } }));
  clog(network, [[0, 1]], 50_000);
  assert.equal([...send(network, 10)], [50_100]);
  assert.equal([...send(network, 60_000)], [60_100]);
});

test("held messages of one type arrive late, up to three times or never; others are not touched", () => {
  const network = made(2, profile({ ordered: false }));
  network.holds = [
    {
      messageType: "append_request",
      from: 0,
      to: undefined,
      millionths: 1_000_000,
      delay: { type: "constant", us: 9_000_000 },
      maxCopies: 3,
      repeatsCalls: false,
    },
  ];
  const seen = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const copies = send(network, 0);
    seen.add(copies.length);
    assert.ok(copies.every((time) => time === 9_000_000));
    assert.ok(send(network, 0, { once: true }).length <= 1);
  }
  assert.equal(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2, 3],
  );
  assert.ok((send(network, 0, { from: 1, to: 0 })[0] as number) < 1000);
  assert.ok((send(network, 0, { type: "vote_request" })[0] as number) < 1000);
  assert.is(network.heldUntilUs, 9_000_000, "the last of them");
});

test("a hold repeats calls only where it says so", () => {
  const network = made(2, profile({}));
  const hold = {
    messageType: "call Kv",
    from: undefined,
    to: undefined,
    millionths: 1_000_000,
    delay: { type: "constant", us: 9_000_000 },
    maxCopies: 2,
    repeatsCalls: true,
  } as const;
  const call = { type: "call KvCommit", once: true };
  const most = (holds: readonly Hold[]): number => {
    network.holds = holds;
    const counts = Array.from({ length: 100 }, () => send(network, 0, call).length);
    return Math.max(...counts);
  };
  assert.is(most([hold]), 2);
  assert.is(most([{ ...hold, repeatsCalls: false }]), 1);
});

test("nothing is held for more than twenty seconds", () => {
  const network = made(2, profile({}));
  network.holds = [
    {
      messageType: "call",
      from: undefined,
      to: undefined,
      millionths: 1_000_000,
      delay: { type: "heavy_tail", minUs: 0, scaleUs: 10_000_000 },
      maxCopies: 1,
      repeatsCalls: false,
    },
  ];
  const type = "call KvGet";
  const sent = Array.from({ length: 200 }, () => [...send(network, 0, { type })]).flat();
  assert.is(Math.max(...sent), 20_000_000);
});

test("healing leaves nothing broken", () => {
  const network = made(3, profile({ loss: 1_000_000 }));
  cut(network, [[0, 1]]);
  clog(network, [[0, 1]], 1e9);
  healNetwork(network, CALM);
  assert.ok((send(network, 5)[0] as number) < 1000);
});

test("each shape of partition cuts the links that its name says", () => {
  const nodes = [2, 4, 5, 7, 9];
  for (const shape of SHAPES) {
    for (let i = 0; i < 50; i++) {
      const { links, nodes: order } = drawCut(shape, nodes, random);
      const isCut = (a: number, b: number): boolean => links.some(([x, y]) => x === a && y === b);
      assert.ok(links.length > 0 || shape === "star", shape);
      assert.is(new Set(links.map(String)).size, links.length, `${shape} names each link once`);
      const symmetric = links.every(([a, b]) => isCut(b, a));
      assert.is(symmetric, !["one_way", "deaf", "mute"].includes(shape), shape);
      const [first] = order as [number];
      const others = order.slice(1);
      if (shape === "bridge") assert.not(others.some((one) => isCut(first, one)));
      if (shape === "isolate") assert.ok(others.every((one) => isCut(first, one)));
      if (shape === "chain") assert.is(links.length, 5 * 4 - 2 * 4);
      if (shape === "ring") assert.is(links.length, 5 * 4 - 2 * 5);
      if (shape === "star") assert.is(links.length, 4 * 3);
      if (shape === "deaf") assert.ok(others.every((one) => isCut(one, first)));
      if (shape === "mute") assert.ok(others.every((one) => isCut(first, one)));
    }
  }
  assert.ok(drawLinks(nodes, 0, random).length === 1);
  assert.ok(drawLinks(nodes, 1_000_000, random).length === 20);
});

test("each family of delays has about the mean and the quantiles of its distribution", () => {
  const quantiles = (latency: Latency): { mean: number; half: number; top: number } => {
    const draws = Array.from({ length: 100_000 }, () => draw(latency, random));
    draws.sort((a, b) => a - b);
    const sum = draws.reduce((a, b) => a + b, 0);
    const at = (i: number): number => draws[i] as number;
    return { mean: sum / draws.length, half: at(50_000), top: at(99_900) };
  };
  const near = (value: number, expected: number, part: number): void =>
    assert.ok(Math.abs(value - expected) <= expected * part, `${value} is not near ${expected}`);
  const exponential = quantiles({ type: "exponential", minUs: 0, meanUs: 10_000 });
  near(exponential.mean, 10_000, 0.03);
  near(exponential.half, 6931, 0.03);
  near(exponential.top, 69_078, 0.12);
  const heavy = quantiles({ type: "heavy_tail", minUs: 0, scaleUs: 1000 });
  near(heavy.half, 782, 0.03);
  near(heavy.top, 315_228, 0.25);
  const uniform = quantiles({ type: "uniform", lowUs: 100, highUs: 300 });
  near(uniform.mean, 200, 0.02);
});

test.run();
