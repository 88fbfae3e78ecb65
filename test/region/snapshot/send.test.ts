import * as assert from "uvu/assert";
import { EMPTY_KEY } from "../../../engine/base/bytes.ts";
import { type LogIndex, type PeerId, Ticket } from "../../../engine/base/ids.ts";
import { createWire } from "../../../engine/base/wire.ts";
import { isLeader } from "../../../engine/raft/query.ts";
import {
  onExtracted,
  onExtractFailed,
  ordered,
  type Sent,
} from "../../../engine/region/snapshot/extraction.ts";
import type { Replica } from "../../../engine/region/replica.ts";
import { markOf } from "../../../engine/region/snapshot/restore.ts";
import {
  onAck,
  pursueSending,
  startSending,
  tickSending,
} from "../../../engine/region/snapshot/send.ts";
import type { Turn } from "../../../engine/region/turn.ts";
import type { RegionEffect, SnapshotAck, SnapshotChunk } from "../../../engine/region/types.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { replicas } from "../../../engine/store/index.ts";
import { SimulatedDisk } from "../../../sim/disk/disk.ts";
import { suite } from "../../harness.ts";
import { Cluster, testConfig } from "../../store/harness.ts";

const test = suite("region/snapshot/send");
const CHUNK = 4;

/** A region with three replicas. */
const GROWN = grown();

function grown(): { readonly cluster: Cluster; readonly all: readonly Replica[] } {
  const cluster = new Cluster(3);
  cluster.run(8000);
  const all = cluster.nodes.flatMap(({ state }) => (state === undefined ? [] : replicas(state)));
  return { cluster, all };
}

/** A replica that sends, and the store around it. */
class Sender {
  replica: Replica;
  readonly released: number[] = [];
  readonly turn: Turn & { wantsFreeze: boolean; now: { monotonicMs: number; wallMs: number } };
  readonly disk = new SimulatedDisk();
  readonly inputs: string[] = [];
  private readonly effects: RegionEffect[] = [];

  constructor(role: "leader" | "follower" = "leader") {
    const { cluster, all } = GROWN;
    const found = all.find(({ raft }) => isLeader(raft) === (role === "leader"));
    if (found === undefined) throw new Error("a leader and a follower");
    this.replica = { ...found, extraction: undefined, outgoing: [] };
    this.turn = {
      now: { ...cluster.now },
      config: { ...testConfig(1).region, chunkBytes: CHUNK },
      wire: createWire(),
      effects: this.effects,
      damage: [],
      wantsFreeze: false,
      tables: { disk: this.disk },
      tree: { release: (ticket: number) => this.released.push(ticket) },
    } as unknown as Sender["turn"];
  }

  peer(n: number): PeerId {
    const others = this.replica.region.peers.filter(({ id }) => id !== this.replica.peer.id);
    return (others[n]?.id ?? 0) as PeerId;
  }

  hear({ replica, inputs }: Sent): void {
    this.replica = replica;
    for (const input of inputs) {
      this.inputs.push(input.type === "snapshot_sent" ? `${input.peer} ${input.ok}` : input.type);
    }
  }

  start(to: PeerId, atLeast: number = this.replica.applied): void {
    this.hear(startSending(this.turn, this.replica, to, atLeast as LogIndex));
  }

  /** The store has frozen, flushed, and made tables of these sizes. */
  make(ticket: number, ...sizes: number[]): void {
    this.replica = ordered(this.replica, Ticket(ticket));
    const tables = sizes.map((size, i): TableMeta => {
      const file = tableFile(i + 1);
      const bytes = Uint8Array.from({ length: size }, (_, at) => 10 * i + at);
      this.disk.perform({ type: "create", file }, () => 0.5);
      this.disk.perform({ type: "append", file, bytes }, () => 0.5);
      const bounds = { smallest: EMPTY_KEY, largest: EMPTY_KEY, largestExclusive: true };
      const counts = { entries: 0, tombstones: 0, clears: [], crc32: 0 };
      return { number: i + 1, cf: "default", size, ...bounds, ...counts };
    });
    const mark = markOf(this.turn, this.replica);
    const made = onExtracted(this.turn, this.replica, mark, tables);
    this.hear(pursueSending(this.turn, made));
  }

  ack(chunk: SnapshotChunk | undefined, status: SnapshotAck["status"], next: number): void {
    if (chunk === undefined) throw new Error("there was a piece");
    const { region, from, to, index, attempt } = chunk;
    const type = "snapshot_ack";
    const answer = { type, region, from: to, to: from, index, attempt, next, status } as const;
    this.hear(onAck(this.turn, this.replica, answer));
  }

  tick(ms: number): void {
    this.turn.now.monotonicMs += ms;
    this.hear(tickSending(this.turn, this.replica));
  }

  /** The pieces sent since the last look. */
  sent(): SnapshotChunk[] {
    return this.effects
      .splice(0)
      .flatMap((effect) =>
        effect.type === "send" && effect.message.type === "snapshot_chunk" ? [effect.message] : [],
      );
  }

  offers(): number {
    return this.effects.filter(
      (effect) =>
        effect.type === "send" &&
        effect.message.type === "raft" &&
        effect.message.message.type === "snapshot",
    ).length;
  }
}

