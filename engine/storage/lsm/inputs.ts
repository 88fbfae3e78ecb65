/**
 * What the owner says of its tree, entered into the state. What follows from it is begun
 * afterwards, in `work.ts`.
 */
import { assert, unreachable } from "../../base/assert.ts";
import type { RegionId, Ticket } from "../../base/ids.ts";
import { sequenceOfNow } from "../log/state.ts";
import { withMemtable, withTree } from "../state.ts";
import type { StorageState } from "../state.ts";
import type { TableMeta } from "../table/types.ts";
import type { StorageEffect } from "../types.ts";
import { onJobDone, onJobFailed } from "./results.ts";
import { emptyMemtable, isEmpty } from "./memtable/memtable.ts";
import type { Extraction, TreeState } from "./state.ts";
import type { GroupMark, TreeInput } from "./types.ts";

/** The state after `input`. Adds what is to be said to `effects`. */
export function enterTreeInput(
  state: StorageState,
  input: TreeInput,
  effects: StorageEffect[],
): StorageState {
  const { tree } = state;
  switch (input.type) {
    case "freeze":
      return freeze(state, input.marks);
    case "ingest":
      return ingest(state, input.tables, input.mark);
    case "extract":
      return withTree(state, { ...tree, extractions: [...tree.extractions, begun(tree, input)] });
    case "release":
      return withTree(state, release(tree, input.ticket));
    case "files": {
      const { ticket, operations } = input;
      return withTree(state, { ...tree, files: [...tree.files, { ticket, operations }] });
    }
    case "discard":
      return withTree(state, { ...tree, doomed: [...tree.doomed, ...input.numbers] });
    case "job_done":
      return withTree(state, onJobDone(tree, input.ticket, input.result, effects));
    case "job_failed":
      return withTree(state, onJobFailed(tree, input.ticket, input.failure, effects));
    case "quarantine": {
      const condemned = new Set([...tree.condemned, input.region]);
      return withTree(state, { ...tree, condemned });
    }
    case "filter":
      return withTree(state, { ...tree, filters: { ...tree.filters, [input.cf]: input.filter } });
    case "rest":
      return withTree(state, { ...tree, resting: true, settled: false });
    case "retry":
      return withTree(state, { ...tree, stalled: false, settled: false });
    default:
      return unreachable(input);
  }
}

function freeze(state: StorageState, marks: readonly GroupMark[]): StorageState {
  const { tree, memtable, log } = state;
  assert(state.identity !== undefined, "a tree belongs to someone");
  for (let i = 1; i < marks.length; i++) {
    assert(marks[i - 1]!.region < marks[i]!.region, "marks ascend");
  }
  const alive = new Set(marks.flatMap(({ region, applied }) => (applied === 0 ? [] : [region])));
  const sequence = sequenceOfNow(log);
  const layer = { type: "memtable", memtable, marks, sequence } as const;
  return withTree(withMemtable(state, emptyMemtable()), {
    ...tree,
    layers: [layer, ...tree.layers],
    // A replica that is gone takes its damage with it.
    condemned: new Set([...tree.condemned].filter((region) => alive.has(region))),
    stalled: false,
    settled: false,
    resting: false,
  });
}

function ingest(state: StorageState, tables: readonly TableMeta[], mark: GroupMark): StorageState {
  const { tree, memtable, log } = state;
  assert(isEmpty(memtable), "tables go on top of a memtable that has just been frozen");
  assert(
    tables.every(({ number }) => number < tree.nextNumber),
    "numbers of received tables have been reserved",
  );
  const layer = { type: "ingested", tables, mark, sequence: sequenceOfNow(log) } as const;
  const condemned = new Set<RegionId>(tree.condemned);
  condemned.delete(mark.region);
  const layers = [layer, ...tree.layers];
  return withTree(state, { ...tree, layers, condemned, resting: false });
}

function begun(
  tree: TreeState,
  { ticket, region, start, end }: Extract<TreeInput, { readonly type: "extract" }>,
): Extraction {
  assert(
    tree.extractions.every((other) => other.ticket !== ticket),
    "a ticket names one extraction",
  );
  const layersBefore = tree.layers.length;
  return { ticket, region, start, end, layersBefore, job: undefined, released: false };
}

function release(tree: TreeState, ticket: Ticket): TreeState {
  const extraction = tree.extractions.find((other) => other.ticket === ticket);
  // One that failed is gone already.
  if (extraction === undefined) return tree;
  const { job } = extraction;
  if (job !== undefined && job.made === undefined) {
    const extractions = tree.extractions.map((other) =>
      other === extraction ? { ...other, released: true } : other,
    );
    return { ...tree, extractions };
  }
  const extractions = tree.extractions.filter((other) => other !== extraction);
  return { ...tree, extractions, doomed: [...tree.doomed, ...(job?.made ?? [])] };
}
