import fc from "fast-check";
import * as assert from "uvu/assert";
import { createWire } from "../../engine/base/wire.ts";
import { catalogOf, isLeader, regions } from "../../engine/placement/index.ts";
import { encodeCatalog } from "../../engine/placement/catalog/command-codec.ts";
import { LOGICAL_END } from "../../engine/placement/oracle.ts";
import { RequestHeader } from "../../engine/protocol/gen/pdpb.ts";
import { suite } from "../harness.ts";
import { bootstrapped, Cluster, heartbeat } from "./cluster.ts";
import { key, regionOf, storeOf, voter } from "./region-kit.ts";

const test = suite("placement/failover");

const wire = createWire();
const MEMBERS = [1, 2, 3];

/** The timestamp as one number; exact in a bigint. */
const whole = (physical: number, logical: number): bigint =>
  BigInt(physical) * BigInt(LOGICAL_END) + BigInt(logical);

interface Asked {
  readonly ticket: number;
  readonly count: number;
  /** The largest timestamp known to be granted when this was asked for. */
  readonly above: bigint;
}

/** Clients that ask any member for timestamps and ids, and check what they get. */
class Clients {
  readonly cluster: Cluster;
  #clusterId: bigint;
  #asked: Asked[] = [];
  #idsAsked: number[] = [];
  #largest = 0n;
  readonly granted: { first: bigint; last: bigint }[] = [];
  readonly ids: { first: number; last: number }[] = [];

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.#clusterId = cluster.header().clusterId;
  }

  ask(): void {
    const { cluster } = this;
    const header = { clusterId: this.#clusterId, senderId: 0, callerId: "", callerComponent: "" };
    for (const id of MEMBERS) {
      if (cluster.node(id).state === undefined) continue;
      const count = 1 + cluster.random(cluster.random(10) === 0 ? LOGICAL_END - 1 : 50);
      const ticket = cluster.send(id, "Tso", { header, count, dcLocation: "" });
      this.#asked.push({ ticket, count, above: this.#largest });
      if (cluster.random(4) > 0) continue;
      this.#idsAsked.push(cluster.send(id, "AllocID", { header, count: 1 + cluster.random(700) }));
    }
  }

  collect(): void {
    const { answers } = this.cluster;
    const done = this.#asked.filter(({ ticket }) => answers.has(ticket));
    this.#asked = this.#asked.filter(({ ticket }) => !answers.has(ticket));
    for (const { ticket, count, above } of done) {
      const answer = answers.get(ticket)!;
      if (answer.type !== "reply" || answer.reply.method !== "Tso") continue;
      const { timestamp, count: given } = answer.reply.response;
      assert.is(given, count);
      const last = whole(timestamp!.physical, timestamp!.logical);
      const first = last - BigInt(count) + 1n;
      assert.ok(timestamp!.logical < LOGICAL_END && timestamp!.logical >= count - 1);
      assert.ok(first > above, `${first} was granted after ${above}`);
      this.granted.push({ first, last });
      if (last > this.#largest) this.#largest = last;
    }
    for (const ticket of this.#idsAsked) {
      const answer = answers.get(ticket);
      if (answer?.type !== "reply" || answer.reply.method !== "AllocID") continue;
      const { id, count } = answer.reply.response;
      this.ids.push({ first: id - count + 1, last: id });
    }
    this.#idsAsked = this.#idsAsked.filter((ticket) => !answers.has(ticket));
  }

  /** No two grants share a timestamp, no two an id. */
  check(): void {
    disjoint(this.granted);
    disjoint(this.ids);
  }
}

function disjoint<T extends number | bigint>(runs: readonly { first: T; last: T }[]): void {
  const ordered = [...runs].sort((a, b) => (a.first < b.first ? -1 : 1));
  for (const [i, run] of ordered.entries()) {
    const next = ordered[i + 1];
    if (next !== undefined) assert.ok(run.last < next.first, `${run.last} is granted twice`);
  }
}

type Fault = { readonly type: string; readonly member: number; readonly ms: number };

const anyFault: fc.Arbitrary<Fault> = fc.record({
  type: fc.constantFrom(
    "crash",
    "kill",
    "start",
    "isolate",
    "heal",
    "step",
    "pause",
    "transfer",
    "pass",
  ),
  member: fc.constantFrom(...MEMBERS),
  ms: fc.integer({ min: -2_000_000, max: 2_000_000 }),
});

function inflict(cluster: Cluster, { type, member, ms }: Fault): void {
  const node = cluster.node(member);
  switch (type) {
    case "crash":
    case "kill":
      if (node.state !== undefined) cluster.crash(member, type === "crash" ? "power" : "process");
      break;
    case "start":
      for (const id of MEMBERS) if (cluster.node(id).state === undefined) cluster.start(id);
      break;
    case "isolate":
      cluster.isolated.add(member);
      break;
    case "heal":
      cluster.isolated.clear();
      break;
    case "step":
      node.wallOffsetMs += ms;
      break;
    case "pause":
      node.pausedUntilMs = cluster.nowMs + (Math.abs(ms) % 4_000);
      break;
    case "transfer": {
      const leading = cluster.nodes.find(({ state }) => state !== undefined && isLeader(state));
      const to = node.id;
      leading?.inputs.push({
        type: "admin",
        ticket: (1_000_000 + cluster.nowMs) as never,
        order: { type: "transfer_leadership", to },
      });
      break;
    }
    default:
      break;
  }
}

function recover(cluster: Cluster): void {
  cluster.isolated.clear();
  for (const node of cluster.nodes) {
    node.pausedUntilMs = 0;
    if (node.state === undefined) cluster.start(node.id);
  }
}

test("timestamps rise in real time and ids never repeat, through crashes, cuts, pauses and clocks", () => {
  const property = fc.property(
    fc.integer({ min: 0, max: 0xffff }),
    fc.array(anyFault, { minLength: 4, maxLength: 25 }),
    (seed, faults) => {
      const cluster = bootstrapped(3, seed, { checkpointEntries: 6, idBatch: 50 });
      const clients = new Clients(cluster);
      for (const fault of faults) {
        inflict(cluster, fault);
        for (let i = 0; i < 8; i++) {
          clients.ask();
          cluster.run(10 + cluster.random(12) * 5);
          clients.collect();
        }
      }
      recover(cluster);
      cluster.leader();
      const before = clients.granted.length;
      cluster.until(() => {
        clients.ask();
        cluster.run(50);
        clients.collect();
        return clients.granted.length > before;
      });
      clients.check();
    },
  );
  fc.assert(property, { includeErrorInReport: true, numRuns: 25 });
});

test("a leader that is cut off grants nothing once another may lead", () => {
  const cluster = bootstrapped(3, 5);
  const old = cluster.leader();
  const header = cluster.header();
  cluster.isolated.add(old);
  cluster.run(900);
  const ticket = cluster.send(old, "Tso", { header, count: 1, dcLocation: "" });
  cluster.until(() => cluster.answers.has(ticket));
  assert.is(cluster.answers.get(ticket)?.type, "refuse");
  assert.is.not(cluster.leader(), old);
});

test("a paused leader that wakes up does not answer from what it remembers", () => {
  const cluster = bootstrapped(3, 6);
  const old = cluster.leader();
  const request = { header: cluster.header(), count: 1, dcLocation: "" };
  cluster.node(old).pausedUntilMs = cluster.nowMs + 6_000;
  cluster.until(() => MEMBERS.some((id) => id !== old && isLeader(cluster.stateOf(id))));
  cluster.run(3_000);
  const next = MEMBERS.find((id) => id !== old && isLeader(cluster.stateOf(id)))!;
  const granted = cluster.ask(next, "Tso", request);
  assert.is(granted.type, "reply");
  const late = cluster.send(old, "Tso", request);
  cluster.until(() => cluster.answers.has(late));
  assert.is(cluster.answers.get(late)?.type, "refuse");
});

test("a successor with a clock far behind goes on where the first grant of its predecessor ended", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const cluster = new Cluster(3, seed);
    cluster.leader();
    for (const id of MEMBERS) cluster.crash(id);
    for (const id of MEMBERS) cluster.start(id);
    const leads = (id: number): boolean => isLeader(cluster.stateOf(id));
    cluster.until(() => MEMBERS.some(leads));
    const ahead = MEMBERS.find(leads)!;
    cluster.node(ahead).wallOffsetMs = 1_000_000;
    let granted = askUntilGranted(cluster, ahead);
    // In this very moment the others have not heard that the window is committed.
    cluster.isolated.add(ahead);
    cluster.crash(ahead);
    for (let i = 0; i < 3; i++) {
      const next = askUntilGranted(cluster, cluster.leader());
      assert.ok(next > granted, `${next} was granted after ${granted}`);
      granted = next;
    }
  }
});

