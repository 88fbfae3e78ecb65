/** Lost updates: two transactions that happened read one version, and both wrote the next. */
import type { Anomaly, Value } from "./history.ts";
import type { KeyUse } from "./keys.ts";
import { versionOf } from "./keys.ts";
import type { Part } from "./parts.ts";

export function checkUpdates({ key, reads, isRemoved }: KeyUse, anomalies: Anomaly[]): void {
  const first = new Map<Value, Part>();
  for (const { part, read } of reads) {
    if (!part.writes.has(key)) continue;
    const version = versionOf(read);
    if (version === 0 && isRemoved) continue;
    const other = first.get(version);
    if (other === undefined || other === part) {
      first.set(version, part);
      continue;
    }
    const found = version === 0 ? "nothing" : String(version);
    const [a, b] = [other, part].map(
      ({ transaction, writes }) => `${transaction.name} wrote ${writes.get(key)?.join(" ")}`,
    );
    const text = `two transactions found ${key} to end in ${found} and went on from there: ${a}, ${b}`;
    anomalies.push({ name: "lost update", text });
    return;
  }
}
