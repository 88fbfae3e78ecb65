/**
 * Cycles of dependencies that an isolation level forbids. Under snapshot isolation those in which
 * no two free anti-dependencies follow each other: on all other edges, and on an anti-dependency
 * together with what follows it, the instant of the snapshot moves forward (Fekete and others,
 * "Making snapshot isolation serializable", theorem 2.1). So each node is doubled: it is entered
 * by a free anti-dependency, or in another way; and there is a forbidden cycle where, and only
 * where, this graph has one. That costs one pass; only what it finds is searched for the shortest
 * cycle of the worst name.
 */
import { cyclicComponents } from "./components.ts";
import type { Edge, EdgeKind, Graph } from "./graph.ts";
import type { Level } from "./history.ts";

/** How a search goes on: the next state after taking `edge` in `state`, or -1. Starts in 0. */
interface Rule {
  readonly states: number;
  readonly next: (edge: Edge, state: number) => number;
  /** The state in which the search has to come back to where it began. */
  readonly last: number;
}

/** At most so many edges are tried to find a shorter cycle than the first. */
const BUDGET = 1_000_000;

/** One forbidden cycle for each knot of dependencies, of the strongest name that it holds. */
export function forbiddenCycles(graph: Graph, level: Level): readonly (readonly Edge[])[] {
  const rule = level.isolation === "snapshot" ? NONADJACENT : ANY;
  const cycles: (readonly Edge[])[] = [];
  for (const component of componentsUnder(graph, rule, () => true)) {
    const inside = new Set(component.map((node) => Math.floor(node / rule.states)));
    const cycle = worstIn(graph, inside, rule);
    if (cycle !== undefined) cycles.push(cycle);
  }
  return cycles;
}

const NONADJACENT: Rule = {
  states: 2,
  next: (edge, state) => (edge.kind === "rw" && edge.free ? (state === 0 ? 1 : -1) : 0),
  last: 0,
};

const ANY: Rule = { states: 1, next: () => 0, last: 0 };

const only = (kinds: readonly EdgeKind[]): Rule => ({
  states: 1,
  next: ({ kind }) => (kinds.includes(kind) ? 0 : -1),
  last: 0,
});

/** One anti-dependency, no more. */
const single = (kinds: readonly EdgeKind[]): Rule => ({
  states: 2,
  next: ({ kind }, state) =>
    kind === "rw" ? (state === 0 ? 1 : -1) : kinds.includes(kind) ? state : -1,
  last: 1,
});

const among = (kinds: readonly EdgeKind[], { states, next, last }: Rule): Rule => ({
  states,
  next: (edge, state) => (kinds.includes(edge.kind) ? next(edge, state) : -1),
  last,
});

/** From what the data alone say to what takes the order of sessions and of real time as well. */
const ORDERS: readonly (readonly EdgeKind[])[] = [
  ["within"],
  ["within", "session"],
  ["within", "session", "real time"],
];

function worstIn(
  graph: Graph,
  inside: ReadonlySet<number>,
  rule: Rule,
): readonly Edge[] | undefined {
  for (const order of ORDERS) {
    const rules = [
      only(["ww", ...order]),
      only(["ww", "wr", ...order]),
      single(["ww", "wr", ...order]),
      among(["ww", "wr", "rw", ...order], NONADJACENT),
      among(["ww", "wr", "rw", ...order], rule),
    ];
    for (const one of rules) {
      const cycle = shortestCycle(graph, one, inside);
      if (cycle !== undefined) return cycle;
    }
  }
  return undefined;
}

function componentsUnder(
  graph: Graph,
  { states, next }: Rule,
  isInside: (part: number) => boolean,
): readonly number[][] {
  const { offsets, edges, size } = graph;
  const partOf = (node: number): number => (node - (node % states)) / states;
  return cyclicComponents({
    size: size * states,
    degree(node) {
      const part = partOf(node);
      if (!isInside(part)) return 0;
      return (offsets[part + 1] as number) - (offsets[part] as number);
    },
    target(node, i) {
      const edge = edges[(offsets[partOf(node)] as number) + i] as Edge;
      const state = isInside(edge.to) ? next(edge, node % states) : -1;
      return state < 0 ? -1 : edge.to * states + state;
    },
  });
}

/** The shortest cycle under `rule` within a set of parts, as far as the budget allows to look. */
function shortestCycle(
  graph: Graph,
  rule: Rule,
  inside: ReadonlySet<number>,
): readonly Edge[] | undefined {
  const starts = startsOf(graph, rule, inside);
  let best: readonly Edge[] | undefined;
  let left = BUDGET;
  for (const start of starts) {
    const search = cycleThrough(graph, rule, inside, start, best?.length ?? Infinity);
    best = search.cycle ?? best;
    left -= search.tried;
    if (left <= 0) break;
  }
  return best;
}

/** Where cycles under `rule` may begin. */
function startsOf(graph: Graph, rule: Rule, inside: ReadonlySet<number>): readonly number[] {
  // A search that ends in another state than it began in makes no cycle in the doubled graph.
  if (rule.last !== 0) return [...inside].filter((part) => hasAntiDependency(graph, part));
  const nodes = componentsUnder(graph, rule, (part) => inside.has(part)).flat();
  return nodes.filter((node) => node % rule.states === 0).map((node) => node / rule.states);
}

function hasAntiDependency({ offsets, edges }: Graph, part: number): boolean {
  const end = offsets[part + 1] as number;
  for (let i = offsets[part] as number; i < end; i++) if (edges[i]?.kind === "rw") return true;
  return false;
}

/** Breadth first from `start` back to it, by less than `limit` edges. */
function cycleThrough(
  { offsets, edges }: Graph,
  { states, next, last }: Rule,
  inside: ReadonlySet<number>,
  start: number,
  limit: number,
): { readonly cycle: readonly Edge[] | undefined; readonly tried: number } {
  const steps: Step[] = [{ part: start, state: 0, edge: undefined, before: -1, length: 0 }];
  const visited = new Set<number>([start * states]);
  let tried = 0;
  for (let at = 0; at < steps.length; at++) {
    const { part, state, length } = steps[at] as Step;
    if (length + 1 >= limit) break;
    const end = offsets[part + 1] as number;
    for (let i = offsets[part] as number; i < end; i++) {
      tried += 1;
      const edge = edges[i] as Edge;
      const reached = inside.has(edge.to) ? next(edge, state) : -1;
      if (reached < 0) continue;
      const step = { part: edge.to, state: reached, edge, before: at, length: length + 1 };
      if (edge.to === start && reached === last) return { cycle: pathTo(steps, step), tried };
      const node = edge.to * states + reached;
      if (visited.has(node)) continue;
      visited.add(node);
      steps.push(step);
    }
  }
  return { cycle: undefined, tried };
}

interface Step {
  readonly part: number;
  readonly state: number;
  readonly edge: Edge | undefined;
  readonly before: number;
  readonly length: number;
}

function pathTo(steps: readonly Step[], last: Step): readonly Edge[] {
  const path: Edge[] = [];
  for (let step: Step | undefined = last; step?.edge !== undefined; step = steps[step.before]) {
    path.unshift(step.edge);
  }
  return path;
}
