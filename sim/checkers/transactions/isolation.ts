/**
 * Isolation, judged by what transactions read and wrote alone (Adya, "Weak Consistency"; Kingsbury
 * and Alvaro, "Elle"): whoever read a version comes after its author and before those who overwrote
 * it, and nobody comes before himself in ways that the level forbids. Timestamps are not believed
 * here, nor looked at: `snapshots.ts` does that.
 */
import { authorsOf } from "./authors.ts";
import { forbiddenCycles } from "./cycles.ts";
import { frontiers } from "./frontier.ts";
import { type Edge, graphOf, ordering } from "./graph.ts";
import type { Anomaly, History, Level } from "./history.ts";
import { keyUsesOf } from "./keys.ts";
import { orderList } from "./lists.ts";
import { type Part, partsOf } from "./parts.ts";
import { orderRegister } from "./registers.ts";
import { tellCycle } from "./stories.ts";
import { checkUpdates } from "./updates.ts";

/** Everything in `history` that `level` forbids; in time nearly linear in its length. */
export function checkIsolation(history: History, level: Level): readonly Anomaly[] {
  const authors = authorsOf(history);
  const parts = partsOf(history, authors);
  const anomalies = [...parts.anomalies];
  const edges: Edge[] = [];
  const findings = { edges, anomalies };
  for (const use of keyUsesOf(history, parts.all)) {
    if (use.isList) orderList(use, authors, parts.writing, findings);
    else orderRegister(use, authors, parts.writing, level.order === "real time", findings);
    checkUpdates(use, anomalies);
  }
  addOrder(parts.all, level, edges);
  for (const cycle of forbiddenCycles(graphOf(parts.all.length, edges), level)) {
    anomalies.push(tellCycle(cycle, parts.all));
  }
  return anomalies;
}

/** The order that does not come from data: within transactions, of sessions, of real time. */
function addOrder(parts: readonly Part[], { order }: Level, edges: Edge[]): void {
  const spans = spansOf(parts);
  for (const { first, last } of spans) {
    if (first !== last) edges.push(ordering("within", first.index, last.index));
  }
  if (order === "none") return;
  const timely = spans.filter(({ first }) => !first.transaction.stale);
  const sessions = new Map<string, WholeSpan[]>();
  for (const span of timely) {
    const { client } = span.first.transaction;
    const session = sessions.get(client);
    if (session === undefined) sessions.set(client, [span]);
    else session.push(span);
  }
  for (const session of sessions.values()) addFrontiers("session", session, edges);
  if (order === "real time") addFrontiers("real time", timely, edges);
}

/** A transaction from its first to its last part. */
interface WholeSpan {
  readonly first: Part;
  readonly last: Part;
  readonly begin: number;
  readonly end: number;
}

function spansOf(parts: readonly Part[]): WholeSpan[] {
  const spans: WholeSpan[] = [];
  for (const part of parts) {
    const previous = spans.at(-1);
    if (previous !== undefined && previous.first.transaction === part.transaction) {
      spans[spans.length - 1] = { ...previous, last: part };
    } else {
      const { begin, end } = part.transaction;
      spans.push({ first: part, last: part, begin, end });
    }
  }
  return spans;
}

function addFrontiers(
  kind: "session" | "real time",
  spans: readonly WholeSpan[],
  edges: Edge[],
): void {
  frontiers(spans).forEach((before, i) => {
    const { first } = spans[i] as WholeSpan;
    for (const j of before) {
      edges.push(ordering(kind, (spans[j] as WholeSpan).last.index, first.index));
    }
  });
}
