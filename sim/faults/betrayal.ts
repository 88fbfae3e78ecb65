/**
 * A leader loses its followers one after another, and the last of them forget: first some (the
 * heirs) stop hearing it, and when they are past their election timeouts the others (its friends)
 * are restarted within a moment and do not hear it either. Clients still reach everyone.
 */
import type { Group } from "../checkers/group.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, startLater } from "../machines/process.ts";
import type { Machine, World } from "../model.ts";
import { cut, mend } from "../network/network.ts";
import type { Link } from "../network/topology.ts";
import { below, between, pick, type Random, shuffled } from "../random.ts";
import { later } from "./later.ts";
import type { Struck } from "./strike.ts";
import { machineCalled } from "./targets.ts";

export interface Betrayal {
  readonly type: "betray";
  readonly leader: string;
  readonly heirs: readonly string[];
  readonly friends: readonly { readonly machine: string; readonly downUs: number }[];
  /** From the one cut to the other. */
  readonly waitUs: number;
}

export function drawBetrayal(world: World, random: Random): Betrayal | undefined {
  const groups = [...world.checks.groups.groups.values()];
  const led = groups.flatMap((group) => courtOf(group) ?? []);
  if (led.length === 0) return undefined;
  const { leader, others } = pick(random, led);
  const order = shuffled(random, others);
  const heirs = order.slice(0, 1 + below(random, order.length >> 1));
  const { electionMs } = world.knobs;
  return {
    type: "betray",
    leader: leader.name,
    heirs: heirs.map(({ name }) => name),
    friends: order
      .slice(heirs.length)
      .map(({ name }) => ({ machine: name, downUs: between(random, 1000, 200_000) })),
    waitUs: between(random, electionMs, 2 * electionMs) * 1000,
  };
}

export function betray(world: World, strike: Betrayal, lastsUs: number): Struck | undefined {
  const { heirs, friends, waitUs } = strike;
  const leader = machineCalled(world, strike.leader);
  if (leader === undefined) return undefined;
  sever(world, leader, heirs, waitUs + lastsUs);
  const names = friends.map(({ machine }) => machine);
  later(world, waitUs, "friends forget", () => {
    sever(world, leader, names, lastsUs);
    for (const { machine: name, downUs } of friends) {
      const friend = machineCalled(world, name);
      if (friend === undefined || !isAlive(friend)) continue;
      crash(world, friend, "process");
      startLater(world, friend, downUs);
    }
  });
  return { end: undefined };
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

function sever(world: World, one: Machine, names: readonly string[], lastsUs: number): void {
  const links = names.flatMap((name): Link[] => {
    const other = machineCalled(world, name);
    if (other === undefined) return [];
    return [
      [one.node, other.node],
      [other.node, one.node],
    ];
  });
  cut(world.network, links);
  later(world, lastsUs, "end of betrayal", () => mend(world.network, links));
}
