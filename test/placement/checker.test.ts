import fc from "fast-check";
import * as assert from "uvu/assert";
import { unreachable } from "../../engine/base/assert.ts";
import { nextStep } from "../../engine/placement/checker.ts";
import type { CheckerStep, StoreHealth, StoreView } from "../../engine/placement/checker.ts";
import { isLearner, isVoter } from "../../engine/placement/catalog/peer.ts";
import type { RegionInfo } from "../../engine/placement/catalog/registry.ts";
import { PeerRole } from "../../engine/protocol/gen/metapb.ts";
import type { Peer } from "../../engine/protocol/gen/metapb.ts";
import { suite } from "../harness.ts";
import { heardOf, learner, voter } from "./region-kit.ts";

const test = suite("placement/checker");

const stores = (...healths: readonly StoreHealth[]): readonly StoreView[] =>
  healths.map((health, i) => ({ id: i + 1, health, peers: 0 }));
const region = (...peers: readonly Peer[]): RegionInfo => heardOf({ id: 1, peers });

test("a region with too few voters gets a learner on the least loaded store without one", () => {
  const views: readonly StoreView[] = [
    { id: 1, health: "up", peers: 0 },
    { id: 2, health: "up", peers: 7 },
    { id: 3, health: "up", peers: 5 },
    { id: 4, health: "disconnected", peers: 0 },
  ];
  assert.equal(nextStep(region(voter(10, 1)), views, 3), { type: "add_learner", store: 3 });
});

test("a learner is promoted when it is neither pending nor down", () => {
  const info = region(voter(10, 1), learner(11, 2));
  const views = stores("up", "up", "up");
  assert.equal(nextStep(info, views, 3), { type: "promote", peer: learner(11, 2) });
  assert.is(nextStep({ ...info, pendingPeers: [learner(11, 2)] }, views, 3), undefined);
});

test("a learner on a store that went away is removed rather than waited for", () => {
  const info = { ...region(voter(10, 1), learner(11, 2)), pendingPeers: [learner(11, 2)] };
  const step = nextStep(info, stores("up", "disconnected", "up"), 3);
  assert.equal(step, { type: "remove", peer: learner(11, 2) });
});

test("a region that is well is left alone", () => {
  const info = region(voter(10, 1), voter(11, 2), voter(12, 3));
  assert.is(nextStep(info, stores("up", "up", "up", "up"), 3), undefined);
  assert.is(nextStep(info, stores("up", "up", "disconnected", "up"), 3), undefined);
});

test("a peer on a store being drained is replaced before it is removed", () => {
  const three = region(voter(10, 1), voter(11, 2), voter(12, 3));
  const views = stores("up", "up", "offline", "up");
  assert.equal(nextStep(three, views, 3), { type: "add_learner", store: 4 });
  const four = region(voter(10, 1), voter(11, 2), voter(12, 3), voter(13, 4));
  assert.equal(nextStep(four, views, 3), { type: "remove", peer: voter(12, 3) });
});

test("a leader on a store being drained hands over before its peer is removed", () => {
  const four = region(voter(10, 1), voter(11, 2), voter(12, 3), voter(13, 4));
  const step = nextStep(four, stores("offline", "up", "up", "up"), 3);
  assert.is(step?.type, "transfer_leader");
});

test("no voter is removed where that leaves no live majority", () => {
  const info = region(voter(10, 1), voter(11, 2), voter(12, 3), voter(13, 4));
  const down = [voter(12, 3), voter(13, 4)].map((peer) => ({ peer, downSeconds: 5 }));
  assert.is(
    nextStep({ ...info, downPeers: down }, stores("up", "up", "up", "up"), 1)?.type,
    "remove",
  );
  const worse = [voter(11, 2), ...down.map(({ peer }) => peer)];
  const views = stores("up", "up", "up", "up");
  assert.is(nextStep({ ...info, pendingPeers: worse }, views, 1), undefined);
});

test("a region within a joint configuration is left alone", () => {
  const incoming = { ...voter(11, 2), role: PeerRole.IncomingVoter };
  assert.is(nextStep(region(voter(10, 1), incoming), stores("up", "up", "up"), 3), undefined);
});

/** `info` after its leader has done as told. */
function carriedOut(info: RegionInfo, step: CheckerStep, id: number): RegionInfo {
  const { peers } = info.region;
  const changed = (next: readonly Peer[]): RegionInfo => ({
    ...info,
    region: { ...info.region, peers: next },
  });
  switch (step.type) {
    case "add_learner":
      return changed([...peers, learner(id, step.store)]);
    case "promote":
      return changed(peers.map((p) => (p.id === step.peer.id ? voter(p.id, p.storeId) : p)));
    case "remove":
      return changed(peers.filter((p) => p.id !== step.peer.id));
    case "transfer_leader":
      return { ...info, leader: step.peer };
    default:
      return unreachable(step);
  }
}

test("whatever the stores, its steps end, and end with what was asked for where that can be had", () => {
  const anyHealth = fc.constantFrom<StoreHealth>(
    "up",
    "up",
    "up",
    "disconnected",
    "down",
    "offline",
  );
  const property = fc.property(
    fc.array(anyHealth, { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 3 }),
    (healths, voters, maxReplicas) => {
      const views = stores(...healths);
      const count = Math.min(voters, healths.length);
      let info = region(...Array.from({ length: count }, (_, i) => voter(10 + i, i + 1)));
      for (let steps = 0; ; steps++) {
        assert.ok(steps < 30, "the steps end");
        const step = nextStep(info, views, maxReplicas);
        if (step === undefined) break;
        if (step.type === "remove") assert.is.not(step.peer.id, info.leader?.id);
        info = carriedOut(info, step, 100 + steps);
        const { peers } = info.region;
        assert.is(new Set(peers.map((peer) => peer.storeId)).size, peers.length);
      }
      const up = healths.filter((health) => health === "up").length;
      const { peers } = info.region;
      assert.not(peers.some(isLearner));
      // With a store that is silent for a moment, waiting is right too.
      if (up < maxReplicas || healths.includes("disconnected")) return;
      assert.is(peers.filter(isVoter).length, maxReplicas);
      for (const peer of peers) assert.is(healths[peer.storeId - 1], "up");
    },
  );
  fc.assert(property, { includeErrorInReport: true });
});

test.run();