/** The first timestamp that the member grants, asked for as often as it takes. */
function askUntilGranted(cluster: Cluster, member: number): bigint {
  const tickets: number[] = [];
  let granted: bigint | undefined;
  cluster.until(() => {
    const { clusterId } = cluster.stateOf(member).catalog;
    for (const ticket of tickets) {
      const answer = cluster.answers.get(ticket);
      if (answer?.type !== "reply" || answer.reply.method !== "Tso") continue;
      const { physical, logical } = answer.reply.response.timestamp!;
      granted = whole(physical, logical);
    }
    if (granted !== undefined) return true;
    const header = RequestHeader.make({ clusterId: clusterId ?? 0n });
    if (clusterId !== undefined) {
      tickets.push(cluster.send(member, "Tso", { header, count: 1, dcLocation: "" }));
    }
    return false;
  });
  return granted!;
}

test("what was acknowledged survives the loss of all power at once", () => {
  const property = fc.property(
    fc.integer({ min: 0, max: 0xffff }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 6 }),
    (seed, rounds) => {
      const cluster = bootstrapped(3, seed, { checkpointEntries: 7 });
      const stores = new Map<number, number>();
      let store = 1;
      for (const length of rounds) {
        const leader = cluster.leader();
        const header = cluster.header();
        for (let i = 0; i < length; i++) {
          store += 1;
          stores.set(cluster.send(leader, "PutStore", { header, store: storeOf(store) }), store);
          cluster.run(5);
        }
        for (const id of MEMBERS) cluster.crash(id);
        for (const id of MEMBERS) cluster.start(id);
        const { stores: kept } = cluster.call("GetAllStores", { excludeTombstoneStores: false });
        const ids = new Set(kept.map(({ id }) => id));
        for (const [ticket, id] of stores) {
          if (cluster.answers.get(ticket)?.type === "reply") assert.ok(ids.has(id));
        }
      }
    },
  );
  fc.assert(property, { includeErrorInReport: true, numRuns: 20 });
});

