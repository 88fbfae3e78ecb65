/**
 * Five machines that ask each other and answer, on the simulator's network, queue and trace. A
 * message goes the way of one between stores (`sim/transport.ts`, `sim/world.ts`): encoded, its
 * fate drawn from the decisions of its lane, queued, mixed into the trace when it arrives, decoded,
 * put into an inbox, and handled in a turn of the machine, which is an event of its own.
 */
import { expectBytes, expectCount, expectTuple } from "../../engine/base/wire.ts";
import { createWire, type Wire } from "../../engine/base/wire.ts";
import { decisionsOf } from "../../sim/decisions/decisions.ts";
import { type Due, emptyQueue, type EventQueue } from "../../sim/event-queue.ts";
import { schedule, takeNext } from "../../sim/event-queue.ts";
import { lanesOf, type MessageType, messageType } from "../../sim/network/lanes.ts";
import { CALM, type Network, networkOf, transmit } from "../../sim/network/network.ts";
import { freshHash, type Hash, mix, mixBytes, mixNumber } from "../../sim/trace/hash.ts";
import { type Load, MAX_LATENCY_US, MIN_LATENCY_US, NODES } from "./load.ts";

/** `asks`: whether it is a request; an answer carries the number and payload of its request. */
interface Message {
  readonly asks: boolean;
  readonly number: number;
  readonly payload: Uint8Array;
}

type Payload = Uint8Array | Message;

type Event =
  | { readonly type: "message"; readonly from: number; readonly to: Machine; payload: Payload }
  | { readonly type: "turn"; readonly machine: Machine };

/** Mutable. */
interface Machine {
  readonly node: number;
  readonly payload: Uint8Array;
  inbox: { readonly from: number; readonly message: Message }[];
  turnDue: boolean;
  /** Whom the last request went to. */
  last: number;
  requests: number;
  answers: number;
}

/** Mutable. */
export interface Cluster {
  readonly byReference: boolean;
  readonly network: Network;
  readonly queue: EventQueue<Event>;
  readonly due: Due<Event | undefined>;
  readonly wire: Wire;
  readonly hash: Hash;
  readonly machines: readonly Machine[];
  readonly request: MessageType;
  readonly answer: MessageType;
  timeUs: number;
  delivered: number;
}

/** The cluster with every machine's first requests on their way. */
export function clusterOf(load: Load, byReference: boolean): Cluster {
  const latency = { type: "uniform", lowUs: MIN_LATENCY_US, highUs: MAX_LATENCY_US } as const;
  const profile = { ...CALM, latency, ordered: false };
  const lanes = lanesOf(decisionsOf(`network/${load.seed}`), (node) => `node ${node + 1}`);
  const cluster: Cluster = {
    byReference,
    network: networkOf(NODES, profile, lanes),
    queue: emptyQueue(),
    due: { time: 0, sequence: 0, event: undefined },
    wire: createWire(),
    hash: freshHash(),
    machines: Array.from({ length: NODES }, (_, node) => machineOf(node, load.payload)),
    request: messageType(lanes, "message", "request"),
    answer: messageType(lanes, "message", "answer"),
    timeUs: 0,
    delivered: 0,
  };
  for (const machine of cluster.machines) {
    for (let i = 0; i < load.window; i += 1) ask(cluster, machine);
  }
  return cluster;
}

const machineOf = (node: number, bytes: number): Machine => ({
  node,
  payload: new Uint8Array(bytes).fill(node),
  inbox: [],
  turnDue: false,
  last: node,
  requests: 0,
  answers: 0,
});

/** Runs until so many messages have been delivered since the beginning. */
export function deliver(cluster: Cluster, messages: number): void {
  const { queue, hash } = cluster;
  const due = cluster.due as Due<Event>;
  while (cluster.delivered < messages) {
    takeNext(queue, due);
    cluster.timeUs = due.time;
    mixNumber(hash, due.time);
    const { event } = due;
    if (event.type === "message") receive(cluster, event.from, event.to, event.payload);
    else turn(cluster, event.machine);
  }
}

function receive(cluster: Cluster, from: number, machine: Machine, payload: Payload): void {
  cluster.delivered += 1;
  mix(cluster.hash, (machine.node << 4) | 1);
  if (payload instanceof Uint8Array) mixBytes(cluster.hash, payload);
  machine.inbox.push({ from, message: decoded(cluster, payload) });
  if (machine.turnDue) return;
  machine.turnDue = true;
  schedule(cluster.queue, cluster.timeUs, { type: "turn", machine });
}

function turn(cluster: Cluster, machine: Machine): void {
  mix(cluster.hash, (machine.node << 4) | 3);
  const { inbox } = machine;
  machine.inbox = [];
  machine.turnDue = false;
  for (const { from, message } of inbox) {
    if (message.asks) {
      const { number, payload } = message;
      send(cluster, machine, from, { asks: false, number, payload });
    } else {
      machine.answers += 1;
      ask(cluster, machine);
    }
  }
}

/** The next request goes to the machine behind the one that the last went to. */
function ask(cluster: Cluster, machine: Machine): void {
  const next = (machine.last + 1) % NODES;
  machine.last = next === machine.node ? (next + 1) % NODES : next;
  machine.requests += 1;
  const { requests: number, payload } = machine;
  send(cluster, machine, machine.last, { asks: true, number, payload });
}

function send(cluster: Cluster, machine: Machine, node: number, message: Message): void {
  const { network, queue, timeUs } = cluster;
  const { node: from } = machine;
  const to = cluster.machines[node] as Machine;
  const payload = cluster.byReference ? message : encoded(cluster.wire, message);
  const bytes = payload instanceof Uint8Array ? payload.length : message.payload.length;
  const type = message.asks ? cluster.request : cluster.answer;
  const copies = transmit(network, timeUs, { from, to: node, type, bytes, once: false });
  for (const time of copies) schedule(queue, time, { type: "message", from, to, payload });
}

const encoded = (wire: Wire, { asks, number, payload }: Message): Uint8Array =>
  wire.encode([asks ? 1 : 0, number, payload]);

function decoded({ wire }: Cluster, payload: Payload): Message {
  if (!(payload instanceof Uint8Array)) return payload;
  const read = wire.decodeWith(payload, messageFrom);
  if (!read.ok) throw new Error(read.reason);
  return read.value;
}

function messageFrom(value: unknown): Message {
  const [asks, number, payload] = expectTuple(value, 3, "message");
  return {
    asks: expectCount(asks, "kind") === 1,
    number: expectCount(number, "number"),
    payload: expectBytes(payload, "payload"),
  };
}
