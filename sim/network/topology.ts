/**
 * Shapes of broken networks: each function gives the directed links (from, to) that are cut. Nodes
 * are indices; only links among the given nodes are cut.
 */
import type { Random } from "../random.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { below, chance, pick, shuffled } from "../random.ts";

export type Link = readonly [from: number, to: number];

export type Shape =
  "isolate" | "halves" | "bridge" | "ring" | "chain" | "star" | "one_way" | "deaf" | "mute";

export const SHAPES: readonly Shape[] = [
  "isolate",
  "halves",
  "bridge",
  "ring",
  "chain",
  "star",
  "one_way",
  "deaf",
  "mute",
];

/** A cut, and the words for it. */
export interface Cut {
  readonly links: readonly Link[];
  /** Nodes in the order that gives the shape its meaning. */
  readonly nodes: readonly number[];
  readonly shape: Shape;
}

/** A cut of this shape through `nodes` (two at least), with random places for the nodes. */
export function drawCut(shape: Shape, nodes: readonly number[], random: Random): Cut {
  const order = shuffled(random, nodes);
  const links = linksOf(shape, order, random);
  return { links, nodes: order, shape };
}

function linksOf(shape: Shape, order: readonly number[], random: Random): Link[] {
  const first = order[0] as number;
  const others = order.slice(1);
  switch (shape) {
    case "isolate":
      return both(between([first], others));
    case "halves": {
      const size = 1 + below(random, order.length - 1);
      return both(between(order.slice(0, size), order.slice(size)));
    }
    case "bridge": {
      // Two groups that see each other only through the first node.
      const size = 1 + below(random, Math.max(1, others.length - 1));
      return both(between(others.slice(0, size), others.slice(size)));
    }
    case "ring":
      return except(order, (i, j) => j === (i + 1) % order.length || i === (j + 1) % order.length);
    case "chain":
      return except(order, (i, j) => Math.abs(i - j) === 1);
    case "star":
      return except(order, (i, j) => i === 0 || j === 0);
    case "one_way": {
      const size = 1 + below(random, order.length - 1);
      return between(order.slice(0, size), order.slice(size));
    }
    case "deaf":
      return between(others, [first]);
    case "mute":
      return between([first], others);
    default:
      return unreachable(shape);
  }
}

/** Single directed links, each cut with the given chance; at least one. */
export function drawLinks(nodes: readonly number[], millionths: number, random: Random): Link[] {
  const all = except(nodes, () => false);
  const cut = all.filter(() => chance(random, millionths));
  return cut.length > 0 ? cut : [pick(random, all)];
}

const between = (from: readonly number[], to: readonly number[]): Link[] =>
  from.flatMap((a) => to.map((b): Link => [a, b]));

const both = (links: readonly Link[]): Link[] =>
  links.flatMap(([a, b]): Link[] => [
    [a, b],
    [b, a],
  ]);

/** All links between different places in `order` but those that stay. */
function except(order: readonly number[], stays: (i: number, j: number) => boolean): Link[] {
  const links: Link[] = [];
  for (let i = 0; i < order.length; i++) {
    for (let j = 0; j < order.length; j++) {
      if (i !== j && !stays(i, j)) links.push([order[i] as number, order[j] as number]);
    }
  }
  return links;
}
