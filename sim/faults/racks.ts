/**
 * Servers that share a socket and a switch: the n-th store and the n-th member of the placement
 * driver stand in rack n of three. A rack loses its power or its links at once.
 */
import { isAlive } from "../machines/inbox.ts";
import { crash, startLater } from "../machines/process.ts";
import type { Machine, World } from "../model.ts";
import { cut, mend } from "../network/network.ts";
import type { Link } from "../network/topology.ts";
import { between, chance, pick, type Random } from "../random.ts";
import type { Struck } from "./strike.ts";
import { machineCalled } from "./targets.ts";

export interface RackStrike {
  readonly type: "rack";
  /** What it is called, as `rack 2`. */
  readonly rack: string;
  readonly loses: "power" | "network";
  /** Who stands in it, and when each is started behind the end of the strike, if it went down. */
  readonly servers: readonly { readonly machine: string; readonly afterUs: number }[];
}

const RACKS = 3;

export function drawRack(world: World, random: Random): RackStrike {
  const racks = Math.min(RACKS, Math.max(world.stores.length, world.members.length));
  const number = pick(
    random,
    Array.from({ length: racks }, (_, i) => i),
  );
  const inRack = (machines: readonly Machine[]): readonly Machine[] =>
    machines.filter((_, i) => i % racks === number);
  return {
    type: "rack",
    rack: `rack ${number + 1}`,
    loses: chance(random, 500_000) ? "power" : "network",
    servers: [...inRack(world.stores), ...inRack(world.members)].map(({ name }) => ({
      machine: name,
      afterUs: between(random, 0, 500_000),
    })),
  };
}

export function strikeRack(
  world: World,
  { servers, loses }: RackStrike,
  lastsUs: number,
): Struck | undefined {
  const inside = servers.flatMap(({ machine: name, afterUs }) => {
    const machine = machineCalled(world, name);
    return machine === undefined ? [] : { machine, afterUs };
  });
  if (inside.length === 0) return undefined;
  if (loses === "network") {
    const within = new Set(inside.map(({ machine }) => machine));
    const links = world.servers
      .filter((other) => !within.has(other))
      .flatMap((other) =>
        inside.flatMap(({ machine }): Link[] => [
          [machine.node, other.node],
          [other.node, machine.node],
        ]),
      );
    cut(world.network, links);
    return { end: () => mend(world.network, links) };
  }
  for (const { machine, afterUs } of inside) {
    if (isAlive(machine)) crash(world, machine, "power");
    startLater(world, machine, lastsUs + afterUs);
  }
  return { end: undefined };
}
