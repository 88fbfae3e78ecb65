/**
 * A whole placement driver in memory, for the tests of this room: members with the real Raft and
 * storage over simulated disks, a network through the codec, clocks that can be set, crashes.
 */
import { assert } from "../../engine/base/assert.ts";
import { PeerId, Ticket } from "../../engine/base/ids.ts";
import type { Now } from "../../engine/base/time.ts";
import { createWire } from "../../engine/base/wire.ts";
import {
  DEFAULT_CONFIG,
  TICK_MS,
  decodeMessage,
  describeEffect,
  describeInput,
  encodeMessage,
  isLeader,
  open,
  step,
} from "../../engine/placement/index.ts";
import type {
  AdminOrder,
  Member,
  PlacementCall,
  PlacementConfig,
  PlacementEffect,
  PlacementInput,
  PlacementReply,
  PlacementState,
} from "../../engine/placement/index.ts";
import { RegionHeartbeatRequest } from "../../engine/protocol/gen/pdpb.ts";
import type { RegionHeartbeatResponse } from "../../engine/protocol/gen/pdpb.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import type { Crash } from "../../sim/disk/disk.ts";
import { regionOf, storeOf, voter } from "./region-kit.ts";

export type Answer = Extract<PlacementEffect, { type: "reply" | "refuse" | "admin_done" }>;
type Method = PlacementCall["method"];
type RequestOf<M extends Method> = Extract<PlacementCall, { method: M }>["request"];
export type ResponseOf<M extends Method> = Extract<PlacementReply, { method: M }>["response"];

interface Node {
  readonly id: PeerId;
  readonly disk: SimulatedDisk;
  state: PlacementState | undefined;
  inputs: PlacementInput[];
  /** What its wall clock is off by. */
  wallOffsetMs: number;
  /** Its disk or its whole process stands still until then. */
  pausedUntilMs: number;
  life: number;
}

interface Flight {
  readonly at: number;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly bytes: Uint8Array;
}

const START_WALL_MS = 1_700_000_000_000;
const SLICE_MS = 5;

export class Cluster {
  readonly nodes: readonly Node[];
  readonly answers: Map<number, Answer> = new Map();
  readonly logs: string[] = [];
  /** Where it is set, a line for every input and effect of every member. */
  transcript: string[] | undefined;
  nowMs = 1_000;
  /** Members that hear nothing and are not heard. */
  readonly isolated: Set<number> = new Set();
  #flights: Flight[] = [];
  #random: () => number;
  readonly #wire = createWire();
  #ticket = 0;
  readonly #changes: Partial<PlacementConfig>;

  constructor(size: number, seed: number, changes: Partial<PlacementConfig> = {}) {
    this.#random = generator(seed);
    this.#changes = changes;
    this.nodes = Array.from({ length: size }, (_, i) => ({
      id: PeerId(i + 1),
      disk: new SimulatedDisk(),
      state: undefined,
      inputs: [],
      wallOffsetMs: 0,
      pausedUntilMs: 0,
      life: 0,
    }));
    for (const node of this.nodes) this.start(node.id);
  }

