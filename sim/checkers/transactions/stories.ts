/** What a cycle of dependencies is called, and how it is told: who was before whom, and why. */
import { seconds } from "../../trace/trace.ts";
import type { Edge } from "./graph.ts";
import { type Anomaly, type AnomalyName, type CycleName, describeTransaction } from "./history.ts";
import type { Part } from "./parts.ts";

/** A forbidden cycle as an anomaly. */
export function tellCycle(cycle: readonly Edge[], parts: readonly Part[]): Anomaly {
  const of = (index: number): Part => parts[index] as Part;
  const members = [...new Set(cycle.map(({ from }) => of(from).transaction))];
  const who = members.length === 1 ? "the parts of this" : `these ${members.length} transactions`;
  const lines = [
    `each of ${who} comes before itself:`,
    ...members.map((one) => `  ${describeTransaction(one)}`),
    ...cycle.map((edge) => `  ${why(edge, of(edge.from), of(edge.to))}`),
  ];
  return { name: nameOf(cycle), text: lines.join("\n") };
}

/** Adya's names, told apart by what closes the cycle. */
export function nameOf(cycle: readonly Edge[]): AnomalyName {
  const base = baseName(cycle);
  if (cycle.some(({ kind }) => kind === "real time")) return `${base}-realtime`;
  if (cycle.some(({ kind }) => kind === "session")) return `${base}-process`;
  return isLongFork(cycle) ? "long fork" : base;
}

function baseName(cycle: readonly Edge[]): CycleName {
  const isAnti = (i: number): boolean => cycle[i % cycle.length]?.kind === "rw";
  const antis = cycle.filter(({ kind }) => kind === "rw").length;
  if (antis === 0) return cycle.some(({ kind }) => kind === "wr") ? "G1c" : "G0";
  if (antis === 1) return "G-single";
  return cycle.some((_, i) => isAnti(i) && isAnti(i + 1)) ? "G2-item" : "G-nonadjacent";
}

/** Two writers, and two readers each of whom saw one of the writes and missed the other. */
function isLongFork(cycle: readonly Edge[]): boolean {
  if (cycle.length !== 4) return false;
  const kinds = cycle.map(({ kind }) => kind).join(" ");
  return kinds === "wr rw wr rw" || kinds === "rw wr rw wr";
}

function why(edge: Edge, { transaction: from }: Part, { transaction: to }: Part): string {
  const { key, before, after } = edge;
  switch (edge.kind) {
    case "ww":
      return `${from.name} is before ${to.name}: it wrote ${before} to ${key}, and ${after} came later`;
    case "wr":
      return `${from.name} is before ${to.name}, which read ${key} with ${after} in it`;
    case "rw": {
      const found = before === 0 ? "nothing" : `${before} as the last`;
      const forbids = edge.free ? "" : ", and kept others from writing it";
      return `${from.name} is before ${to.name}: it found ${found} in ${key}${forbids}, not yet ${after}`;
    }
    case "within":
      return `${from.name} reads without locks before it commits`;
    case "session":
      return `${from.name} is before ${to.name} in the session of ${from.client}`;
    default:
      return (
        `${from.name} is before ${to.name}: it ended at ${seconds(from.end)}, ` +
        `before that began at ${seconds(to.begin)}`
      );
  }
}
