/**
 * Three stores in one process, with the simulated disk, a lossless network, and a scripted
 * placement driver that knows just enough: ids, bootstrap, and one order at a time to grow to three
 * replicas.
 */
import { Ticket, type StoreId } from "../../engine/base/ids.ts";
import { createWire, type Wire } from "../../engine/base/wire.ts";
import type { DiskFailure } from "../../engine/storage/disk.ts";
import { ConfChangeType } from "../../engine/protocol/gen/eraftpb.ts";
import { Peer, PeerRole, type Region } from "../../engine/protocol/gen/metapb.ts";
import * as pdpb from "../../engine/protocol/gen/pdpb.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../../engine/protocol/services.ts";
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
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";

const CLUSTER = 77n;

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
  checkpointLogBytes: 4096,
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
  unfinished: Ticket[];
  /** Which of the messages sent to it are lost. */
  misses: (message: StoreMessage) => boolean;
}

export class Cluster {
  readonly wire: Wire = createWire();
  readonly nodes: Node[];
  readonly replies: Map<number, TikvReply> = new Map();
  readonly stopped: string[] = [];
  nowMs: number = 1000;
  private ids = 100;
  private bootstrapped: Region | undefined;
  readonly regions: Map<number, { region: Region; leader: Peer | undefined }> = new Map();
  /** What the driver has heard of regions from others than these stores. */
  readonly newer: Map<number, Region> = new Map();
  private stores = new Map<number, number>();
  private tickets = 1;

  constructor(count: number, change: Partial<StoreConfig> = {}) {
    this.nodes = Array.from({ length: count }, (_, i) => ({
      config: { ...testConfig(i + 1), ...change },
      disk: new SimulatedDisk(),
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
    const opened = open(node.disk, node.config, this.now);
    if (!opened.ok) throw new Error(`${opened.file}:${opened.offset} ${opened.detail}`);
    node.state = opened.state;
    node.inbox = [];
    this.perform(node, opened.effects);
  }

  /** The disk of `node` goes on. */
  unstall(node: Node): void {
    node.stalled = false;
    for (const ticket of node.unfinished) node.inbox.push({ type: "written", ticket });
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
        const next = step(node.state, this.now, inputs);
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
          for (const operation of effect.operations) {
            const result = node.disk.perform(operation, () => 0.5);
            if (!result.ok) throw new Error(`disk: ${result.reason}`);
          }
          if (node.stalled) node.unfinished.push(effect.ticket);
          else node.inbox.push({ type: "written", ticket: effect.ticket });
          break;
        case "reply":
          this.replies.set(effect.ticket, effect.reply);
          break;
        case "ask_placement":
          node.inbox.push({
            type: "placement_answer",
            ticket: effect.ticket,
            answer: { ok: true, reply: this.answer(effect.call) },
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

  private answer({ method, request }: PdCall): PdReply {
    const header = pdpb.ResponseHeader.make({ clusterId: CLUSTER });
    switch (method) {
      case "GetMembers":
        return { method, response: pdpb.GetMembersResponse.make({ header }) };
      case "AllocID":
        this.ids += request.count;
        return {
          method,
          response: pdpb.AllocIDResponse.make({ header, id: this.ids, count: request.count }),
        };
      case "IsBootstrapped":
        return {
          method,
          response: pdpb.IsBootstrappedResponse.make({
            header,
            bootstrapped: this.bootstrapped !== undefined,
          }),
        };
      case "Bootstrap":
        return {
          method,
          response: pdpb.BootstrapResponse.make({ header: this.bootstrap(request.region) }),
        };
      case "GetRegion":
        return {
          method,
          response: pdpb.GetRegionResponse.make({ header, region: this.bootstrapped }),
        };
      case "GetRegionByID":
        return {
          method,
          response: pdpb.GetRegionResponse.make({
            header,
            region: this.newer.get(request.regionId) ?? this.regions.get(request.regionId)?.region,
          }),
        };
      case "PutStore":
        this.stores.set(request.store?.id ?? 0, 0);
        return { method, response: pdpb.PutStoreResponse.make({ header }) };
      case "RegionHeartbeat":
        return { method, response: this.heartbeat(request, header) };
      case "AskBatchSplit":
        return {
          method,
          response: pdpb.AskBatchSplitResponse.make({
            header,
            ids: Array.from({ length: request.splitCount }, () =>
              pdpb.SplitID.make({
                newRegionId: ++this.ids,
                newPeerIds: (request.region?.peers ?? []).map(() => ++this.ids),
              }),
            ),
          }),
        };
      default:
        return { method, response: { header } } as unknown as PdReply;
    }
  }

  private bootstrap(region: Region | undefined): pdpb.ResponseHeader {
    const { ALREADY_BOOTSTRAPPED } = pdpb.ErrorType;
    const error =
      this.bootstrapped === undefined ? undefined : pdpb.Error.make({ type: ALREADY_BOOTSTRAPPED });
    this.bootstrapped ??= region;
    return pdpb.ResponseHeader.make({ clusterId: CLUSTER, error });
  }

  private heartbeat(
    { region, leader, pendingPeers }: pdpb.RegionHeartbeatRequest,
    header: pdpb.ResponseHeader,
  ): pdpb.RegionHeartbeatResponse {
    const response = pdpb.RegionHeartbeatResponse.make({ header });
    if (region === undefined) return response;
    this.regions.set(region.id, { region, leader });
    const base = {
      ...response,
      regionId: region.id,
      regionEpoch: region.regionEpoch,
      targetPeer: leader,
    };
    const learner = region.peers.find(({ role }) => role === PeerRole.Learner);
    if (learner !== undefined) {
      if (pendingPeers.some(({ id }) => id === learner.id)) return base;
      return {
        ...base,
        changePeer: pdpb.ChangePeer.make({
          peer: { ...learner, role: PeerRole.Voter },
          changeType: ConfChangeType.AddNode,
        }),
      };
    }
    const free = [...this.stores.keys()].find((id) => region.peers.every((p) => p.storeId !== id));
    if (free === undefined) return base;
    const peer = Peer.make({ id: ++this.ids, storeId: free, role: PeerRole.Learner });
    return {
      ...base,
      changePeer: pdpb.ChangePeer.make({ peer, changeType: ConfChangeType.AddLearnerNode }),
    };
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

  /** Power loss: what was not synced is gone. */
  crash(node: Node): void {
    node.disk.crash("power", () => 0.5);
    node.state = undefined;
    node.inbox = [];
  }
}
