/**
 * A few stores in one process, with simulated disks, a lossless network, and a scripted placement
 * driver.
 */
import { Ticket, type StoreId } from "../../engine/base/ids.ts";
import { createWire, type Wire } from "../../engine/base/wire.ts";
import type { DiskFailure, DiskOperation, WriteEffect } from "../../engine/storage/disk.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import {
  decodeStoreMessage,
  encodeStoreMessage,
  open,
  type Replica,
  replicas,
  step,
  type StoreConfig,
  type StoreEffect,
  type StoreInput,
  type StoreMessage,
  type StoreState,
} from "../../engine/store/index.ts";
import { isLeader } from "../../engine/raft/query.ts";
import type { Random } from "../../sim/disk/content.ts";
import { runStoreJob as jobCode } from "../../engine/store/jobs.ts";
import type { Job } from "../../engine/storage/lsm/types.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import { ScriptedPlacement } from "./driver.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";

export const testConfig = (n: number): StoreConfig => ({
  address: `127.0.0.1:${20160 + n}`,
  statusAddress: `127.0.0.1:${20180 + n}`,
  version: "8.5.0",
  labels: [],
  capacityBytes: 1 << 30,
  seed: n,
  tickMs: 50,
  storeHeartbeatMs: 1000,
  regionHeartbeatMs: 1000,
  resolveMs: 0,
  collection: { pollMs: 1000, sweepRecords: 64, inCompactions: true },
  memtableBytes: 16_384,
  throttle: {
    softFrozenBytes: 1 << 17,
    hardFrozenBytes: 1 << 20,
    softTables: 50,
    hardTables: 100,
    softDebtBytes: 1 << 28,
    hardDebtBytes: 1 << 30,
    bytesPerSecond: 1 << 20,
    lineBytes: 1000,
    lineMs: 1000,
    memoryBytes: 1 << 26,
    reserveBytes: 0,
  },
  cacheBytes: 1 << 20,
  freezeLogBytes: 4096,
  pessimistic: {
    inMemory: true,
    regionBytes: 4096,
    storeBytes: 16_384,
    pipelined: true,
    waitMs: 1000,
    wakeDelayMs: 20,
  },
  maxTs: { action: "error", syncMs: 15_000, driftMs: Number.MAX_SAFE_INTEGER },
  region: {
    raft: {
      heartbeatMs: 100,
      electionMs: 1000,
      leaseMs: 700,
      preVote: true,
      checkQuorum: true,
      priority: 0,
      maxAppendBytes: 1 << 20,
      maxApplyBytes: 1 << 20,
      maxInflightMessages: 64,
      maxInflightBytes: 1 << 22,
      maxUncommittedBytes: 1 << 24,
    },
    raw: { ttlEnabled: false },
    maxKeyBytes: 8192,
    maxEntryBytes: 8 << 20,
    batchBytes: 1 << 18,
    chunkBytes: 256,
    chunkRetryMs: 300,
    snapshotGiveUpMs: 10_000,
    readTimeoutMs: 2000,
    downAfterMs: 5000,
    retainedEntries: 4,
  },
  storage: { segmentBytes: 8192, sliceBytes: 1024, lsm: DEFAULT_LSM },
});

export interface Node {
  config: StoreConfig;
  readonly disk: SimulatedDisk;
  state: StoreState | undefined;
  inbox: StoreInput[];
  /** While set, the disk takes writes and does not finish them. */
  stalled: boolean;
  /** Why the disk refuses writes, while it does. */
  refuses: DiskFailure | undefined;
  /** What it says when it goes on. */
  unfinished: StoreInput[];
  /** Of the life that runs. */
  tables: TableCache;
  /** Which of the messages sent to it are lost. */
  misses: (message: StoreMessage) => boolean;
}

function emptyDisk(): Pick<Node, "disk" | "tables"> {
  const disk = new SimulatedDisk();
  return { disk, tables: new TableCache(disk, 0) };
}

export class Cluster {
  readonly wire: Wire = createWire();
  readonly nodes: Node[];
  readonly replies: Map<number, TikvReply> = new Map();
  readonly stopped: string[] = [];
  nowMs: number = 1000;
  placement: ScriptedPlacement = new ScriptedPlacement();
  /** Told before each operation of a disk: a crash may fall between any two. */
  beforeOperation: (node: Node) => void = () => {};
  private tickets = 1;

  constructor(count: number, change: Partial<StoreConfig> = {}) {
    this.nodes = Array.from({ length: count }, (_, i) => ({
      config: { ...testConfig(i + 1), ...change },
      ...emptyDisk(),
      state: undefined,
      inbox: [],
      stalled: false,
      refuses: undefined,
      unfinished: [],
      misses: () => false,
    }));
    for (const node of this.nodes) this.start(node);
  }

