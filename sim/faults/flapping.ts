/** Links that come and go: cut and whole in turn, or stalled and freed in another order. */
import type { World } from "../model.ts";
import { nameOf } from "../names.ts";
import { clog, cut, mend } from "../network/network.ts";
import { drawCut, type Shape } from "../network/topology.ts";
import { below, between, pick, type Random, sample, shuffled } from "../random.ts";
import type { Among } from "../scenario.ts";
import { later } from "./later.ts";
import type { Struck } from "./strike.ts";
import { linksCalled, type NamedLink, namedLinks, nodesOf } from "./targets.ts";

/** The links are cut for `cutUs`, whole for `wholeUs`, and so on. */
export interface Flapping {
  readonly type: "flap";
  readonly nodes: readonly string[];
  readonly links: readonly NamedLink[];
  readonly cutUs: number;
  readonly wholeUs: number;
}

/** The links from one node after the other stall; they are freed in an order of their own. */
export interface Swizzle {
  readonly type: "swizzle";
  readonly nodes: readonly {
    readonly name: string;
    readonly fromUs: number;
    readonly untilUs: number;
  }[];
  readonly links: readonly NamedLink[];
}

const SHAPES: readonly Shape[] = ["isolate", "halves", "bridge", "mute", "deaf"];

export function drawFlapping(world: World, among: Among, random: Random): Flapping | undefined {
  const nodes = nodesOf(world, among);
  if (nodes.length < 2) return undefined;
  const { links, nodes: order } = drawCut(pick(random, SHAPES), nodes, random);
  const { electionMs, heartbeatMs } = world.knobs;
  // From less than a heartbeat, which hides most of it, to more than an election, which is one cut.
  const rhythms = [heartbeatMs / 2, heartbeatMs, electionMs / 2, electionMs].map((ms) => ms * 1000);
  return {
    type: "flap",
    nodes: order.map((node) => nameOf(world, node)),
    links: namedLinks(world, links),
    cutUs: Math.round(pick(random, rhythms)),
    wholeUs: Math.round(pick(random, rhythms)),
  };
}

export function flap(world: World, strike: Flapping, lastsUs: number): Struck | undefined {
  const { cutUs, wholeUs } = strike;
  const links = linksCalled(world, strike.links);
  if (links.length === 0 || cutUs < 1 || wholeUs < 1) return undefined;
  const endUs = world.timeUs + lastsUs;
  const open = (): void => {
    cut(world.network, links);
    later(world, cutUs, "flap", () => {
      mend(world.network, links);
      if (world.timeUs + wholeUs < endUs) later(world, wholeUs, "flap", open);
    });
  };
  open();
  return { end: undefined };
}

export function drawSwizzle(
  world: World,
  among: Among,
  lastsUs: number,
  random: Random,
): Swizzle | undefined {
  const nodes = nodesOf(world, among);
  if (nodes.length < 2) return undefined;
  const chosen = shuffled(random, sample(random, nodes, 1 + below(random, nodes.length - 1)));
  const half = Math.max(1, Math.floor(lastsUs / 2));
  return {
    type: "swizzle",
    nodes: chosen.map((node, i) => ({
      name: nameOf(world, node),
      fromUs: Math.floor((half * i) / chosen.length),
      untilUs: half + between(random, 0, half),
    })),
    links: namedLinks(
      world,
      chosen.flatMap((node) =>
        nodes.filter((other) => other !== node).map((other) => [node, other] as const),
      ),
    ),
  };
}

export function swizzle(world: World, { nodes, links }: Swizzle): Struck {
  const { timeUs } = world;
  for (const { name, fromUs, untilUs } of nodes) {
    const own = linksCalled(
      world,
      links.filter(([from]) => from === name),
    );
    const stall = (): void => clog(world.network, own, timeUs + untilUs);
    if (fromUs === 0) stall();
    else later(world, fromUs, "swizzle", stall);
  }
  return { end: undefined };
}
