/**
 * Faults that wait for elections. Most of what can go wrong in Raft goes wrong around them: with
 * entries of earlier terms in the log, with leases that still run, with answers to the leader
 * before. Faults that strike by the clock seldom meet those moments; these do.
 */
import type { Role } from "../../engine/raft/types.ts";
import type { Group } from "../checkers/group.ts";
import type { Machine, World } from "../model.ts";
import type { Link } from "../network/topology.ts";
import type { Random } from "../random.ts";
import type { Fault } from "../scenario.ts";
import type { Struck } from "./nemesis.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { noteFault } from "../film/fault.ts";
import { drawsOf } from "../decisions/decisions.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, pause, resume, startLater } from "../machines/process.ts";
import { cut, mend } from "../network/network.ts";
import { below, between, chance, pick, shuffled } from "../random.ts";
import { narrate, seconds } from "../trace/trace.ts";
import { later } from "./later.ts";

/** What an ambush does to the machine it has waited for. */
export type Blow = "isolate" | "mute" | "deaf" | "crash" | "power" | "pause";

/** How many of the elections a seed's ambush lets pass, in millionths of those it sees. */
const PATIENCE = [0, 300_000, 800_000];

/** From now on strikes members that ask for votes or begin to lead. */
export function lieInWait(
  world: World,
  fault: Extract<Fault, { type: "ambush" }>,
  name: string,
): void {
  const patience = pick(drawsOf(world.decisions, `${name}/patience`), PATIENCE);
  /** By machine, how often it has stood for election. */
  const stood = new Map<Machine, number>();
  world.watchers.push((machine: Machine, role: Role) => {
    if (role !== "candidate" && role !== "leader") return;
    const nth = (stood.get(machine) ?? 0) + 1;
    stood.set(machine, nth);
    const random = drawsOf(world.decisions, `${name}/${machine.name}/${nth}`);
    if (world.phase !== "safety" || chance(random, patience)) return;
    // Each order of magnitude is as likely as the others: a message's way as well as a heartbeat.
    const delayUs = (between(random, fault.every[0], fault.every[1]) * 1000) >> below(random, 12);
    later(world, delayUs, "ambush", () => {
      if (!isAlive(machine)) return;
      const lastsUs = between(random, fault.lasts[0], fault.lasts[1]) * 1000;
      const { text, end } = deal(world, machine, pick(random, fault.blows), lastsUs);
      narrate(world.trace, world.timeUs, "fault", `${text} for ${seconds(lastsUs)}: an ambush`);
      noteFault(world, "ambush", text, lastsUs);
      if (end !== undefined) later(world, lastsUs, "end of ambush", end);
    });
  });
}

function deal(world: World, machine: Machine, blow: Blow, lastsUs: number): Struck {
  const { name } = machine;
  const others = world.servers.filter((other) => other !== machine);
  const out = others.map(({ node }): Link => [machine.node, node]);
  const into = others.map(({ node }): Link => [node, machine.node]);
  switch (blow) {
    case "isolate":
      return cutOff(world, [...out, ...into], `${name} and the other servers are cut apart`);
    case "mute":
      return cutOff(world, out, `${name} is not heard by the other servers`);
    case "deaf":
      return cutOff(world, into, `${name} hears none of the other servers`);
    case "crash":
    case "power":
      crash(world, machine, blow === "power" ? "power" : "process");
      startLater(world, machine, lastsUs);
      return { text: `${name} ${blow === "power" ? "loses power" : "crashes"}`, end: undefined };
    case "pause": {
      pause(machine);
      const { incarnation } = machine;
      const end = (): void => {
        if (machine.incarnation === incarnation) resume(world, machine);
      };
      return { text: `${name} stands still`, end };
    }
    default:
      return unreachable(blow);
  }
}

function cutOff(world: World, links: readonly Link[], text: string): Struck {
  cut(world.network, links);
  return { text, end: () => mend(world.network, links) };
}

/**
 * A leader loses its followers one after another, and the last of them forget: first some (the
 * heirs) stop hearing it, and when they are past their election timeouts the others (its friends)
 * are restarted within a moment and do not hear it either. Clients still reach everyone.
 */
export function betray(world: World, lastsUs: number, random: Random): Struck | undefined {
  const groups = [...world.checks.groups.groups.values()];
  const led = groups.flatMap((group) => courtOf(group) ?? []);
  if (led.length === 0) return undefined;
  const { leader, others } = pick(random, led);
  const order = shuffled(random, others);
  const heirs = order.slice(0, 1 + below(random, order.length >> 1));
  const friends = order.slice(heirs.length);
  const { electionMs } = world.knobs;
  const waitUs = between(random, electionMs, 2 * electionMs) * 1000;
  sever(world, leader, heirs, waitUs + lastsUs);
  later(world, waitUs, "friends forget", () => {
    sever(world, leader, friends, lastsUs);
    for (const friend of friends.filter(isAlive)) {
      crash(world, friend, "process");
      startLater(world, friend, between(random, 1000, 200_000));
    }
  });
  const names = (machines: readonly Machine[]): string =>
    machines.map(({ name }) => name).join(", ");
  const text =
    `${leader.name} and ${names(heirs)} are cut apart; ${names(friends)} will be restarted ` +
    `in ${seconds(waitUs)} and be cut off from it too, for ${seconds(lastsUs)}`;
  return { text, end: undefined };
}

/** The leader of the group's latest term and the others, where there are two of them at least. */
function courtOf(group: Group): { leader: Machine; others: readonly Machine[] } | undefined {
  const living = [...group.members.values()].filter(
    ({ machine, raft, incarnation }) =>
      raft !== undefined && isAlive(machine) && incarnation === machine.incarnation,
  );
  let leader = living.find(({ raft }) => raft?.role === "leader");
  for (const other of living) {
    const { raft } = other;
    if (raft?.role === "leader" && raft.term > (leader?.raft?.term ?? 0)) leader = other;
  }
  if (leader === undefined || living.length < 3) return undefined;
  const { machine } = leader;
  return {
    leader: machine,
    others: living.flatMap((other) => (other === leader ? [] : other.machine)),
  };
}

function sever(world: World, one: Machine, others: readonly Machine[], lastsUs: number): void {
  const links = others.flatMap(({ node }): Link[] => [
    [one.node, node],
    [node, one.node],
  ]);
  cut(world.network, links);
  later(world, lastsUs, "end of betrayal", () => mend(world.network, links));
}