  get now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs };
  }

  start(node: Node): void {
    node.tables = new TableCache(node.disk, node.config.cacheBytes);
    const opened = open(node.tables, node.config, this.now);
    if (!opened.ok) throw new Error(`${opened.file}:${opened.offset} ${opened.detail}`);
    node.state = opened.state;
    node.inbox = [];
    this.perform(node, opened.effects);
  }

  /** The disk of `node` goes on. */
  unstall(node: Node): void {
    node.stalled = false;
    node.inbox.push(...node.unfinished);
    node.unfinished = [];
  }

  /** Lets `ms` pass in ticks, delivering everything at once. */
  run(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; this.nowMs += 50) {
      for (const node of this.nodes) node.inbox.push({ type: "tick" });
      this.settle();
    }
  }

  settle(): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const node of this.nodes) {
        if (node.state === undefined || node.inbox.length === 0) {
          node.inbox = [];
          continue;
        }
        busy = true;
        const inputs = node.inbox;
        node.inbox = [];
        const next = step(node.state, this.now, node.tables, inputs);
        node.state = next.state;
        this.perform(node, next.effects);
      }
    }
  }

  private perform(node: Node, effects: readonly StoreEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send": {
          const target = this.nodes.find((n) => n.state?.identity?.store === effect.to);
          const from = node.state?.identity?.store as StoreId;
          const decoded = decodeStoreMessage(
            encodeStoreMessage(effect.message, this.wire),
            this.wire,
          );
          if (!decoded.ok) throw new Error(decoded.reason);
          if (target === undefined || target.misses(decoded.value)) break;
          target.inbox.push({ type: "received", from, message: decoded.value });
          break;
        }
        case "write":
          if (node.refuses !== undefined) {
            const { ticket } = effect;
            node.inbox.push({ type: "write_failed", ticket, reason: node.refuses, file: "log-1" });
            break;
          }
          this.tell(node, this.runWrite(node, effect));
          break;
        case "job":
          this.tell(node, this.runJob(node, effect.ticket, effect.job));
          break;
        case "reply":
          this.replies.set(effect.ticket, effect.reply);
          break;
        case "ask_placement":
          node.inbox.push({
            type: "placement_answer",
            ticket: effect.ticket,
            answer: { ok: true, reply: this.placement.answer(effect.call) },
          });
          break;
        case "stop":
          this.stopped.push(effect.reason);
          break;
        default:
          break;
      }
    }
  }

  private tell(node: Node, input: StoreInput): void {
    if (node.stalled) node.unfinished.push(input);
    else node.inbox.push(input);
  }

  /** Runs a job to its end, and says how it ended. */
  private runJob(node: Node, ticket: Ticket, job: Job): StoreInput {
    const code = jobCode(job, node.disk);
    let next = code.next();
    for (; next.done !== true; next = code.next()) {
      if (node.refuses !== undefined) {
        const refused = { reason: node.refuses, file: "table", offset: 0, detail: "refused" };
        return { type: "job_failed", ticket, failure: { ...refused, damage: undefined } };
      }
      for (const operation of next.value) {
        const reason = this.operate(node, operation);
        if (reason === undefined) continue;
        const refused = { reason, file: "table", offset: 0, detail: "refused" };
        return { type: "job_failed", ticket, failure: { ...refused, damage: undefined } };
      }
    }
    const outcome = next.value;
    return outcome.ok
      ? { type: "job_done", ticket, result: outcome.result }
      : { type: "job_failed", ticket, failure: outcome.failure };
  }

  private runWrite(node: Node, { ticket, operations }: WriteEffect): StoreInput {
    for (const operation of operations) {
      const reason = this.operate(node, operation);
      if (reason === undefined) continue;
      const file = operation.type === "sync_directory" ? "." : operation.file;
      return { type: "write_failed", ticket, reason, file };
    }
    return { type: "written", ticket };
  }

  /** Why the disk has refused the operation, if it has. */
  private operate(node: Node, operation: DiskOperation): DiskFailure | undefined {
    this.beforeOperation(node);
    const result = node.disk.perform(operation, () => 0.5);
    return result.ok ? undefined : result.reason;
  }

  /** The replica that leads the region holding `key`, and its node. */
  leaderAt(key: string): { node: Node; replica: Replica } {
    for (const node of this.nodes) {
      if (node.state === undefined) continue;
      for (const replica of replicas(node.state)) {
        const { region } = replica;
        const holds = key >= region.startKey && (region.endKey === "" || key < region.endKey);
        if (holds && region.peers.length > 0 && isLeader(replica.raft)) return { node, replica };
      }
    }
    throw new Error(`no leader for ${key}`);
  }

  /** The replica on `node` of the region holding `key`. */
  replicaAt({ state }: Node, key: string): Replica {
    const all = state === undefined ? [] : replicas(state);
    const holder = all.find(
      ({ region }) => key >= region.startKey && (region.endKey === "" || key < region.endKey),
    );
    if (holder === undefined) throw new Error(`no replica holds ${key}`);
    return holder;
  }

  /** Sends a call to `node` and returns its reply once there is one within `patienceMs`. */
  call(node: Node, call: TikvCall, patienceMs: number = 3000): TikvReply {
    const ticket = this.ask(node, call);
    for (let waited = 0; waited < patienceMs && !this.replies.has(ticket); waited += 50)
      this.run(50);
    const reply = this.replies.get(ticket);
    if (reply === undefined) throw new Error(`${call.method} got no reply`);
    return reply;
  }

  /** Sends a call to `node`; its reply will be under the ticket. */
  ask(node: Node, call: TikvCall): Ticket {
    const ticket = Ticket(this.tickets++);
    node.inbox.push({ type: "request", ticket, call });
    this.settle();
    return ticket;
  }

  /** Power loss: of what was not synced any part is gone, as it is drawn. */
  crash(node: Node, random: Random = () => 0.5): void {
    node.disk.crash("power", random);
    node.state = undefined;
    node.inbox = [];
    node.unfinished = [];
  }

  /** The same cluster at this moment, which goes on by itself. */
  fork(): Cluster {
    const copy = new Cluster(0);
    for (const node of this.nodes) {
      const { inbox, unfinished } = node;
      const disk = node.disk.clone();
      const tables = new TableCache(disk, node.config.cacheBytes);
      copy.nodes.push({ ...node, disk, tables, inbox: [...inbox], unfinished: [...unfinished] });
    }
    copy.nowMs = this.nowMs;
    copy.tickets = this.tickets;
    copy.placement = this.placement.clone();
    return copy;
  }
}
