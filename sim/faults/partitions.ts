/** Faults of links: cut in all shapes, or stalled. */
import type { World } from "../model.ts";
import { nameOf } from "../names.ts";
import { clog, cut, mend } from "../network/network.ts";
import { drawCut, drawLinks, type Shape } from "../network/topology.ts";
import { below, between, pick, type Random, sample } from "../random.ts";
import type { Among, Fault } from "../scenario.ts";
import type { Struck } from "./strike.ts";
import { linksCalled, type NamedLink, namedLinks, nodesOf } from "./targets.ts";

export interface CutStrike {
  readonly type: "cut";
  readonly shape: Shape | "links";
  /** In the order that gives the shape its meaning. */
  readonly nodes: readonly string[];
  readonly links: readonly NamedLink[];
}

/** Links from some nodes stall one after another; each is freed at a time of its own. */
export interface ClogStrike {
  readonly type: "clog";
  readonly nodes: readonly { readonly name: string; readonly us: number }[];
  readonly links: readonly NamedLink[];
}

export function drawPartition(
  world: World,
  fault: Extract<Fault, { type: "partition" | "links" }>,
  random: Random,
): CutStrike | undefined {
  const nodes = nodesOf(world, fault.among);
  if (nodes.length < 2) return undefined;
  if (fault.type === "links") {
    const links = drawLinks(nodes, between(random, 1, 6) * 100_000, random);
    return { type: "cut", shape: "links", nodes: [], links: namedLinks(world, links) };
  }
  const { links, shape, nodes: order } = drawCut(pick(random, fault.shapes), nodes, random);
  const names = order.map((node) => nameOf(world, node));
  return { type: "cut", shape, nodes: names, links: namedLinks(world, links) };
}

export function cutLinks(world: World, { links: named }: CutStrike): Struck | undefined {
  const links = linksCalled(world, named);
  if (links.length === 0) return undefined;
  cut(world.network, links);
  return { end: () => mend(world.network, links) };
}

export function drawClog(
  world: World,
  among: Among,
  lastsUs: number,
  random: Random,
): ClogStrike | undefined {
  const nodes = nodesOf(world, among);
  if (nodes.length < 2) return undefined;
  const chosen = sample(random, nodes, 1 + below(random, nodes.length - 1));
  const links = chosen.flatMap((node) =>
    nodes.filter((other) => other !== node).map((other) => [node, other] as const),
  );
  return {
    type: "clog",
    nodes: chosen.map((node) => ({
      name: nameOf(world, node),
      us: between(random, 1, lastsUs),
    })),
    links: namedLinks(world, links),
  };
}

export function clogLinks(world: World, { nodes, links }: ClogStrike): Struck {
  for (const { name, us } of nodes) {
    const own = linksCalled(
      world,
      links.filter(([from]) => from === name),
    );
    clog(world.network, own, world.timeUs + us);
  }
  return { end: undefined };
}
