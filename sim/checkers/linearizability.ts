/**
 * Linearizability of one key, a register with compare-and-swap: is there an order of the operations
 * that respects real time and explains every answer? The search is Wing and Gong's, with Lowe's
 * memo on (set of ordered operations, state), as in Porcupine. Keys are checked one by one, which
 * is exact: linearizability is local (Herlihy and Wing, theorem 1).
 *
 * An operation of unknown outcome may take effect at any time after its start, or never.
 */
import { unreachable } from "../../engine/base/assert.ts";

/** A value of the register: a number for each distinct value, 0 for "no such key". */
export type Value = number;

/** What one client did to one key. */
export interface Operation {
  /** For people: who did it. */
  readonly client: string;
  readonly type: "read" | "write" | "swap";
  /** What a write or swap puts there. A delete writes 0. */
  readonly value: Value;
  /** What a swap wants to find. */
  readonly expected: Value;
  /** What a read, or a swap that failed, found. */
  readonly seen: Value;
  /** Whether a swap took place. */
  readonly swapped: boolean;
  /** Places in the world's order of events; `end` is Infinity where the outcome is unknown. */
  readonly start: number;
  readonly end: number;
}

export type Verdict =
  | { readonly type: "linearizable" }
  /** No order explains `core`, and every operation in it is needed for that as far as was tried. */
  | { readonly type: "violated"; readonly core: readonly Operation[] }
  /** The search was given up after its budget of steps. */
  | { readonly type: "undecided"; readonly steps: number };

/** Steps of the search before it gives up: seconds, and far above what histories of ours need. */
export const STEP_BUDGET = 2_000_000;

/** Checks the history of one key that starts out absent. */
export function checkKey(history: readonly Operation[], budget: number = STEP_BUDGET): Verdict {
  const outcome = search(relevant(history), budget);
  switch (outcome) {
    case "found":
      return { type: "linearizable" };
    case "exhausted":
      return { type: "violated", core: smallestCore(history, budget) };
    case "gave_up":
      return { type: "undecided", steps: budget };
    default:
      return unreachable(outcome);
  }
}

const UNKNOWN = Infinity;
/** No state: the operation cannot have happened here. */
const IMPOSSIBLE = -1;

/** The state after `operation` in `state`, or IMPOSSIBLE. */
function after(operation: Operation, state: Value): Value {
  switch (operation.type) {
    case "write":
      return operation.value;
    case "read":
      return state === operation.seen ? state : IMPOSSIBLE;
    case "swap":
      if (operation.end === UNKNOWN) {
        return state === operation.expected ? operation.value : state;
      }
      if (operation.swapped) return state === operation.expected ? operation.value : IMPOSSIBLE;
      return state === operation.seen && state !== operation.expected ? state : IMPOSSIBLE;
    default:
      return unreachable(operation.type);
  }
}

/**
 * Leaves out what cannot change the verdict: reads of unknown outcome, and writes of unknown
 * outcome whose value nobody saw (values are unique). In any order that contains such a write, no
 * answer depends on it, for everything up to the next write is a write itself.
 */
function relevant(history: readonly Operation[]): Operation[] {
  let kept = history.filter((one) => one.end !== UNKNOWN || one.type !== "read");
  for (;;) {
    const observed = valuesObserved(kept);
    const next = kept.filter(
      (one) => one.end !== UNKNOWN || one.value === 0 || observed.has(one.value),
    );
    if (next.length === kept.length) return next;
    kept = next;
  }
}

/** Values some answer, or the condition of some swap, depends on. */
function valuesObserved(history: readonly Operation[]): Set<Value> {
  const observed = new Set<Value>();
  for (const one of history) {
    if (one.type === "read") observed.add(one.seen);
    if (one.type !== "swap") continue;
    observed.add(one.expected);
    if (one.end !== UNKNOWN && !one.swapped) observed.add(one.seen);
  }
  return observed;
}

/**
 * The operations as a doubly linked list of their starts and ends in time order. Node `i` is the
 * start of operation i, node `count + i` its end, the last node is the head.
 */
