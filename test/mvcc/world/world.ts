/**
 * Two stores, clients, an oracle, and a network that delays, loses and repeats whatever it is
 * given. Timestamps are small integers, so that those that are calculated and those that the
 * oracle gives out meet all the time.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import { MAX_TIMESTAMP, Timestamp } from "../../../engine/base/timestamp.ts";
import { decodeLock } from "../../../engine/mvcc/record/lock.ts";
import { fateOf } from "../../../engine/mvcc/key/fate.ts";
import { encodeKey } from "../../../engine/mvcc/keys.ts";
import { MvccReader } from "../../../engine/mvcc/read/reader.ts";
import { Action } from "../../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvReply } from "../../../engine/protocol/services.ts";
import { Store } from "../store.ts";
import { tell, textOf } from "../words.ts";
import type { Client, SeenRead, SeenStatus, Send, Transaction } from "./types.ts";

export const KEYS: readonly Key[] = ["a", "b", "c", "d"].map((key) => key as Key);
/** Where the second store's keys begin. */
const BORDER = "c" as Key;

/** How a request fares. */
export type Fate = "answered" | "answer_lost" | "delayed" | "sender_dies";

export class World {
  readonly transactions: Transaction[] = [];
  readonly reads: SeenRead[] = [];
  readonly statuses: SeenStatus[] = [];
  /** The greatest commit timestamp that a client told its user. */
  acknowledged = 0n;
  readonly violations: string[] = [];
  /** Each request that arrived, with its answer and what it changed. */
  readonly story: string[] = [];
  private readonly stores: readonly Store[] = [new Store(), new Store()];
  private readonly clients: { readonly client: Client; waits: Send }[] = [];
  /** Requests that may arrive once more, or for the first time. */
  private readonly wandering: Send[] = [];
  private clock = 1n;

  constructor() {
    this.stores[0]!.bounds = { start: "" as Key, end: encodeKey(BORDER) };
    this.stores[1]!.bounds = { start: encodeKey(BORDER), end: "" as Key };
  }

  /** A timestamp of the oracle. */
  tso(): bigint {
    this.clock += 1n;
    if (this.clock < this.acknowledged) {
      this.violations.push(`a commit at ${this.acknowledged} was told before ${this.clock}`);
    }
    return this.clock;
  }

  storeOf(key: Key): Store {
    return this.stores[key < BORDER ? 0 : 1]!;
  }

  reader(key: Key): MvccReader {
    return new MvccReader(this.storeOf(key).view());
  }

  get isBusy(): boolean {
    return this.clients.length > 0;
  }

  enter(client: Client): void {
    const first = client.next();
    if (!first.done) this.clients.push({ client, waits: first.value });
  }

  /** The request of client number `which` fares like this. */
  step(which: number, fate: Fate): void {
    const at = which % this.clients.length;
    const entry = this.clients[at]!;
    const isDelivered = fate !== "delayed";
    const reply = isDelivered ? this.deliver(entry.waits) : undefined;
    this.wandering.push(entry.waits);
    if (fate === "sender_dies") {
      this.clients.splice(at, 1);
      return;
    }
    const next = entry.client.next(fate === "answered" ? reply : undefined);
    if (next.done) this.clients.splice(at, 1);
    else entry.waits = next.value;
  }

  /** A request of old arrives. */
  repeat(which: number): void {
    const send = this.wandering[which % Math.max(1, this.wandering.length)];
    if (send !== undefined) this.deliver(send);
  }

  /** A leader loses the pessimistic locks that lay in its memory only. */
  losePessimisticLocks(which: number): void {
    const store = this.stores[which % 2]!;
    const cursor = store.view().cursor("lock", { lower: "" as Key, upper: "" as Key });
    const lost: Key[] = [];
    for (cursor.seek("" as Key); cursor.valid; cursor.next()) {
      const decoded = decodeLock(cursor.value);
      if (decoded.ok && decoded.lock.type === "pessimistic") lost.push(cursor.key);
    }
    store.apply(lost.map((key) => ({ type: "delete", cf: "lock", key })));
    if (lost.length > 0) this.story.push("pessimistic locks are lost", ...store.takeChanges());
  }

  /** A new leader knows of no read, and asks the oracle. */
  changeLeader(which: number): void {
    this.stores[which % 2]!.maxTs = Timestamp(this.tso());
  }

  /** Lets `client` have its way: every request is answered. */
  finish<T>(client: Generator<Send, T, TikvReply | undefined>): T {
    let next = client.next();
    while (!next.done) next = client.next(this.deliver(next.value));
    return next.value;
  }

  private deliver({ key, call }: Send): TikvReply {
    const store = this.storeOf(key);
    const reply =
      call.method === "KvGet" || call.method === "KvScan" || call.method === "KvScanLock"
        ? store.read(call)
        : store.evaluate(call as Parameters<Store["evaluate"]>[0]);
    this.witness({ key, call }, reply);
    this.story.push(`${call.method} ${tell(call.request)} => ${tell(reply.response)}`);
    for (const change of store.takeChanges()) this.story.push(`    ${change}`);
    return reply;
  }

  /** What is answered must stay true, whether the answer arrives or not. */
  private witness({ call }: Send, reply: TikvReply): void {
    if (call.method === "KvGet" && reply.method === "KvGet") {
      const { error, notFound, value } = reply.response;
      if (error !== undefined || call.request.version === MAX_TIMESTAMP) return;
      const { key, version: readTs } = call.request;
      this.reads.push({ key, readTs, value: notFound ? undefined : textOf(value) });
    }
    if (call.method === "KvScan" && reply.method === "KvScan") {
      const { version: readTs } = call.request;
      for (const { key, value, error } of reply.response.pairs) {
        if (error === undefined) this.reads.push({ key, readTs, value: textOf(value) });
      }
    }
    if (call.method === "KvCheckTxnStatus" && reply.method === "KvCheckTxnStatus") {
      const { error, action, commitVersion: commitTs, lockInfo } = reply.response;
      if (error !== undefined || lockInfo !== undefined) return;
      const isSettled =
        action !== Action.LockNotExistDoNothing && action !== Action.TTLExpirePessimisticRollback;
      if (isSettled) this.statuses.push({ startTs: call.request.lockTs, commitTs });
    }
    if (call.method === "KvPrewrite" && reply.method === "KvPrewrite") {
      if (reply.response.errors.length > 0) this.checkRefused(call.request.startVersion, call);
    }
  }

  /** A prewrite that is refused belongs to no transaction that has committed there. */
  private checkRefused(startTs: bigint, call: Send["call"]): void {
    if (call.method !== "KvPrewrite") return;
    for (const { key } of call.request.mutations) {
      const fate = fateOf(this.reader(key), encodeKey(key), Timestamp(startTs));
      if (fate.type === "committed") {
        this.violations.push(`a prewrite of ${startTs} was refused though it committed ${key}`);
      }
    }
  }
}
