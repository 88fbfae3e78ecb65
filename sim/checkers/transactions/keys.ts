/** The same history seen from the keys: who read and who wrote each of them. */
import type { History, Value } from "./history.ts";
import type { OutsideRead } from "./own-view.ts";
import type { Part } from "./parts.ts";

export interface KeyRead {
  readonly part: Part;
  readonly read: OutsideRead;
}

export interface KeyUse {
  readonly key: string;
  readonly isList: boolean;
  /** Whether anybody removes it: then who finds nothing may have read several versions. */
  readonly isRemoved: boolean;
  readonly reads: KeyRead[];
  /** Parts that wrote the key, and happened. */
  readonly writers: Part[];
}

export function keyUsesOf(history: History, parts: readonly Part[]): readonly KeyUse[] {
  const lists = new Set<string>();
  const removed = new Set<string>();
  const keys = new Set<string>();
  for (const { accesses } of history) {
    for (const { type, key } of accesses) {
      keys.add(key);
      if (type === "append") lists.add(key);
      if (type === "remove") removed.add(key);
    }
  }
  const uses = new Map<string, KeyUse>();
  for (const key of keys) {
    const kind = { isList: lists.has(key), isRemoved: removed.has(key) };
    uses.set(key, { key, ...kind, reads: [], writers: [] });
  }
  for (const part of parts) {
    for (const read of part.reads) uses.get(read.key)?.reads.push({ part, read });
    for (const key of part.writes.keys()) uses.get(key)?.writers.push(part);
  }
  return [...uses.values()];
}

/** The version that was read: the last element of a list. 0 is nothing. */
export const versionOf = ({ seen }: OutsideRead): Value => seen.at(-1) ?? 0;