interface Timeline {
  readonly next: Int32Array;
  readonly previous: Int32Array;
  readonly head: number;
}

function timelineOf(history: readonly Operation[]): Timeline {
  const count = history.length;
  const time = (node: number): number =>
    node < count ? (history[node] as Operation).start : (history[node - count] as Operation).end;
  // Of equal times (only the infinite ones) starts come first; within those the order is free.
  const nodes = Array.from({ length: 2 * count }, (_, i) => i).sort((a, b) => {
    const difference = time(a) - time(b);
    return Number.isNaN(difference) || difference === 0 ? a - b : difference;
  });
  const head = 2 * count;
  const next = new Int32Array(2 * count + 1).fill(-1);
  const previous = new Int32Array(2 * count + 1).fill(-1);
  let last = head;
  for (const node of nodes) {
    next[last] = node;
    previous[node] = last;
    last = node;
  }
  return { next, previous, head };
}

/** Depth-first search for an order. */
function search(history: readonly Operation[], budget: number): "found" | "exhausted" | "gave_up" {
  const count = history.length;
  const { next, previous, head } = timelineOf(history);
  let open = history.filter((one) => one.end !== UNKNOWN).length;
  if (open === 0) return "found";
  const unlink = (node: number): void => {
    const before = previous[node] as number;
    const behind = next[node] as number;
    next[before] = behind;
    if (behind >= 0) previous[behind] = before;
  };
  const relink = (node: number): void => {
    next[previous[node] as number] = node;
    const behind = next[node] as number;
    if (behind >= 0) previous[behind] = node;
  };
  const memo = newMemo(count);
  const stack: number[] = [];
  const states: Value[] = [];
  let state: Value = 0;
  let node = next[head] as number;
  for (let steps = 0; steps < budget; steps++) {
    if (node >= 0 && node < count) {
      const operation = history[node] as Operation;
      const result = after(operation, state);
      if (result !== IMPOSSIBLE && remember(memo, node, result)) {
        stack.push(node);
        states.push(state);
        state = result;
        unlink(node);
        unlink(count + node);
        if (operation.end !== UNKNOWN && (open -= 1) === 0) return "found";
        node = next[head] as number;
      } else {
        node = next[node] as number;
      }
      continue;
    }
    // An end was reached (its operation has to be ordered by now), or the list is over: go back.
    const undone = stack.pop();
    if (undone === undefined) return "exhausted";
    state = states.pop() as Value;
    flip(memo, undone);
    relink(count + undone);
    relink(undone);
    if ((history[undone] as Operation).end !== UNKNOWN) open += 1;
    node = next[undone] as number;
  }
  return "gave_up";
}

/** Which (set of ordered operations, state) the search has been in. Mutable. */
interface Memo {
  readonly ordered: Uint32Array;
  /** Zobrist hash of `ordered`: each operation has its own random word. */
  hash: number;
  readonly seen: Map<number, { readonly ordered: Uint32Array; readonly state: Value }[]>;
}

const newMemo = (count: number): Memo => ({
  ordered: new Uint32Array((count + 31) >>> 5),
  hash: 0,
  seen: new Map(),
});

/** Adds or takes away one operation. */
function flip(memo: Memo, operation: number): void {
  const at = operation >>> 5;
  memo.ordered[at] = (memo.ordered[at] as number) ^ (1 << (operation & 31));
  memo.hash ^= scatter(operation + 1);
}

