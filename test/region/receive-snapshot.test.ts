import * as assert from "uvu/assert";
import type { LogIndex, PeerId, StoreId, Term } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { isLeader } from "../../engine/raft/query.ts";
import { encodeHead } from "../../engine/region/pieces.ts";
import { onChunk } from "../../engine/region/receive-snapshot.ts";
import { type Replica, regionId } from "../../engine/region/replica.ts";
import type { Turn } from "../../engine/region/turn.ts";
import type { RegionEffect } from "../../engine/region/types.ts";
import { replicas } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { Cluster } from "../store/harness.ts";

const test = suite("region/receive-snapshot");
const wire = createWire();
const INDEX = 1000 as LogIndex;
const TERM = 9 as Term;

/** A follower that is sent a snapshot, piece by piece. */
class Receiver {
  replica: Replica;
  private readonly head: Uint8Array;

  constructor() {
    const cluster = new Cluster(3);
    cluster.run(8000);
    const all = cluster.nodes.flatMap(({ state }) => (state === undefined ? [] : replicas(state)));
    const follower = all.find(({ raft }) => !isLeader(raft));
    if (follower === undefined) throw new Error("three replicas have a follower");
    this.replica = follower;
    const { region, configuration } = follower;
    this.head = encodeHead({ region, metadata: { index: INDEX, term: TERM, configuration } }, wire);
  }

  /** What the follower answers to a piece: its status and the piece it wants next. */
  take(attempt: number, sequence: number, last: boolean = false): string {
    const effects: RegionEffect[] = [];
    const turn = { wire, effects, replicas: { overlapping: () => [] } } as unknown as Turn;
    const chunk = {
      type: "snapshot_chunk",
      region: regionId(this.replica),
      from: 7 as PeerId,
      to: this.replica.peer.id as PeerId,
      index: INDEX,
      term: TERM,
      attempt,
      sequence,
      last,
      bytes: sequence === 0 ? this.head : wire.encode([]),
    } as const;
    this.replica = onChunk(turn, this.replica, chunk, 1 as StoreId);
    const [effect] = effects;
    if (effect?.type !== "send" || effect.message.type !== "snapshot_ack") return "silence";
    assert.is(effect.message.attempt, attempt);
    return `${effect.message.status} ${effect.message.next}`;
  }
}

test("pieces are wanted in order, and one that comes twice is answered again", () => {
  const receiver = new Receiver();
  assert.is(receiver.take(1, 0), "more 1");
  assert.is(receiver.take(1, 2), "silence");
  assert.is(receiver.take(1, 1), "more 2");
  assert.is(receiver.take(1, 1), "more 2");
  assert.is(receiver.take(1, 2, true), "done 3");
});

test("another attempt begins anew, and what is left of the one before it is ignored", () => {
  const receiver = new Receiver();
  receiver.take(1, 0);
  receiver.take(1, 1);
  assert.is(receiver.take(2, 0), "more 1");
  assert.is(receiver.take(1, 2), "silence");
  assert.is(receiver.take(1, 0), "silence");
  assert.is(receiver.take(2, 1, true), "done 2");
});

test("a transfer whose beginning was missed is refused", () => {
  assert.is(new Receiver().take(1, 3), "refused 0");
});

test("a snapshot that is all here is not taken again", () => {
  const receiver = new Receiver();
  receiver.take(1, 0);
  receiver.take(1, 1, true);
  assert.is(receiver.take(2, 0), "done 0");
});

test.run();
