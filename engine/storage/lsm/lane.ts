/** What has become of writes in the table lane. */
import { assert, unreachable } from "../../base/assert.ts";
import type { StorageEffect } from "../types.ts";
import { tableNumber } from "../table/file.ts";
import type { DiskFailure, FileName } from "../disk.ts";
import { temporary, manifestFile } from "../files.ts";
import type { StorageState } from "../state.ts";
import { withTree } from "../state.ts";
import { debtOf } from "./compaction/debt.ts";
import { applyEdit } from "./manifest/edit.ts";
import { hasClears } from "./memtable/memtable.ts";
import type { TreeState, TreeWriting } from "./state.ts";

type EditWriting = Extract<TreeWriting, { readonly type: "edit" }>;

/** The write under way is done. */
export function finishTreeWrite(state: StorageState, effects: StorageEffect[]): StorageState {
  const { writing } = state.tree;
  assert(writing !== undefined, "a write is under way");
  const now: TreeState = { ...state.tree, writing: undefined };
  switch (writing.type) {
    case "removal": {
      const gone = new Set(writing.numbers);
      return withTree(state, { ...now, doomed: now.doomed.filter((n) => !gone.has(n)) });
    }
    case "files":
      effects.push({ type: "files_written", ticket: writing.request.ticket });
      return withTree(state, { ...now, files: now.files.slice(1) });
    case "edit":
      return withTree(state, afterEdit(state, now, writing, effects));
    default:
      return unreachable(writing);
  }
}

/**
 * The disk has refused the write under way; undefined where the store cannot go on. A full disk
 * loses nothing: what failed is done again later. After another failure of the manifest it is not
 * known what is durable.
 */
export function failTreeWrite(
  state: StorageState,
  reason: DiskFailure,
  file: FileName,
  effects: StorageEffect[],
): StorageState | undefined {
  const { writing } = state.tree;
  assert(writing !== undefined, "a write is under way");
  const now: TreeState = { ...state.tree, writing: undefined };
  switch (writing.type) {
    case "removal": {
      // It is a leftover from now on, and those before it are gone.
      const at = writing.numbers.indexOf(tableNumber(file) ?? 0);
      const done = new Set(at < 0 ? writing.numbers : writing.numbers.slice(0, at + 1));
      return withTree(state, { ...now, doomed: now.doomed.filter((n) => !done.has(n)) });
    }
    case "files":
      effects.push({ type: "files_failed", ticket: writing.request.ticket, reason, file });
      return withTree(state, { ...now, files: now.files.slice(1) });
    case "edit":
      if (isDone(writing, file)) return withTree(state, afterEdit(state, now, writing, effects));
      if (reason !== "no_space" || !isHarmless(writing, file)) return undefined;
      effects.push({ type: "stalled", reason, file });
      return withTree(state, withoutEdit(now, writing, state.config.lsm.manifestBytes));
    default:
      return unreachable(writing);
  }
}

/** Whether only the manifest before could not be removed: the next start does. */
const isDone = ({ rewrites, manifest }: EditWriting, file: FileName): boolean =>
  rewrites && file === manifestFile(manifest.number - 1);

/** Whether the manifest that counts is still the one before. */
const isHarmless = ({ rewrites, manifest }: EditWriting, file: FileName): boolean =>
  !rewrites || file === temporary(manifestFile(manifest.number));

function withoutEdit(now: TreeState, { rewrites }: EditWriting, manifestBytes: number): TreeState {
  const { manifest } = now;
  if (manifest === undefined) return { ...now, stalled: true };
  // Room may be too short for all of it, and enough for an edit.
  if (rewrites) return { ...now, stalled: true, rewriteBytes: manifest.size + manifestBytes };
  return { ...now, stalled: true, manifest: { ...manifest, torn: true } };
}

/** `writing` is durable: it is true from now on. */
function afterEdit(
  { config }: StorageState,
  before: TreeState,
  { edit, manifest, purpose }: EditWriting,
  effects: StorageEffect[],
): TreeState {
  const facts = applyEdit(before, edit);
  assert(typeof facts !== "string", () => `an edit is true: ${JSON.stringify(facts)}`);
  const moved = new Set(edit.added.map(({ table }) => table.number));
  const gone = edit.removed.flatMap(({ number }) => (moved.has(number) ? [] : [number]));
  const now: TreeState = {
    ...before,
    ...facts,
    manifest,
    doomed: [...before.doomed, ...gone],
    debt: debtOf(facts.version, config.lsm),
    settled: false,
  };
  switch (purpose.type) {
    case "layer":
      return afterLayer(now, effects);
    case "compaction": {
      const compactions = now.compactions.filter(({ ticket }) => ticket !== purpose.ticket);
      return { ...now, compactions };
    }
    case "other":
      return now;
    default:
      return unreachable(purpose);
  }
}

function afterLayer(now: TreeState, effects: StorageEffect[]): TreeState {
  const layer = now.layers[now.layers.length - 1];
  assert(layer !== undefined, "the edit was of a layer");
  const marks = layer.type === "memtable" ? layer.marks : [layer.mark];
  effects.push({ type: "flushed", marks });
  // What could not be read may be hidden now.
  const clears = layer.type === "ingested" || hasClears(layer.memtable);
  return {
    ...now,
    layers: now.layers.slice(0, -1),
    flush: { type: "idle" },
    extractions: now.extractions.map((extraction) =>
      extraction.layersBefore === 0
        ? extraction
        : { ...extraction, layersBefore: extraction.layersBefore - 1 },
    ),
    compactions: clears
      ? now.compactions.map((running) => ({ ...running, overtaken: true }))
      : now.compactions,
    damaged: clears ? new Set() : now.damaged,
  };
}
