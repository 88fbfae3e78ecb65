/** Who may be struck, and who is meant by a name. */
import { unreachable } from "../../engine/base/assert.ts";
import type { Client, Machine, StoreMachine, World } from "../model.ts";
import { nameOf } from "../names.ts";
import type { Link } from "../network/topology.ts";
import type { Among } from "../scenario.ts";

/** A directed link by the names of its ends. */
export type NamedLink = readonly [from: string, to: string];

export function machinesOf(world: World, among: Among): readonly Machine[] {
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

/** The nodes that a fault is about, by their numbers in the network. */
export function nodesOf(world: World, among: Among): readonly number[] {
  const servers = machinesOf(world, among).map(({ node }) => node);
  return among === "everyone" ? [...servers, ...world.clients.map(({ node }) => node)] : servers;
}

export const machineCalled = (world: World, name: string): Machine | undefined =>
  world.servers.find((machine) => machine.name === name);

export const storeCalled = (world: World, name: string): StoreMachine | undefined =>
  world.stores.find((machine) => machine.name === name);

export const clientCalled = (world: World, name: string): Client | undefined =>
  world.clients.find((client) => client.name === name);

export const namedLinks = (world: World, links: readonly Link[]): NamedLink[] =>
  links.map(([from, to]) => [nameOf(world, from), nameOf(world, to)]);

/** The links between nodes that there are. */
export function linksCalled(world: World, links: readonly NamedLink[]): Link[] {
  const nodes = new Map([...world.servers, ...world.clients].map(({ name, node }) => [name, node]));
  return links.flatMap(([from, to]): Link[] => {
    const source = nodes.get(from);
    const target = nodes.get(to);
    return source === undefined || target === undefined ? [] : [[source, target]];
  });
}
