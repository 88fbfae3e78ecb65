/** Scans as reads: of every element that is there, and of those that might have been. */
import { keyFromBytes } from "../../../engine/base/bytes.ts";
import type { KeyValue } from "../../../engine/client/bytes.ts";
import type { ScanOptions } from "../../../engine/client/snapshot.ts";
import type { Read } from "../../checkers/transactions/history.ts";
import { violated } from "../../checkers/verdict.ts";
import { chance, pick, type Random } from "../../random.ts";
import { PATIENCE } from "../library.ts";
import type { Desk } from "./desk.ts";
import { readsOf, type Scribe } from "./scribe.ts";

/** Reads a whole set within a transaction. */
export async function scanSet(scribe: Scribe, set: string): Promise<void> {
  const { desk, random } = scribe.writer;
  const found = await collect(scribe.transaction, rangeOf(set, random));
  scribe.accesses.push(...scanned(desk, set, found));
}

export const rangeOf = (set: string, random: Random): ScanOptions => ({
  start: `${set}/`,
  end: `${set}0`,
  reverse: chance(random, 300_000),
  pageSize: pick(random, [1, 3, 64]),
  ...PATIENCE,
});

export async function collect(
  from: { scan(options: ScanOptions): AsyncGenerator<KeyValue, void, undefined> },
  options: ScanOptions,
): Promise<readonly KeyValue[]> {
  const found: KeyValue[] = [];
  for await (const pair of from.scan(options)) found.push(pair);
  return found;
}

/** What a scan says of all elements that anybody has ever written. */
export function scanned(desk: Desk, set: string, found: readonly KeyValue[]): readonly Read[] {
  const known = [...desk.keys].filter((key) => key.startsWith(`${set}/`));
  const stranger = found.find(({ key }) => !desk.keys.has(keyFromBytes(key)));
  if (stranger !== undefined) {
    const text = `a scan of ${set} shows ${keyFromBytes(stranger.key)}, which nobody wrote`;
    violated(desk.world, "answers", text);
  }
  const order = found.map(({ key }) => keyFromBytes(key));
  const sorted = order.toSorted((a, b) => (a < b ? -1 : 1));
  const backwards = sorted.toReversed();
  const isSame = (other: readonly string[]): boolean => other.every((key, i) => key === order[i]);
  if (!isSame(sorted) && !isSame(backwards)) {
    violated(desk.world, "answers", `a scan of ${set} is in no order: ${order.join(" ")}`);
  }
  return readsOf(known, found);
}
