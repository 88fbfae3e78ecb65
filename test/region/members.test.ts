/** Which changes of members a region's descriptor can show on their way. */
import * as assert from "uvu/assert";
import { Peer, PeerRole, Region } from "../../engine/protocol/gen/metapb.ts";
import { changed } from "../../engine/raft/configuration.ts";
import type { PeerId } from "../../engine/base/ids.ts";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { configurationOf, peersUnder } from "../../engine/region/descriptor.ts";
import { canOrder, type MemberOrder } from "../../engine/region/members.ts";
import { suite } from "../harness.ts";

const test = suite("region/members");

const voter = (id: number): Peer => Peer.make({ id, storeId: id });
const learner = (id: number): Peer => Peer.make({ id, storeId: id, role: PeerRole.Learner });
const region = Region.make({
  id: 2,
  regionEpoch: { version: 1, confVer: 1 },
  peers: [voter(1), voter(2), voter(3), learner(4)],
});
const order = (change: MemberOrder["change"], peer: Peer): MemberOrder => ({ change, peer });

/** Every order of one or two changes, of members and of a stranger. */
function everyOrder(): (readonly MemberOrder[])[] {
  const single = [1, 2, 4, 5].flatMap((id) => [
    order("add_voter", voter(id)),
    order("add_learner", learner(id)),
    order("remove", voter(id)),
  ]);
  return [
    ...single.map((one) => [one]),
    ...single.flatMap((one) => single.map((other) => [one, other])),
  ];
}

test("what may be ordered is what the region's peers can say by their roles", () => {
  let joint = 0;
  for (const orders of everyOrder()) {
    const changes = orders.map(({ change, peer }) => ({ type: change, peer: peer.id as PeerId }));
    const next = changed(configurationOf(region), { changes, context: EMPTY_BYTES });
    if (next === undefined) continue;
    const known = [...region.peers, ...orders.map(({ peer }) => peer)];
    const named = new Map(known.map((peer) => [peer.id, peer]));
    const peers = peersUnder(next, [...named.values()]);
    const said = configurationOf(Region.make({ ...region, peers }));
    const same = JSON.stringify(said) === JSON.stringify(next);
    const words = orders.map(({ change, peer }) => `${change} ${peer.id}`).join(", ");
    assert.is(canOrder(region, orders), same, words);
    if (same && next.outgoing.length > 0) joint += 1;
  }
  assert.ok(joint > 5, `${joint} of them lead through a joint configuration`);
});

test.run();
