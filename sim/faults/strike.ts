/**
 * What each fault does when it strikes. Every strike says in words what it did; one that has to be
 * taken back says how.
 */
import type { Among, Fault, TimedFault } from "../scenario.ts";
import type { Machine, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./nemesis.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, pause, resume, startLater } from "../machines/process.ts";
import { clog, cut, mend } from "../network/network.ts";
import { drawCut, drawLinks } from "../network/topology.ts";
import { below, between, chance, pick, sample } from "../random.ts";
import { seconds } from "../trace/trace.ts";
import { betray } from "./ambush.ts";
import { disturbClock } from "./clocks.ts";
import { disturbDisk } from "./disks.ts";
import { drainStore, transferLeader } from "./orders.ts";
import { damageTable } from "./rot.ts";
import { drawHold, drawTransactionalHold, holdText } from "./holds.ts";

/** Performs one strike of `fault`; undefined where there was nothing to strike. */
export function strike(
  world: World,
  fault: TimedFault,
  lastsUs: number,
  random: Random,
): Struck | undefined {
  switch (fault.type) {
    case "partition":
    case "links":
      return partition(world, fault, lastsUs, random);
    case "clog":
      return clogLinks(world, fault.among, lastsUs, random);
    case "hold":
    case "hold_transactions":
      return hold(world, fault.type, lastsUs, random);
    case "crash":
      return crashOne(world, fault.of, fault.power, lastsUs, random);
    case "blackout":
      return blackout(world, lastsUs, random);
    case "betray":
      return betray(world, lastsUs, random);
    case "pause":
      return pauseOne(world, fault.of, lastsUs, random);
    case "pause_client":
      return pauseClient(world, lastsUs, random);
    case "transfer_leader":
      return transferLeader(world, random);
    case "drain_store":
      return drainStore(world, lastsUs, random);
    case "clock_drift":
    case "clock_step":
    case "clock_freeze":
      return disturbClock(world, fault.type, lastsUs, random);
    case "slow_disk":
    case "sticking_disk":
    case "failing_disk":
    case "full_disk":
      return disturbDisk(world, fault, lastsUs, random);
    case "damage":
      return damageTable(world, fault.kinds, random);
    default:
      return unreachable(fault);
  }
}

/** The nodes that a fault is about, by their numbers in the network. */
function nodesOf(world: World, among: Among): readonly number[] {
  const servers = machinesOf(world, among).map(({ node }) => node);
  return among === "everyone" ? [...servers, ...world.clients.map(({ node }) => node)] : servers;
}

function machinesOf(world: World, among: Among): readonly Machine[] {
  switch (among) {
    case "stores":
      return world.stores;
    case "members":
      return world.members;
    case "servers":
    case "everyone":
      return world.servers;
    default:
      return unreachable(among);
  }
}

function namesOf(world: World, nodes: readonly number[]): string {
  const names = nodes.flatMap((node) => world.servers[node]?.name ?? []);
  const clients = nodes.length - names.length;
  if (clients > 0) names.push(`${clients} client${clients === 1 ? "" : "s"}`);
  return names.join(", ");
}

function partition(
  world: World,
  fault: Extract<Fault, { type: "partition" | "links" }>,
  lastsUs: number,
  random: Random,
): Struck | undefined {
  const nodes = nodesOf(world, fault.among);
  if (nodes.length < 2) return undefined;
  if (fault.type === "links") {
    const links = drawLinks(nodes, between(random, 1, 6) * 100_000, random);
    cut(world.network, links);
    const text = `${links.length} directed links are cut for ${seconds(lastsUs)}`;
    return { text, end: () => mend(world.network, links) };
  }
  const { links, shape, nodes: order } = drawCut(pick(random, fault.shapes), nodes, random);
  cut(world.network, links);
  const text = `partition (${shape}) of ${namesOf(world, order)} for ${seconds(lastsUs)}`;
  return { text, end: () => mend(world.network, links) };
}

/** Links stall one after another; each is freed at a time of its own. */
function clogLinks(
  world: World,
  among: Among,
  lastsUs: number,
  random: Random,
): Struck | undefined {
  const nodes = nodesOf(world, among);
  if (nodes.length < 2) return undefined;
  const chosen = sample(random, nodes, 1 + below(random, nodes.length - 1));
  for (const node of chosen) {
    const links = nodes.filter((other) => other !== node).map((other) => [node, other] as const);
    clog(world.network, links, world.timeUs + between(random, 1, lastsUs));
  }
  return { text: `the links from ${namesOf(world, chosen)} stall`, end: undefined };
}

function hold(
  world: World,
  type: "hold" | "hold_transactions",
  lastsUs: number,
  random: Random,
): Struck {
  const drawn = type === "hold" ? drawHold(world, random) : drawTransactionalHold(random);
  world.network.holds = [...world.network.holds, drawn];
  const end = (): void => {
    world.network.holds = world.network.holds.filter((other) => other !== drawn);
  };
  return { text: `${holdText(world, drawn)} for ${seconds(lastsUs)}`, end };
}

function crashOne(
  world: World,
  of: Among,
  power: "never" | "sometimes" | "always",
  lastsUs: number,
  random: Random,
): Struck | undefined {
  const lossy = power === "always" || (power === "sometimes" && chance(random, 500_000));
  const candidates = machinesOf(world, of).filter(isAlive);
  if (candidates.length === 0) return undefined;
  const machine = pick(random, candidates);
  crash(world, machine, lossy ? "power" : "process");
  startLater(world, machine, lastsUs);
  const what = lossy ? "loses power" : "crashes";
  return { text: `${machine.name} ${what} for ${seconds(lastsUs)}`, end: undefined };
}

/** All servers go down within a moment and come back one by one. */
function blackout(world: World, lastsUs: number, random: Random): Struck {
  for (const machine of world.servers) {
    if (isAlive(machine)) crash(world, machine, "power");
    startLater(world, machine, lastsUs + between(random, 0, 500_000));
  }
  return { text: `all servers lose power for ${seconds(lastsUs)}`, end: undefined };
}

function pauseOne(world: World, of: Among, lastsUs: number, random: Random): Struck | undefined {
  const candidates = machinesOf(world, of).filter(({ status }) => status === "up");
  if (candidates.length === 0) return undefined;
  const machine = pick(random, candidates);
  pause(machine);
  const { incarnation } = machine;
  const end = (): void => {
    if (machine.incarnation === incarnation) resume(world, machine);
  };
  return { text: `${machine.name} stands still for ${seconds(lastsUs)}`, end };
}

function pauseClient(world: World, lastsUs: number, random: Random): Struck {
  const client = pick(random, world.clients);
  const until = world.timeUs + lastsUs;
  world.still.set(client, Math.max(until, world.still.get(client) ?? 0));
  return { text: `${client.name} stands still for ${seconds(lastsUs)}`, end: undefined };
}
