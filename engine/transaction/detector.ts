/**
 * The detector of deadlocks of a cluster, which runs at the leader of the region that holds the
 * smallest key. What it is told may be late: before a circle is called a deadlock, every store that
 * told of a wait in it is asked whether that wait still lasts. All of these waits began before the
 * question and had not ended after it, so there is a moment at which all of them stood still: no
 * message that was lost or late makes a deadlock of a wait that has ended.
 */
import type { StoreId, Ticket } from "../base/ids.ts";
import {
  detect,
  expire,
  forgetWait,
  isSame,
  noEdges,
  type Wait,
  type WaitGraph,
  type WaitName,
} from "./deadlock.ts";

export interface Detector {
  readonly graph: WaitGraph;
  readonly suspicions: readonly Suspicion[];
  /** Number of the last question. */
  readonly round: number;
}

/** A circle whose waits have not all been confirmed. */
interface Suspicion {
  /** Closes the circle; it is not in the graph. */
  readonly wait: Wait;
  readonly chain: readonly Wait[];
  readonly round: number;
  /** Waits of the chain that nobody has confirmed since. */
  readonly open: readonly Wait[];
  /** Monotonic time. */
  readonly expiresAt: number;
}

/** What is to be done about what was heard. */
export type Finding =
  /** Ask `store` whether these still wait. */
  | {
      readonly type: "ask";
      readonly store: StoreId;
      readonly round: number;
      readonly numbers: readonly Ticket[];
    }
  /** Tell `wait.store` that the wait never ends. */
  | { readonly type: "deadlock"; readonly wait: Wait; readonly chain: readonly Wait[] };

export interface Heard {
  readonly detector: Detector;
  readonly findings: readonly Finding[];
}

export const noDetector = (): Detector => ({ graph: noEdges(), suspicions: [], round: 0 });

/**
 * Whoever leads the first region no more knows nothing. Questions are numbered on, so that no
 * answer that is still under way is taken for one to a later question.
 */
export const forgetAll = ({ round }: Detector): Detector => ({ ...noDetector(), round });

export const isIdle = ({ graph, suspicions }: Detector): boolean =>
  graph.size === 0 && suspicions.length === 0;

/** These wait, which holds for `ttlMs` from now on unless it is told again or taken back. */
export function hear(
  detector: Detector,
  waits: readonly Wait[],
  nowMs: number,
  ttlMs: number,
): Heard {
  let { graph, suspicions, round } = detector;
  const findings: Finding[] = [];
  for (const wait of waits) {
    const standing = suspicions.find((other) => isSame(other.wait, wait));
    if (standing !== undefined && standing.expiresAt > nowMs) {
      // The question or an answer may have been lost.
      findings.push(...questions(standing));
      continue;
    }
    const detected = detect(graph, wait, nowMs, ttlMs);
    if (detected.type === "waits") {
      graph = detected.graph;
      continue;
    }
    graph = forgetWait(graph, wait);
    const { chain } = detected;
    round += 1;
    const suspicion: Suspicion = { wait, chain, round, open: chain, expiresAt: nowMs + ttlMs };
    suspicions = [...suspicions.filter((other) => other !== standing), suspicion];
    findings.push(...questions(suspicion));
  }
  return { detector: { graph, suspicions, round }, findings };
}

function questions({ open, round }: Suspicion): readonly Finding[] {
  return [...new Set(open.map(({ store }) => store))].map((store) => {
    const numbers = open.filter((wait) => wait.store === store).map(({ number }) => number);
    return { type: "ask", store, round, numbers };
  });
}

/** These have ended. */
export function forget(detector: Detector, ended: readonly WaitName[]): Detector {
  let { graph } = detector;
  for (const wait of ended) graph = forgetWait(graph, wait);
  const suspicions = detector.suspicions.filter(
    ({ wait }) => !ended.some((other) => isSame(wait, other)),
  );
  return { graph, suspicions, round: detector.round };
}

/** `store` answers question `round`: of those asked about it still has `lasting`. */
export function confirm(
  detector: Detector,
  store: StoreId,
  round: number,
  lasting: readonly Ticket[],
  nowMs: number,
  ttlMs: number,
): Heard {
  const suspicion = detector.suspicions.find((other) => other.round === round);
  if (suspicion === undefined) return { detector, findings: [] };
  const asked = suspicion.open.filter((wait) => wait.store === store);
  const ended = asked.filter(({ number }) => !lasting.includes(number));
  if (ended.length > 0) {
    // That was no circle; there may be another.
    return hear(forget(detector, [...ended, suspicion.wait]), [suspicion.wait], nowMs, ttlMs);
  }
  const open = suspicion.open.filter((wait) => wait.store !== store);
  const others = detector.suspicions.filter((other) => other !== suspicion);
  if (open.length > 0) {
    const suspicions = [...others, { ...suspicion, open }];
    return { detector: { ...detector, suspicions }, findings: [] };
  }
  const { wait, chain } = suspicion;
  const findings: readonly Finding[] = [{ type: "deadlock", wait, chain }];
  return { detector: { ...detector, suspicions: others }, findings };
}

/** Drops what has faded. */
export function fade(detector: Detector, nowMs: number): Detector {
  if (isIdle(detector)) return detector;
  return {
    graph: expire(detector.graph, nowMs),
    suspicions: detector.suspicions.filter(({ expiresAt }) => expiresAt > nowMs),
    round: detector.round,
  };
}
