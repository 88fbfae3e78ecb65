/**
 * Which edit of the manifest is due. One thing an edit: a layer with its marks, a compaction, a
 * table that changes its level. Replicas to be remembered as damaged ride along with any.
 */
import { idKey } from "../../../base/big-endian.ts";
import { equalBytes } from "../../../base/bytes.ts";
import type { RegionId } from "../../../base/ids.ts";
import * as tree from "../../../base/tree.ts";
import { durableSequence } from "../../log/state.ts";
import type { StorageState } from "../../state.ts";
import type { TableMeta } from "../../table/types.ts";
import { COLUMN_FAMILIES } from "../../types.ts";
import { unite, NO_CLEARS } from "../clears.ts";
import type { ManifestEdit } from "./edit.ts";
import { isEmpty } from "../memtable/memtable.ts";
import { tablesWithin } from "../hidden.ts";
import { busyTables } from "../compaction/picking.ts";
import type { Choice } from "../compaction/picking.ts";
import type { EditPurpose, RunningCompaction, TreeState } from "../state.ts";
import type { GroupMark, Layer } from "../types.ts";

export interface NextEdit {
  readonly edit: ManifestEdit;
  readonly purpose: EditPurpose;
}

/** The edit for what is done, or undefined. */
export function nextEdit(state: StorageState): NextEdit | undefined {
  const { tree: now, log } = state;
  const layer = now.layers[now.layers.length - 1];
  const tables = layer === undefined ? undefined : readyTables(now, layer);
  if (layer !== undefined && tables !== undefined && layer.sequence <= durableSequence(log)) {
    return { edit: layerEdit(now, layer, tables), purpose: { type: "layer" } };
  }
  for (const running of now.compactions) {
    const edit = compactionEdit(now, running);
    if (edit !== undefined) {
      return { edit, purpose: { type: "compaction", ticket: running.ticket } };
    }
  }
  const facts = plainEdit(now);
  return facts.quarantined.length === 0 ? undefined : { edit: facts, purpose: { type: "other" } };
}

/** The edit that carries out a choice which needs no job. */
export function choiceEdit(
  now: TreeState,
  choice: Exclude<Choice, { readonly type: "merge" }>,
): NextEdit {
  const { leaving: removed } = choice;
  const plain = { ...plainEdit(now), removed };
  const purpose = { type: "other" } as const;
  if (choice.type === "drop") return { edit: plain, purpose };
  return { edit: { ...plain, added: choice.tables }, purpose };
}

/** What becomes of the oldest layer, as soon as it is known. */
function readyTables({ flush }: TreeState, layer: Layer): readonly TableMeta[] | undefined {
  if (layer.type === "ingested") return layer.tables;
  if (isEmpty(layer.memtable)) return [];
  return flush.type === "ready" ? flush.tables : undefined;
}

function layerEdit(now: TreeState, layer: Layer, tables: readonly TableMeta[]): ManifestEdit {
  const marks = layer.type === "memtable" ? layer.marks : [layer.mark];
  const busy = busyTables(now.compactions.map(({ merge }) => merge));
  const hidden = COLUMN_FAMILIES.flatMap((cf) => {
    const clears = tables
      .filter((table) => table.cf === cf)
      .reduce((all, table) => unite(all, table.clears), NO_CLEARS);
    return tablesWithin(now.version, cf, clears, busy);
  });
  return {
    ...plainEdit(now),
    batch: layer.sequence,
    added: tables.map((table) => ({ level: 0, table })),
    removed: hidden,
    marks: marks.filter((mark) => !isKnown(now, mark)),
    forgotten: layer.type === "memtable" ? forgotten(now, marks) : [],
    healed: [...now.quarantined].filter(
      (region) => !now.condemned.has(region) && isHealed(region, layer, marks),
    ),
  };
}

function isKnown(now: TreeState, { region, applied, appliedTerm, meta }: GroupMark): boolean {
  const known = tree.get(now.marks, idKey(region));
  if (known === undefined || known.applied !== applied) return false;
  return known.appliedTerm === appliedTerm && equalBytes(known.meta, meta);
}

/** Regions that the manifest knows and `marks`, which are all there are, do not. */
function forgotten(now: TreeState, marks: readonly GroupMark[]): readonly RegionId[] {
  const named = new Set(marks.map(({ region }) => region));
  const gone: RegionId[] = [];
  for (const [, { region }] of tree.entries(now.marks)) if (!named.has(region)) gone.push(region);
  return gone;
}

/** Whether a damaged replica has been replaced, or is gone. */
function isHealed(region: RegionId, layer: Layer, marks: readonly GroupMark[]): boolean {
  const mark = marks.find((other) => other.region === region);
  return layer.type === "ingested" ? mark !== undefined : (mark?.applied ?? 0) === 0;
}

function compactionEdit(
  now: TreeState,
  { merge, result }: RunningCompaction,
): ManifestEdit | undefined {
  if (result === undefined) return undefined;
  const { leaving: removed, toLevel: level, pointers } = merge;
  const added = result.tables.map((table) => ({ level, table }));
  return { ...plainEdit(now), added, removed, pointers };
}

/** Changes nothing but what rides along. */
const plainEdit = (now: TreeState): ManifestEdit => ({
  batch: now.batch,
  nextNumber: now.nextNumber,
  added: [],
  removed: [],
  marks: [],
  forgotten: [],
  quarantined: [...now.condemned].filter((region) => !now.quarantined.has(region)),
  healed: [],
  pointers: [],
});
