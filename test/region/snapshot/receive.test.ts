import * as assert from "uvu/assert";
import { crc32 } from "../../../engine/base/checksum.ts";
import { EMPTY_KEY } from "../../../engine/base/bytes.ts";
import {
  type LogIndex,
  type PeerId,
  type StoreId,
  type Term,
  Ticket,
} from "../../../engine/base/ids.ts";
import { createWire } from "../../../engine/base/wire.ts";
import { isLeader } from "../../../engine/raft/query.ts";
import { onChunk, onFilesFailed, onFilesWritten } from "../../../engine/region/snapshot/receive.ts";
import { type Replica, regionId } from "../../../engine/region/replica.ts";
import { encodeHead } from "../../../engine/region/snapshot/head.ts";
import type { TreePort, Turn } from "../../../engine/region/turn.ts";
import type { RegionEffect } from "../../../engine/region/types.ts";
import type { DiskOperation } from "../../../engine/storage/disk.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { replicas } from "../../../engine/store/index.ts";
import { suite } from "../../harness.ts";
import { Cluster } from "../../store/harness.ts";

const test = suite("region/snapshot/receive");
const wire = createWire();
const INDEX = 1000 as LogIndex;
const TERM = 9 as Term;

const FIRST = Uint8Array.of(1, 2, 3, 4, 5);
const SECOND = Uint8Array.of(6, 7, 8);

const metaOf = (cf: TableMeta["cf"], bytes: Uint8Array): TableMeta => ({
  number: 77,
  cf,
  size: bytes.length,
  entries: 1,
  tombstones: 0,
  clears: [],
  smallest: EMPTY_KEY,
  largest: EMPTY_KEY,
  largestExclusive: true,
  crc32: crc32(bytes),
});

/** The pieces of a snapshot of two tables; piece 0 is the head. */
const PIECES = [FIRST.subarray(0, 3), FIRST.subarray(3), SECOND];

const FOLLOWER = follower();

function follower(): Replica {
  const cluster = new Cluster(3);
  cluster.run(8000);
  const all = cluster.nodes.flatMap(({ state }) => (state === undefined ? [] : replicas(state)));
  const found = all.find(({ raft }) => !isLeader(raft));
  if (found === undefined) throw new Error("three replicas have a follower");
  return found;
}

/** A follower that is sent a snapshot, piece by piece. */
class Receiver {
  replica: Replica;
  readonly written: DiskOperation[] = [];
  readonly discarded: number[] = [];
  /** Regions on this store that share keys with the snapshot's. */
  readonly others: Replica[] = [];
  private readonly head: Uint8Array;
  private effects: RegionEffect[] = [];
  private ticket = 0;
  private number = 10;

  constructor() {
    this.replica = FOLLOWER;
    const { region, configuration } = FOLLOWER;
    const metadata = { index: INDEX, term: TERM, configuration };
    const tables = [metaOf("default", FIRST), metaOf("write", SECOND)];
    this.head = encodeHead({ region, metadata, tables, safePoint: undefined }, wire);
  }

  /** What the follower answers to a piece at once: its status and the piece it wants next. */
  take(attempt: number, sequence: number, bytes?: Uint8Array): string {
    const chunk = {
      type: "snapshot_chunk",
      region: regionId(this.replica),
      from: 7 as PeerId,
      to: this.replica.peer.id as PeerId,
      index: INDEX,
      term: TERM,
      attempt,
      sequence,
      last: sequence === PIECES.length,
      bytes: bytes ?? (sequence === 0 ? this.head : PIECES[sequence - 1]!),
    } as const;
    this.replica = onChunk(this.turn(), this.replica, chunk, 1 as StoreId);
    return this.answer();
  }

  /** The disk has done what it was given last: what the follower answers then. */
  done(ok = true): string {
    const hear = ok ? onFilesWritten : onFilesFailed;
    this.replica = hear(this.turn(), this.replica, Ticket(this.ticket));
    return this.answer();
  }

  private answer(): string {
    const [effect] = this.effects.splice(0);
    if (effect?.type !== "send" || effect.message.type !== "snapshot_ack") return "silence";
    return `${effect.message.status} ${effect.message.next}`;
  }

