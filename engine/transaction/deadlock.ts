/**
 * The graph of who waits for whom, and whether one more wait closes a circle. What it holds was
 * told by the stores where transactions wait, and is soft: an edge is told when a wait begins and
 * again while it lasts, taken back when it ends, and fades where neither is heard of.
 */
import type { Key } from "../base/bytes.ts";
import type { StoreId, Ticket } from "../base/ids.ts";
import { descendingSuffix } from "../base/memcomparable.ts";
import type { Timestamp } from "../base/timestamp.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";

/** One transaction waits for another's lock. */
export interface Wait {
  /** Start timestamps. */
  readonly waiter: Timestamp;
  readonly holder: Timestamp;
  /** The user's key whose lock it is. */
  readonly key: Key;
  readonly tag: Uint8Array;
  /** Where it waits, and its number there. A later wait, for the same lock too, has another. */
  readonly store: StoreId;
  readonly number: Ticket;
}

interface Edge extends Wait {
  /** Monotonic time. */
  readonly expiresAt: number;
}

/** By waiter; a transaction may wait for several. */
export type WaitGraph = Tree<readonly Edge[]>;

export const noEdges = (): WaitGraph => tree.empty();

export type Detected =
  | { readonly type: "waits"; readonly graph: WaitGraph }
  /** The wait would never end. `chain` leads from the holder back to the waiter. */
  | { readonly type: "circle"; readonly chain: readonly Wait[] };

/** Adds or renews `wait`, to last `ttlMs`, unless it closes a circle. */
export function detect(graph: WaitGraph, wait: Wait, nowMs: number, ttlMs: number): Detected {
  const chain = pathBetween(graph, wait.holder, wait.waiter, nowMs);
  if (chain !== undefined) return { type: "circle", chain };
  const edge: Edge = { ...wait, expiresAt: nowMs + ttlMs };
  const others = edgesOf(graph, wait.waiter).filter(
    (other) => other.expiresAt > nowMs && !isSame(other, wait),
  );
  return { type: "waits", graph: tree.set(graph, nodeKey(wait.waiter), [...others, edge]) };
}

/** Which wait is meant. */
export type WaitName = Pick<Wait, "waiter" | "store" | "number">;

export const isSame = (a: WaitName, b: WaitName): boolean =>
  a.number === b.number && a.store === b.store && a.waiter === b.waiter;

/** The wait is over. */
export function forgetWait(graph: WaitGraph, wait: WaitName): WaitGraph {
  const edges = edgesOf(graph, wait.waiter);
  const left = edges.filter((edge) => !isSame(edge, wait));
  return left.length === edges.length ? graph : withEdges(graph, wait.waiter, left);
}

/** Drops what has faded. */
export function expire(graph: WaitGraph, nowMs: number): WaitGraph {
  let left = graph;
  for (const [, edges] of tree.entries(graph)) {
    const [first] = edges;
    const alive = edges.filter(({ expiresAt }) => expiresAt > nowMs);
    if (first !== undefined && alive.length < edges.length) {
      left = withEdges(left, first.waiter, alive);
    }
  }
  return left;
}

/** Breadth first, so that the chain that a person reads is a short one. */
function pathBetween(
  graph: WaitGraph,
  from: Timestamp,
  to: Timestamp,
  nowMs: number,
): readonly Wait[] | undefined {
  const cameBy = new Map<Timestamp, Edge>();
  const queue: Timestamp[] = [from];
  for (let i = 0; i < queue.length; i++) {
    for (const edge of edgesOf(graph, queue[i] as Timestamp)) {
      if (edge.expiresAt <= nowMs || cameBy.has(edge.holder) || edge.holder === from) continue;
      cameBy.set(edge.holder, edge);
      if (edge.holder === to) return chainOf(cameBy, from, to);
      queue.push(edge.holder);
    }
  }
  return undefined;
}

function chainOf(
  cameBy: ReadonlyMap<Timestamp, Edge>,
  from: Timestamp,
  to: Timestamp,
): readonly Wait[] {
  const chain: Wait[] = [];
  for (let at = to; at !== from;) {
    const edge = cameBy.get(at) as Edge;
    const { waiter, holder, key, tag, store, number } = edge;
    chain.push({ waiter, holder, key, tag, store, number });
    at = waiter;
  }
  return chain.reverse();
}

const edgesOf = (graph: WaitGraph, waiter: Timestamp): readonly Edge[] =>
  tree.get(graph, nodeKey(waiter)) ?? [];

const withEdges = (graph: WaitGraph, waiter: Timestamp, edges: readonly Edge[]): WaitGraph =>
  edges.length === 0
    ? tree.remove(graph, nodeKey(waiter))
    : tree.set(graph, nodeKey(waiter), edges);

const nodeKey = (startTs: Timestamp): Key => descendingSuffix(startTs);