/** Adds `operation` where this leads to a place not seen before; otherwise changes nothing. */
function remember(memo: Memo, operation: number, state: Value): boolean {
  flip(memo, operation);
  const key = (memo.hash >>> 0) * 0x100000 + (state & 0xfffff);
  const places = memo.seen.get(key);
  if (places === undefined) {
    memo.seen.set(key, [{ ordered: memo.ordered.slice(), state }]);
    return true;
  }
  for (const place of places) {
    if (place.state === state && sameWords(place.ordered, memo.ordered)) {
      flip(memo, operation);
      return false;
    }
  }
  places.push({ ordered: memo.ordered.slice(), state });
  return true;
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A bijection of 32-bit integers that looks random (murmur3's finaliser). */
function scatter(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Makes a history that fits no order smaller, such that it still fits none because of what the
 * whole history says: it is cut off where it first fails, begins at the last write that everything
 * before it has ended before, and loses whatever the contradiction does not need.
 */
function smallestCore(history: readonly Operation[], budget: number): readonly Operation[] {
  const share = Math.max(1000, Math.floor(budget / 50));
  const prefix = shortestPrefix(relevant(history), share);
  const { first, rest } = latestBeginning(prefix, share);
  const core = withoutNeedless(first, rest, budget, share);
  return [...writersBefore(first, core, prefix), ...core];
}

/**
 * Writes before the beginning whose values the core sees: they say where an old value came from.
 */
function writersBefore(
  first: Operation | undefined,
  core: readonly Operation[],
  history: readonly Operation[],
): readonly Operation[] {
  if (first === undefined) return [];
  const observed = valuesObserved(core);
  return history.filter(
    (one) =>
      one.type === "write" && one.end < first.start && one.value > 0 && observed.has(one.value),
  );
}

/** What had happened at the earliest moment at which no order explained it any more. */
function shortestPrefix(history: readonly Operation[], share: number): readonly Operation[] {
  const ends = history
    .map(({ end }) => end)
    .filter((end) => end !== UNKNOWN)
    .sort((a, b) => a - b);
  const until = (time: number): Operation[] =>
    history
      .filter(({ start }) => start < time)
      .map((one) => (one.end > time ? { ...one, end: UNKNOWN } : one));
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const fails = search(relevant(until(ends[middle] as number)), share) === "exhausted";
    if (fails) high = middle;
    else low = middle + 1;
  }
  return relevant(until(ends[low] as number));
}

/**
 * The history from the latest write on that overlaps nothing, where it fails as well: what was
 * before that write is of no account.
 */
function latestBeginning(
  history: readonly Operation[],
  share: number,
): { readonly first: Operation | undefined; readonly rest: readonly Operation[] } {
  const beginnings = history
    .filter((one) => changesState(one) && one.end !== UNKNOWN)
    .filter((one) =>
      history.every((other) => other === one || other.end < one.start || other.start > one.end),
    )
    .sort((a, b) => b.start - a.start);
  for (const beginning of beginnings) {
    // A swap that took place is a write, for whoever sees only what follows.
    const first: Operation = { ...beginning, type: "write" };
    const rest = history.filter((one) => one.start > first.end);
    if (search([first, ...rest], share) === "exhausted") return { first, rest };
  }
  return { first: undefined, rest: history };
}

/**
 * Takes operations away whose absence cannot itself break anything: those that leave the state
 * alone, and writes nobody has observed.
 */
function withoutNeedless(
  first: Operation | undefined,
  rest: readonly Operation[],
  budget: number,
  share: number,
): readonly Operation[] {
  const whole = (part: readonly Operation[]): readonly Operation[] =>
    first === undefined ? part : [first, ...part];
  let core = rest;
  let left = budget;
  // Halving chunks first: most of a long history has nothing to do with the contradiction.
  for (let size = core.length >>> 1; size >= 1; size >>>= 1) {
    for (let at = 0; at < core.length && left > 0;) {
      const candidate = without(core, at, at + size);
      left -= Math.ceil(share / 50);
      if (candidate.length < core.length && search(whole(candidate), share) === "exhausted") {
        core = candidate;
      } else {
        at += size;
      }
    }
  }
  return whole(core.slice().sort((a, b) => a.start - b.start));
}

/** The history without the removable operations among those at [from, to). */
function without(history: readonly Operation[], from: number, to: number): Operation[] {
  const outside = (i: number): boolean => i < from || i >= to;
  const observed = valuesObserved(history.filter((one, i) => outside(i) || changesState(one)));
  return history.filter(
    (one, i) =>
      outside(i) ||
      (changesState(one) && (one.type === "swap" || one.value === 0 || observed.has(one.value))),
  );
}

const changesState = (one: Operation): boolean =>
  one.type === "write" || (one.type === "swap" && (one.end === UNKNOWN || one.swapped));
