/** Where a version that was read came from: from somebody whose transaction happened. */
import type { Authors } from "./authors.ts";
import { authorOf } from "./authors.ts";
import type { Edge } from "./graph.ts";
import type { Anomaly, Value } from "./history.ts";
import { describeSeen } from "./history.ts";
import type { KeyRead } from "./keys.ts";

/** What looking through the keys gives. Mutable. */
export interface Findings {
  readonly edges: Edge[];
  readonly anomalies: Anomaly[];
}

/** Whether `value` is a write that happened; says what is wrong where it is not. */
export function checkSource(
  key: string,
  value: Value,
  { part, read }: KeyRead,
  authors: Authors,
  anomalies: Anomaly[],
): boolean {
  const author = authorOf(authors, key, value)?.transaction;
  const reads = `${part.transaction.name} reads ${key}: ${describeSeen(read.seen)}`;
  if (author === undefined) {
    anomalies.push({ name: "garbage read", text: `${reads}, but nobody wrote ${value}` });
    return false;
  }
  if (author.outcome === "fail") {
    const text = `${reads}, with ${value} of ${author.name}, which did not happen`;
    anomalies.push({ name: "G1a", text });
    return false;
  }
  return true;
}
