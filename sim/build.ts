/**
 * Makes a world: draws the settings of the seed, sets up servers with their disks and clocks, and
 * the clients of the scenario's workload.
 */
import type { Key } from "../engine/base/bytes.ts";
import type { PeerId, StoreId } from "../engine/base/ids.ts";
import type { Ports } from "../engine/client/ports.ts";
import { createWire } from "../engine/base/wire.ts";
import type { Member } from "../engine/placement/types.ts";
import { TableCache } from "../engine/storage/table/cache.ts";
import type { Client, Drain, Machine, PlacementMachine, StoreMachine, World } from "./model.ts";
import type { Scenario } from "./scenario.ts";
import type { Line } from "./trace/trace.ts";
import type { Inserts } from "./workloads/inserts.ts";
import type { Registers } from "./workloads/registers.ts";
import { checksOf } from "./checkers/checks.ts";
import { type Clock, clockOf } from "./clock/clock.ts";
import { placementConfig, storeConfig } from "./configs.ts";
import { decisionsOf, drawsOf, seededDraws } from "./decisions/decisions.ts";
import type { Chronicle } from "./debug/chronicle.ts";
import { type Schedule, WHOLE } from "./decisions/schedule.ts";
import type { Takes } from "./decisions/takes.ts";
import { SimulatedDisk } from "./disk/disk.ts";
import { diskLuckOf } from "./disk/luck.ts";
import { emptyQueue } from "./event-queue.ts";
import type { Recorder } from "./film/recorder.ts";
import { drawKnobs, drawProfile } from "./knobs.ts";
import { EVERYBODY } from "./liveness/core.ts";
import { networkOf } from "./network/network.ts";
import { nameOf } from "./names.ts";
import { lanesOf } from "./network/lanes.ts";
import { below, between, type Random } from "./random.ts";
import { traceOf } from "./trace/trace.ts";
import { asyncClient } from "./workloads/async-client.ts";
import { auditOf } from "./workloads/audit.ts";
import type { Audit } from "./workloads/audit.ts";
import { bankAudit } from "./workloads/bank-audit.ts";
import { type Bank, bankBorder, bankClient, bankOf } from "./workloads/bank.ts";
import { broomClient } from "./workloads/broom.ts";
import { collectorClient } from "./workloads/collector.ts";
import { graveClient } from "./workloads/graves.ts";
import { insertClient } from "./workloads/inserts.ts";
import { recordedAudit } from "./workloads/isolation/audit.ts";
import { recordedClient } from "./workloads/isolation/client.ts";
import { type Desk, deskBorder, deskOf } from "./workloads/isolation/desk.ts";
import { membershipClient } from "./workloads/membership.ts";
import { registerClient } from "./workloads/registers.ts";
import { rewinderClient } from "./workloads/rewinder.ts";
import { splitClient } from "./workloads/splitter.ts";
import { strayClient } from "./workloads/strays.ts";
import { timestampClient } from "./workloads/timestamps.ts";
import { transactionalSplitter } from "./workloads/transactional-splitter.ts";

export interface Options {
  /** Messages are passed on as they are, not as bytes: faster. */
  readonly byReference: boolean;
  /** Told each line of the story as it comes. */
  readonly onLine: ((line: Line) => void) | undefined;
  /** Called when nothing more happens, and the checks of what was seen begin. */
  readonly onChecks: (() => void) | undefined;
  /** Shown the world as it is at the end of the run. */
  readonly inspect: ((world: World) => void) | undefined;
  /** Keeps the hash after every event, for comparing runs. */
  readonly recorded: boolean;
  /** What is laid down and what is drawn; all is drawn by `WHOLE`. */
  readonly schedule: Schedule;
  /** The run is broken off at this virtual time. */
  readonly untilUs: number | undefined;
  /** Written to: what was decided. */
  readonly takes: Takes | undefined;
  /** Films the run. */
  readonly film: Recorder | undefined;
  /** Keeps every event of the run, and may hold it. */
  readonly chronicle: Chronicle | undefined;
  /** Counts abstract states (`search/novelty.ts`). */
  readonly novelty: boolean;
  /** Clients from outside, beside those of the workload. */
  readonly guests: readonly Guest[];
}

/** A client whose code is somebody else's. */
export interface Guest {
  readonly name: string;
  /** Called when the clients are started. */
  readonly live: (ports: Ports) => Promise<void>;
}

export const DEFAULT_OPTIONS: Options = {
  byReference: false,
  onLine: undefined,
  onChecks: undefined,
  inspect: undefined,
  recorded: false,
  schedule: WHOLE,
  untilUs: undefined,
  takes: undefined,
  film: undefined,
  chronicle: undefined,
  novelty: false,
  guests: [],
};