  random(below: number): number {
    return Math.floor(this.#random() * below);
  }

  node(id: number): Node {
    const node = this.nodes[id - 1];
    assert(node !== undefined, `there is no member ${id}`);
    return node;
  }

  stateOf(id: number): PlacementState {
    const { state } = this.node(id);
    assert(state !== undefined, `member ${id} is down`);
    return state;
  }

  config(id: number): PlacementConfig {
    const members: readonly Member[] = this.nodes.map((node) => ({
      id: node.id,
      name: `pd-${node.id}`,
      peerUrls: [`http://pd-${node.id}:2380`],
      clientUrls: [`http://pd-${node.id}:2379`],
    }));
    const seed = id * 1_000 + this.node(id).life;
    return {
      ...DEFAULT_CONFIG,
      members,
      id: PeerId(id),
      seed,
      clusterIdSeed: BigInt(id),
      ...this.#changes,
    };
  }

  clock(node: Node): Now {
    const wallMs = START_WALL_MS + this.nowMs + node.wallOffsetMs;
    // No two machines have the same origin of their monotonic clock.
    return { monotonicMs: this.nowMs + node.id * 7_777, wallMs };
  }

  start(id: number): void {
    const node = this.node(id);
    node.life += 1;
    const opened = open(node.disk, this.config(id), this.clock(node));
    if (!opened.ok) throw new Error(`${opened.file}: ${opened.detail}`);
    node.state = opened.state;
    this.#take(node, opened.effects);
  }

  crash(id: number, kind: Crash = "power"): void {
    const node = this.node(id);
    if (!node.disk.busy) node.disk.start(this.#random);
    node.disk.crash(kind, this.#random);
    node.state = undefined;
    node.inputs = [];
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += SLICE_MS;
      this.#deliver();
      for (const node of this.nodes) this.#turn(node);
    }
  }

  /** Lets time pass until `done`, at most `ms`. */
  until(done: () => boolean, ms = 20_000): void {
    const end = this.nowMs + ms;
    while (!done()) {
      assert(this.nowMs < end, "what was waited for did not come");
      this.run(SLICE_MS);
    }
  }

  /** The member that leads and can act as a leader; waits for one. */
  leader(): number {
    const acting = (): Node | undefined =>
      this.nodes.find(
        ({ id, state }) =>
          state !== undefined &&
          !this.isolated.has(id) &&
          isLeader(state) &&
          state.leadership?.ready === true &&
          state.catalog.clusterId !== undefined,
      );
    this.until(() => acting() !== undefined);
    return acting()!.id;
  }

  send<M extends Method>(id: number, method: M, request: RequestOf<M>): number {
    this.#ticket += 1;
    const ticket = Ticket(this.#ticket);
    const call = { method, request } as PlacementCall;
    this.node(id).inputs.push({ type: "request", ticket, call });
    return ticket;
  }

  order(id: number, order: AdminOrder): Answer {
    this.#ticket += 1;
    const ticket = Ticket(this.#ticket);
    this.node(id).inputs.push({ type: "admin", ticket, order });
    this.until(() => this.answers.has(ticket));
    return this.answers.get(ticket)!;
  }

  /** The answer of member `id`. */
  ask<M extends Method>(id: number, method: M, request: RequestOf<M>): Answer {
    const ticket = this.send(id, method, request);
    this.until(() => this.answers.has(ticket));
    return this.answers.get(ticket)!;
  }

  /** The leader's reply. Asks the next leader where leadership is lost meanwhile, as clients do. */
  call<M extends Method>(method: M, request: Omit<RequestOf<M>, "header">): ResponseOf<M> {
    for (let tries = 0; ; tries++) {
      const whole = { ...request, header: this.header() } as unknown as RequestOf<M>;
      const answer = this.ask(this.leader(), method, whole);
      if (answer.type === "reply") return answer.reply.response as ResponseOf<M>;
      const moved = answer.type === "refuse" && answer.message.includes("not leader");
      assert(moved && tries < 20, () => `${method}: ${JSON.stringify(answer)}`);
      this.run(100);
    }
  }

  header(): { clusterId: bigint; senderId: number; callerId: string; callerComponent: string } {
    const { clusterId } = this.stateOf(this.leader()).catalog;
    return { clusterId: clusterId ?? 0n, senderId: 0, callerId: "", callerComponent: "" };
  }

  #deliver(): void {
    const due = this.#flights.filter(({ at }) => at <= this.nowMs);
    this.#flights = this.#flights.filter(({ at }) => at > this.nowMs);
    for (const { from, to, bytes } of due) {
      if (this.isolated.has(from) || this.isolated.has(to)) continue;
      const decoded = decodeMessage(bytes, this.#wire);
      assert(decoded.ok, "what was encoded can be decoded");
      const node = this.node(to);
      if (node.state !== undefined) {
        node.inputs.push({ type: "received", from, message: decoded.value });
      }
    }
  }

  #turn(node: Node): void {
    if (node.state === undefined || this.nowMs < node.pausedUntilMs) return;
    if (node.disk.busy) node.inputs.push(node.disk.finish(this.#random));
    if (this.nowMs % TICK_MS === 0) node.inputs.push({ type: "tick" });
    if (node.inputs.length > 0) {
      const { inputs } = node;
      node.inputs = [];
      for (const input of inputs) this.transcript?.push(`${node.id} > ${describeInput(input)}`);
      const { state, effects } = step(node.state, this.clock(node), inputs);
      node.state = state;
      this.#take(node, effects);
    }
    if (!node.disk.busy) node.disk.start(this.#random);
  }

  #take(node: Node, effects: readonly PlacementEffect[]): void {
    for (const effect of effects) {
      this.transcript?.push(`${node.id} < ${describeEffect(effect)}`);
      switch (effect.type) {
        case "write":
          node.disk.submit(effect);
          break;
        case "send": {
          const at = this.nowMs + 1 + this.random(3) * SLICE_MS;
          const bytes = encodeMessage(effect.message, this.#wire);
          this.#flights.push({ at, from: node.id, to: effect.to, bytes });
          break;
        }
        case "reply":
        case "refuse":
        case "admin_done":
          assert(!this.answers.has(effect.ticket), "a request is answered once");
          this.answers.set(effect.ticket, effect);
          break;
        case "log":
          this.logs.push(`${node.id} ${effect.message}`);
          break;
        case "stop":
          node.state = undefined;
          node.inputs = [];
          this.logs.push(`${node.id} ${effect.reason}`);
          return;
      }
    }
  }
}

/** A driver of `size` members with store 1 and region 2, whose one peer is 3. */
export function bootstrapped(size = 1, seed = 1, changes: Partial<PlacementConfig> = {}): Cluster {
  const cluster = new Cluster(size, seed, changes);
  const { id } = cluster.call("AllocID", { count: 3 });
  assert(id === 3, "ids count from 1");
  const region = regionOf({ id: 2, peers: [voter(3, 1)] });
  const { header } = cluster.call("Bootstrap", { store: storeOf(1), region });
  assert(header?.error === undefined, "a fresh cluster can be bootstrapped");
  return cluster;
}

/** The region's leader, by default its first peer, reports. */
export function heartbeat(
  cluster: Cluster,
  report: Partial<RegionHeartbeatRequest>,
): RegionHeartbeatResponse {
  const leader = report.leader ?? report.region?.peers[0];
  const request = RegionHeartbeatRequest.make({ term: 6, ...report, leader });
  return cluster.call("RegionHeartbeat", request);
}

/** A small generator: the tests must not depend on the one under test. */
function generator(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
