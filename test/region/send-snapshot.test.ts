import * as assert from "uvu/assert";
import { createWire } from "../../engine/base/wire.ts";
import type { PeerId } from "../../engine/base/ids.ts";
import { isLeader } from "../../engine/raft/query.ts";
import { onAck, startSending } from "../../engine/region/send-snapshot.ts";
import type { Replica } from "../../engine/region/replica.ts";
import type { Turn } from "../../engine/region/turn.ts";
import type { RegionEffect } from "../../engine/region/types.ts";
import { replicas, view } from "../../engine/store/index.ts";
import { Cluster, testConfig } from "../store/harness.ts";
import { suite } from "../harness.ts";

const test = suite("region/send-snapshot");

/** What leaves `replica` when a snapshot it was sending to the first other peer has arrived. */
function afterDone(cluster: Cluster, replica: Replica): readonly string[] {
  const effects: RegionEffect[] = [];
  const store = cluster.nodes.find(({ state }) => state?.identity?.store === replica.peer.storeId);
  if (store?.state === undefined) throw new Error("the replica's store is up");
  const snapshot = view(store.state);
  const turn = {
    now: cluster.now,
    config: testConfig(1).region,
    wire: createWire(),
    effects,
    data: { snapshot: () => snapshot },
  } as unknown as Turn;
  const other = replica.region.peers.find(({ id }) => id !== replica.peer.id);
  const to = (other?.id ?? 0) as PeerId;
  const sending = startSending(turn, replica, to);
  const { region, applied: index } = sending;
  onAck(turn, sending, {
    type: "snapshot_ack",
    region: region.id as never,
    from: to,
    to: replica.peer.id as PeerId,
    index,
    attempt: sending.outgoing[0]?.attempt ?? 0,
    next: 1,
    status: "done",
  });
  return effects.flatMap((effect) =>
    effect.type === "send" && effect.message.type === "raft" ? [effect.message.message.type] : [],
  );
}

test("a snapshot that has arrived is offered by the leader, and by nobody who has ceased to be it", () => {
  const cluster = new Cluster(3);
  cluster.run(8000);
  const all = cluster.nodes.flatMap(({ state }) => (state === undefined ? [] : replicas(state)));
  const leader = all.find(({ raft }) => isLeader(raft));
  const follower = all.find(({ raft }) => !isLeader(raft));
  if (leader === undefined || follower === undefined) throw new Error("a leader and a follower");
  assert.equal(afterDone(cluster, leader), ["snapshot"]);
  assert.equal(afterDone(cluster, follower), []);
});

test.run();