/** A world at time 0, and what the run needs of it later. */
export interface Built {
  readonly world: World;
  readonly inserts: Inserts;
  readonly audit: Audit;
}

export function build(scenario: Scenario, seed: string, drain: Drain, options: Options): Built {
  const { schedule, takes } = options;
  const decisions = decisionsOf(`${scenario.name}/${seed}`, schedule, takes);
  const knobs = drawKnobs(decisions, scenario, options.byReference);
  const profile = drawProfile(decisions, scenario);
  const nodes = knobs.stores + knobs.members + clientCount(scenario) + options.guests.length;
  const stores: StoreMachine[] = [];
  const members: PlacementMachine[] = [];
  const clients: Client[] = [];
  const world: World = {
    seed,
    knobs,
    decisions,
    queue: emptyQueue(),
    due: { time: 0, sequence: 0, event: { type: "action", name: "none", run: () => undefined } },
    timeUs: 0,
    events: 0,
    network: networkOf(
      nodes,
      profile,
      lanesOf(decisions, (node) => nameOf(world, node)),
    ),
    wire: createWire(),
    trace: traceOf(options.onLine, options.recorded),
    servers: [],
    stores,
    members,
    clients,
    watchers: [],
    heirWatchers: [],
    checks: checksOf(),
    marks: new Map(),
    novelty: options.novelty ? new Map() : undefined,
    nextCall: 1,
    nextOrder: 0,
    phase: "safety",
    leftOut: EVERYBODY,
    errands: 0,
    clientsActive: true,
    still: new Map(),
    stirred: false,
    drain,
    film: options.film,
    chronicle: options.chronicle,
  };
  for (let i = 0; i < knobs.stores; i++) stores.push(storeMachine(world, i));
  const all = Array.from({ length: knobs.members }, (_, i) => memberOf(i));
  for (let i = 0; i < knobs.members; i++) {
    members.push(placementMachine(world, knobs.stores + i, all, i));
  }
  (world.servers as Machine[]).push(...stores, ...members);
  const inserts: Inserts = {
    valueBytes: knobs.valueBytes,
    thinkUs: scenario.workload.thinkMs * 1000,
    acknowledged: new Map(),
    unknown: new Map(),
  };
  const bank = scenario.workload.bank > 0 ? bankOf(world) : undefined;
  const desk = scenario.workload.recorded > 0 ? deskOf(world) : undefined;
  addClients(world, scenario, inserts, bank, desk);
  for (const { name, live } of options.guests) {
    const node = world.servers.length + clients.length;
    clients.push(asyncClient(world, node, name, live));
  }
  return { world, inserts, audit: auditFor(world, nodes - 1, bank, desk) };
}

function auditFor(
  world: World,
  node: number,
  bank: Bank | undefined,
  desk: Desk | undefined,
): Audit {
  if (bank !== undefined) return bankAudit(world, node, bank);
  if (desk !== undefined) return recordedAudit(world, node, desk);
  return auditOf(world, node, seededDraws(world.decisions, "auditor"));
}

/** All clients of the workload, and the auditor. */
function clientCount({ workload }: Scenario): number {
  const single = (workload.splits > 0 ? 1 : 0) + (workload.replicaCounts.length > 0 ? 1 : 0);
  return (
    workload.registers +
    workload.inserts +
    workload.timestamps +
    workload.bank +
    workload.recorded +
    workload.collectors +
    workload.brooms +
    workload.graves +
    workload.strays +
    workload.rewinders +
    single +
    1
  );
}