test("a cluster is bootstrapped once, however many try and whoever leads", () => {
  const property = fc.property(fc.integer({ min: 0, max: 0xffff }), (seed) => {
    const cluster = new Cluster(3, seed);
    const header = cluster.header();
    const tried: { ticket: number; store: number }[] = [];
    for (let store = 1; store <= 20; store++) {
      const region = regionOf({ id: 100 + store, peers: [voter(200 + store, store)] });
      const member = 1 + cluster.random(3);
      if (cluster.node(member).state === undefined) continue;
      const request = { header, store: storeOf(store), region };
      tried.push({ ticket: cluster.send(member, "Bootstrap", request), store });
      cluster.run(cluster.random(4) * 5);
      if (store === 5 || store === 12) cluster.crash(1 + cluster.random(3));
      if (store === 10 || store === 15) recover(cluster);
    }
    recover(cluster);
    cluster.leader();
    cluster.run(3_000);
    const won = tried.filter(({ ticket }) => {
      const answer = cluster.answers.get(ticket);
      if (answer?.type !== "reply" || answer.reply.method !== "Bootstrap") return false;
      return answer.reply.response.header?.error === undefined;
    });
    assert.ok(won.length <= 1);
    const stores = cluster
      .call("GetAllStores", { excludeTombstoneStores: false })
      .stores.map(({ id }) => id);
    assert.ok(stores.length <= 1);
    if (won.length === 1) assert.equal(stores, [won[0]!.store]);
  });
  fc.assert(property, { includeErrorInReport: true, numRuns: 15 });
});

test("a new leader knows every region that was split before, without having heard of it", () => {
  const cluster = bootstrapped(3, 8);
  const old = cluster.leader();
  heartbeat(cluster, { region: regionOf({ id: 2, end: "m", version: 2, peers: [voter(3, 1)] }) });
  heartbeat(cluster, {
    region: regionOf({ id: 4, start: "m", version: 2, peers: [voter(5, 1)] }),
  });
  cluster.run(500);
  cluster.crash(old);
  const found = cluster.call("GetRegion", { regionKey: key("x"), needBuckets: false });
  assert.is(found.region?.id, 4);
  assert.is(found.leader, undefined);
});

test("who lags too far behind is brought up by a snapshot, and survives a crash after it", () => {
  const cluster = bootstrapped(3, 9, { checkpointEntries: 5 });
  const lagging = (cluster.leader() % 3) + 1;
  cluster.crash(lagging);
  for (let store = 2; store < 40; store++) cluster.call("PutStore", { store: storeOf(store) });
  cluster.run(1_000);
  cluster.start(lagging);
  const caughtUp = (): boolean => catalogOf(cluster.stateOf(lagging)).stores.length === 39;
  cluster.until(caughtUp);
  cluster.crash(lagging);
  cluster.start(lagging);
  cluster.until(caughtUp);
});

test("a call in flight when leadership is lost is refused, and nobody waits for ever", () => {
  const cluster = bootstrapped(3, 10);
  const old = cluster.leader();
  const header = cluster.header();
  cluster.isolated.add(old);
  const tickets = [
    cluster.send(old, "PutStore", { header, store: storeOf(7) }),
    cluster.send(old, "AllocID", { header, count: 5_000 }),
  ];
  cluster.run(4_000);
  for (const ticket of tickets) {
    const answer = cluster.answers.get(ticket);
    assert.ok(answer?.type === "refuse" && answer.code === 14);
  }
});

test("members agree on the catalog wherever they have applied as much, and after losing all power", () => {
  const cluster = bootstrapped(3, 11, { checkpointEntries: 4 });
  for (let store = 2; store < 30; store++) {
    cluster.call("PutStore", { store: storeOf(store) });
    if (store % 9 !== 0) continue;
    for (const id of MEMBERS) cluster.crash(id);
    for (const id of MEMBERS) cluster.start(id);
  }
  cluster.run(2_000);
  const states = MEMBERS.map((id) => cluster.stateOf(id));
  for (const state of states) {
    assert.is(state.catalog.stores.length, 29);
    for (const other of states) {
      if (other.applied.index !== state.applied.index) continue;
      assert.equal(encodeCatalog(state.catalog, wire), encodeCatalog(other.catalog, wire));
    }
    assert.is(regions(state).length, 1);
  }
});

test.run();
