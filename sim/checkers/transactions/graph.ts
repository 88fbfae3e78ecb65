/** The dependencies between parts of transactions: who must come before whom, and why. */
import type { Value } from "./history.ts";

export type EdgeKind =
  /** `from` wrote a version, `to` a later one. */
  | "ww"
  /** `to` read what `from` wrote. */
  | "wr"
  /** `from` read a version, `to` wrote a later one. */
  | "rw"
  /** Both are parts of one transaction: its start and its commit. */
  | "within"
  | "session"
  | "real time";

/** From and to are indices of parts, and differ. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
  /** Of ww, wr and rw. */
  readonly key: string;
  /** The version that was there before, and the one that `to` made of it; 0 is nothing. */
  readonly before: Value;
  readonly after: Value;
  /**
   * Of rw: `to` may have committed before `from` did. A lock, or a write of the same key, forbids
   * that.
   */
  readonly free: boolean;
}

/** Edges by where they begin: those of part `i` are at `offsets[i]` up to `offsets[i + 1]`. */
export interface Graph {
  readonly size: number;
  readonly edges: readonly Edge[];
  readonly offsets: Int32Array;
}

export function graphOf(size: number, edges: readonly Edge[]): Graph {
  const offsets = new Int32Array(size + 1);
  for (const { from } of edges) offsets[from + 1] = (offsets[from + 1] as number) + 1;
  for (let i = 0; i < size; i++) {
    offsets[i + 1] = (offsets[i + 1] as number) + (offsets[i] as number);
  }
  const next = offsets.slice();
  const ordered: Edge[] = Array.from({ length: edges.length });
  for (const edge of edges) {
    const at = next[edge.from] as number;
    next[edge.from] = at + 1;
    ordered[at] = edge;
  }
  return { size, edges: ordered, offsets };
}

export const ordering = (
  kind: "within" | "session" | "real time",
  from: number,
  to: number,
): Edge => ({ from, to, kind, key: "", before: 0, after: 0, free: false });