function addClients(
  world: World,
  { workload }: Scenario,
  inserts: Inserts,
  bank: Bank | undefined,
  desk: Desk | undefined,
): void {
  const { knobs } = world;
  const clients = world.clients;
  const add = (make: (node: number, name: string) => Client): void => {
    clients.push(make(world.servers.length + clients.length, `client${clients.length + 1}`));
  };
  const thinkUs = workload.thinkMs * 1000;
  const registers: Registers = {
    slots: knobs.slots,
    mix: workload.mix,
    replicaReads: workload.replicaReads,
    valueBytes: knobs.valueBytes,
    thinkUs,
    used: Array.from({ length: knobs.slots }, () => 0),
  };
  for (let i = 0; i < workload.registers; i++) {
    add((node, name) => registerClient(world, node, name, registers));
  }
  for (let i = 0; i < workload.inserts; i++) {
    add((node, name) => insertClient(world, node, name, inserts));
  }
  for (let i = 0; i < workload.timestamps; i++) {
    add((node, name) => timestampClient(world, node, name, thinkUs));
  }
  if (bank !== undefined) {
    for (let i = 0; i < workload.bank; i++) {
      add((node, name) => bankClient(world, node, name, bank, thinkUs));
    }
  } else if (desk !== undefined) {
    for (let i = 0; i < workload.recorded; i++) {
      add((node, name) => recordedClient(node, name, desk, thinkUs));
    }
  }
  const border = borderOf(bank, desk);
  if (border !== undefined && workload.splits > 0) {
    add((node, name) => transactionalSplitter(world, node, name, workload.splits, border));
  } else if (workload.splits > 0) {
    const options = { slots: knobs.slots, most: workload.splits, thinkUs: 1_500_000 };
    add((node, name) => splitClient(world, node, name, options));
  }
  for (let i = 0; i < workload.collectors; i++) {
    add((node, name) => collectorClient(world, node, name, workload.lifeTimesMs));
  }
  for (let i = 0; i < workload.brooms; i++) {
    add((node, name) => broomClient(world, node, name));
  }
  for (let i = 0; i < workload.graves; i++) {
    add((node, name) => graveClient(world, node, name, thinkUs));
  }
  for (let i = 0; i < workload.rewinders; i++) {
    add((node, name) => rewinderClient(world, node, name, thinkUs));
  }
  if (border !== undefined) {
    for (let i = 0; i < workload.strays; i++) {
      add((node, name) => strayClient(world, node, name, border));
    }
  }
  if (workload.replicaCounts.length > 0) {
    const counts = workload.replicaCounts.filter((count) => count <= knobs.stores);
    const options = { counts, thinkUs: 3_000_000 };
    add((node, name) => membershipClient(world, node, name, options));
  }
}

/** Keys of the transactional workload, as a splitter wants them; undefined where there is none. */
function borderOf(
  bank: Bank | undefined,
  desk: Desk | undefined,
): ((random: Random) => Key) | undefined {
  if (bank !== undefined) return (random) => bankBorder(bank, random);
  return desk === undefined ? undefined : (random) => deskBorder(desk, random);
}

/** Even good clocks are a little off, and every machine has been up for a while. */
function clockFor(world: World, name: string): Clock {
  const random = drawsOf(world.decisions, `clock/${name}`);
  return clockOf(
    between(random, 1, 1_000_000_000),
    between(random, -50, 50),
    between(random, -100_000, 100_000),
  );
}

/** Here and below field by field: machines of one kind then have one shape in every run. */
function storeMachine(world: World, i: number): StoreMachine {
  const name = `store ${i + 1}`;
  const disk = new SimulatedDisk();
  return {
    kind: "store",
    node: i,
    name,
    clock: clockFor(world, name),
    disk,
    diskLuck: diskLuckOf(world.decisions, name),
    status: "down",
    trap: undefined,
    losses: [],
    tickMs: world.knobs.tickMs,
    incarnation: 0,
    starts: 0,
    turnDue: false,
    busyUntilUs: 0,
    nextTicket: 1,
    serving: new Map(),
    tables: new TableCache(disk, 0),
    watched: new TableCache(disk.observer(), 0),
    jobs: new Map(),
    id: 0 as StoreId,
    config: storeConfig(world.knobs, i, seedOf(world, name)),
    state: undefined,
    inbox: [],
    leader: i,
    seen: new Map(),
    seenReplicas: undefined,
  };
}

function placementMachine(
  world: World,
  node: number,
  members: readonly Member[],
  i: number,
): PlacementMachine {
  const name = `pd ${i + 1}`;
  return {
    kind: "placement",
    node,
    name,
    clock: clockFor(world, name),
    disk: new SimulatedDisk(),
    diskLuck: diskLuckOf(world.decisions, name),
    status: "down",
    trap: undefined,
    losses: [],
    tickMs: world.knobs.tickMs,
    incarnation: 0,
    starts: 0,
    turnDue: false,
    busyUntilUs: 0,
    nextTicket: 1,
    serving: new Map(),
    id: (i + 1) as PeerId,
    config: placementConfig(world.knobs, members, i, seedOf(world, name)),
    state: undefined,
    inbox: [],
  };
}

const memberOf = (i: number): Member => ({
  id: (i + 1) as PeerId,
  name: `pd${i + 1}`,
  peerUrls: [`http://pd${i + 1}:2380`],
  clientUrls: [`http://pd${i + 1}:2379`],
});

const seedOf = (world: World, name: string): number =>
  below(seededDraws(world.decisions, `engine/${name}`), 0x7fffffff);