test("tables are made behind a freeze, once for all who wait, and their bytes travel in pieces", () => {
  const sender = new Sender();
  const [a, b] = [sender.peer(0), sender.peer(1)];
  sender.start(a);
  sender.start(b);
  assert.ok(sender.turn.wantsFreeze);
  assert.equal(sender.sent(), []);
  sender.make(5, 6, 2);
  const heads = sender.sent();
  assert.equal(
    heads.map(({ to, sequence, last }) => [to, sequence, last]),
    [
      [a, 0, false],
      [b, 0, false],
    ],
  );
  const seen: (readonly [number, boolean, readonly number[]])[] = [];
  for (let next = 1; next <= 3; next++) {
    sender.ack(heads[0], "more", next);
    for (const { sequence, last, bytes } of sender.sent()) seen.push([sequence, last, [...bytes]]);
  }
  assert.equal(seen, [
    [1, false, [0, 1, 2, 3]],
    [2, false, [4, 5]],
    [3, true, [10, 11]],
  ]);
  sender.ack(heads[0], "done", 4);
  assert.is(sender.offers(), 1);
  assert.equal(sender.inputs, [`${a} true`]);
});

test("a piece without an answer is sent again, and the transfer given up in the end", () => {
  const sender = new Sender();
  sender.start(sender.peer(0));
  sender.make(5, 6);
  const [head] = sender.sent();
  sender.ack(head, "more", 1);
  sender.sent();
  sender.tick(400);
  assert.equal(
    sender.sent().map(({ sequence }) => sequence),
    [1],
  );
  sender.tick(20_000);
  assert.equal(sender.inputs, [`${sender.peer(0)} false`]);
});

test("a receiver that has lost what it had is sent everything again, and no stale answer moves it back", () => {
  const sender = new Sender();
  sender.start(sender.peer(0));
  sender.make(5, 12);
  const [head] = sender.sent();
  sender.ack(head, "more", 1);
  sender.ack(head, "more", 2);
  sender.sent();
  sender.ack(head, "more", 1);
  assert.equal(sender.sent(), []);
  sender.ack(head, "more", 0);
  assert.equal(
    sender.sent().map(({ sequence }) => sequence),
    [0],
  );
});

test("tables that nobody has used for a while are released", () => {
  const sender = new Sender();
  sender.start(sender.peer(0));
  sender.make(5, 4);
  const [head] = sender.sent();
  sender.ack(head, "done", 0);
  sender.tick(5000);
  assert.equal(sender.released, []);
  sender.tick(6000);
  assert.equal(sender.released, [5]);
  assert.is(sender.replica.extraction, undefined);
});

test("a follower that needs more than the tables hold waits for others", () => {
  const sender = new Sender();
  sender.start(sender.peer(0));
  sender.make(5, 4);
  sender.start(sender.peer(1), sender.replica.applied + 1);
  assert.equal(
    sender.sent().map(({ to }) => to),
    [sender.peer(0)],
  );
  sender.turn.wantsFreeze = false;
  sender.tick(100);
  assert.not(sender.turn.wantsFreeze);
});

test("tables from before a split, or that a follower has refused, are of no use to the next one", () => {
  const split = new Sender();
  split.start(split.peer(0));
  split.make(5, 4);
  split.ack(split.sent()[0], "done", 0);
  const { region } = split.replica;
  const regionEpoch = { ...region.regionEpoch!, version: region.regionEpoch!.version + 1 };
  split.replica = { ...split.replica, region: { ...region, regionEpoch } };
  split.start(split.peer(1));
  assert.equal(split.released, [5]);
  assert.equal(split.sent(), []);
  const refused = new Sender();
  refused.start(refused.peer(0));
  refused.make(5, 4);
  refused.ack(refused.sent()[0], "refused", 0);
  assert.equal(refused.released, [5]);
});

test("tables that cannot be made or read end what waits for them", () => {
  const failing = new Sender();
  failing.start(failing.peer(0));
  failing.replica = ordered(failing.replica, Ticket(5));
  const failure = { reason: "io_error", file: "table", offset: 0, detail: "" } as const;
  failing.hear(onExtractFailed(failing.turn, failing.replica, { ...failure, damage: undefined }));
  assert.equal(failing.inputs, [`${failing.peer(0)} false`]);
  assert.is(failing.replica.extraction, undefined);
  const unread = new Sender();
  unread.start(unread.peer(0));
  unread.make(5, 4);
  const [head] = unread.sent();
  unread.disk.perform({ type: "remove", file: tableFile(1) }, () => 0.5);
  unread.ack(head, "more", 1);
  assert.equal(unread.inputs, [`${unread.peer(0)} false`]);
  assert.equal(unread.released, [5]);
});

test("a replica that has ceased to lead offers nothing", () => {
  const sender = new Sender();
  sender.start(sender.peer(0));
  sender.make(5, 4);
  const [head] = sender.sent();
  sender.replica = { ...sender.replica, raft: { ...sender.replica.raft, role: "follower" } };
  sender.ack(head, "done", 0);
  assert.is(sender.offers(), 0);
  const late = new Sender("follower");
  late.start(late.peer(0));
  late.make(5, 4);
  assert.equal(late.sent(), [], "it does not even begin");
});

test("a replica whose data is damaged sends none of it", () => {
  const sender = new Sender();
  const damaged = { file: "table", offset: 0, detail: "", sinceMs: 0 };
  sender.replica = { ...sender.replica, damaged };
  sender.start(sender.peer(0));
  assert.equal(sender.inputs, [`${sender.peer(0)} false`]);
  assert.not(sender.turn.wantsFreeze);
});

test.run();
