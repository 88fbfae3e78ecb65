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
  readonly reads: KeyRead[];
  /** Parts that wrote the key, and happened. */
  readonly writers: Part[];
}

export function keyUsesOf(history: History, parts: readonly Part[]): readonly KeyUse[] {
  const uses = new Map<string, KeyUse>();
  for (const { accesses } of history) {
    for (const { type, key } of accesses) {
      const isList = type === "append";
      if (isList || !uses.has(key)) uses.set(key, { key, isList, reads: [], writers: [] });
    }
  }
  for (const part of parts) {
    for (const read of part.reads) uses.get(read.key)?.reads.push({ part, read });
    for (const key of part.writes.keys()) uses.get(key)?.writers.push(part);
  }
  return [...uses.values()];
}

/** The version that was read: the last element of a list. 0 is nothing. */
export const versionOf = ({ seen }: OutsideRead): Value => seen.at(-1) ?? 0;