  private turn(): Turn {
    const tree: Partial<TreePort> = {
      reserve: () => this.number++,
      files: (_, operations) => {
        this.written.push(...operations);
        this.ticket += 1;
        return Ticket(this.ticket);
      },
      discard: (numbers) => {
        this.discarded.push(...numbers);
      },
    };
    const { effects, others } = this;
    return { wire, effects, tree, replicas: { overlapping: () => others } } as unknown as Turn;
  }
}

/** Takes the pieces up to `last`, each written before the next. */
function receive(receiver: Receiver, attempt: number, last: number): string {
  let answer = "";
  for (let sequence = 0; sequence <= last; sequence++) {
    assert.is(receiver.take(attempt, sequence), "silence");
    answer = receiver.done();
  }
  return answer;
}

test("a piece is acknowledged when it is written, and the last one when all is durable", () => {
  const receiver = new Receiver();
  assert.is(receive(receiver, 1, 2), "more 3");
  assert.is(receiver.take(1, 3), "silence");
  assert.is(receiver.replica.incoming?.complete, false);
  assert.is(receiver.done(), "done 4");
  assert.is(receiver.replica.incoming?.complete, true);
  const [first, second] = [tableFile(10), tableFile(11)];
  assert.equal(receiver.written, [
    { type: "create", file: first },
    { type: "create", file: second },
    { type: "append", file: first, bytes: FIRST.subarray(0, 3) },
    { type: "append", file: first, bytes: FIRST.subarray(3) },
    { type: "sync", file: first },
    { type: "append", file: second, bytes: SECOND },
    { type: "sync", file: second },
    { type: "sync_directory" },
  ]);
});

test("one piece is written at a time, and one that comes twice is answered again", () => {
  const receiver = new Receiver();
  assert.is(receive(receiver, 1, 1), "more 2");
  assert.is(receiver.take(1, 1), "more 2");
  assert.is(receiver.take(1, 3), "silence");
  assert.is(receiver.take(1, 2), "silence");
  assert.is(receiver.take(1, 2), "silence");
  assert.is(receiver.done(), "more 3");
  assert.is(receiver.written.filter(({ type }) => type === "append").length, 2);
});

test("another attempt begins anew, and what is left of the one before it is ignored", () => {
  const receiver = new Receiver();
  receive(receiver, 1, 1);
  receiver.take(1, 2);
  assert.is(receiver.take(2, 0), "silence");
  assert.equal(receiver.discarded, [10, 11]);
  assert.is(receiver.take(1, 3), "silence");
  assert.is(receiver.done(), "more 1");
  for (const sequence of [1, 2, 3]) {
    receiver.take(2, sequence);
    receiver.done();
  }
  assert.is(receiver.replica.incoming?.complete, true);
});

test("a transfer whose beginning was lost in a restart begins again", () => {
  assert.is(new Receiver().take(1, 3), "more 0");
});

test("a snapshot that is all here is not taken again", () => {
  const receiver = new Receiver();
  assert.is(receive(receiver, 1, 3), "done 4");
  assert.is(receiver.take(2, 0), "done 0");
});

test("a snapshot whose range another region has come into is given up for a later one", () => {
  const receiver = new Receiver();
  receive(receiver, 1, 3);
  const { region } = receiver.replica;
  receiver.others.push({ ...receiver.replica, region: { ...region, id: region.id + 1 } });
  assert.is(receiver.take(2, 0), "refused 0");
  assert.is(receiver.replica.incoming, undefined);
  assert.equal(receiver.discarded, [10, 11]);
});

test("bytes that are not what the head promises are refused, and their files go", () => {
  const receiver = new Receiver();
  receive(receiver, 1, 1);
  assert.is(receiver.take(1, 2, Uint8Array.of(4, 6)), "refused 0");
  assert.equal(receiver.discarded, [10, 11]);
  assert.is(receiver.replica.incoming, undefined);
});

test("a disk that refuses ends the transfer", () => {
  const receiver = new Receiver();
  receiver.take(1, 0);
  assert.is(receiver.done(false), "refused 0");
  assert.equal(receiver.discarded, [10, 11]);
});

test.run();
