/**
 * What the tree begins of itself: jobs, and the one write of the table lane. Flushes go before
 * compactions, for memory waits for them; one of them runs at a time, since layers leave in order.
 */
import { assert } from "../../base/assert.ts";
import { idKey } from "../../base/big-endian.ts";
import * as tree from "../../base/tree.ts";
import type { DiskOperation } from "../disk.ts";
import { withTree } from "../state.ts";
import type { StorageState } from "../state.ts";
import { tableFile } from "../table/file.ts";
import type { TableMeta, TableOptions } from "../table/types.ts";
import { COLUMN_FAMILIES } from "../types.ts";
import type { StorageEffect } from "../types.ts";
import { paceOf } from "./compaction/debt.ts";
import { appendEdit, isOvergrown, rewriteManifest } from "./manifest/manifest.ts";
import { isEmpty } from "./memtable/memtable.ts";
import { choiceEdit, nextEdit } from "./manifest/next-edit.ts";
import type { NextEdit } from "./manifest/next-edit.ts";
import { nextCompaction } from "./compaction/picking.ts";
import type { Merge } from "./compaction/picking.ts";
import { meets } from "./run.ts";
import type { Extraction, TreeState, TreeWriting } from "./state.ts";
import type { ExtractJob, Job, JobFailure, LsmConfig } from "./types.ts";
import { totalBytes } from "./version.ts";

/** Files removed by one write. */
const REMOVALS = 64;
/** Tables of a compaction beside those that its bytes ask for. */
const SPARE_NUMBERS = 2;

/** Begins whatever can begin. */
export function beginTreeWork(state: StorageState, effects: StorageEffect[]): StorageState {
  let next = beginFlush(state, effects);
  next = beginExtraction(next, effects);
  if (next.tree.writing !== undefined) return next;
  next = beginWrite(next, effects);
  return next.tree.writing === undefined ? beginCompaction(next, effects) : next;
}

function beginFlush(state: StorageState, effects: StorageEffect[]): StorageState {
  const { tree: now, config } = state;
  const layer = now.layers[now.layers.length - 1];
  if (layer === undefined || layer.type !== "memtable" || now.flush.type !== "idle") return state;
  if (now.stalled || isEmpty(layer.memtable)) return state;
  const { memtable } = layer;
  const numbers = COLUMN_FAMILIES.length + Math.ceil(memtable.bytes / config.lsm.tableBytes);
  const common = commonOf(state, numbers);
  const { firstNumber } = common;
  return beginJob(state, { type: "flush", ...common, bytesPerSecond: 0, memtable }, effects, {
    flush: { type: "running", ticket: state.nextTicket, firstNumber, numbers },
  });
}

/** One runs at a time; others wait in the order they came. */
function beginExtraction(state: StorageState, effects: StorageEffect[]): StorageState {
  const { extractions } = state.tree;
  if (extractions.length === 0) return state;
  if (extractions.some(({ job }) => job !== undefined && job.made === undefined)) return state;
  const next = extractions.find(({ job, layersBefore }) => job === undefined && layersBefore === 0);
  if (next === undefined) return state;
  const mark = tree.get(state.tree.marks, idKey(next.region));
  if (mark === undefined || mark.applied === 0) {
    const failure = unknownRegion(next);
    effects.push({ type: "extract_failed", ticket: next.ticket, failure });
    const left = extractions.filter((other) => other !== next);
    return beginExtraction(withTree(state, { ...state.tree, extractions: left }), effects);
  }
  const numbers = COLUMN_FAMILIES.length;
  const families = COLUMN_FAMILIES.map((cf) => ({ cf, runs: runsWithin(state.tree, next, cf) }));
  const job: ExtractJob = {
    type: "extract",
    ...commonOf(state, numbers),
    tableBytes: Number.MAX_SAFE_INTEGER,
    start: next.start,
    end: next.end,
    families,
  };
  const inputs = families.flatMap(({ runs }) => runs.flat().map(({ number }) => number));
  const { firstNumber } = job;
  const ticket = state.nextTicket;
  const running = { ...next, job: { ticket, mark, inputs, firstNumber, numbers, made: undefined } };
  return beginJob(state, job, effects, {
    extractions: extractions.map((other) => (other === next ? running : other)),
  });
}

const unknownRegion = ({ region }: Extraction): JobFailure => ({
  reason: "missing",
  file: "",
  offset: 0,
  detail: `nothing is durable of region ${region}`,
  damage: undefined,
});

/** Newest first. */
function runsWithin(
  now: TreeState,
  { start, end }: Extraction,
  cf: TableMeta["cf"],
): readonly (readonly TableMeta[])[] {
  return now.version.levels[cf].flatMap((run, level) => {
    const tables = run.filter((table) => meets(table, start, end));
    if (tables.length === 0) return [];
    return level === 0 ? tables.map((table) => [table]) : [tables];
  });
}

/** What is picked from a version that is about to change could not be done. */
function beginCompaction(state: StorageState, effects: StorageEffect[]): StorageState {
  const { tree: now, config } = state;
  const { compactions, damaged, pointers, resting, version } = now;
  if (now.settled || now.stalled || compactions.length >= config.lsm.compactions) return state;
  const running = compactions.map(({ merge }) => merge);
  const choice = nextCompaction({
    version,
    pointers,
    running,
    damaged,
    resting,
    config: config.lsm,
  });
  if (choice === undefined) return withTree(state, { ...now, settled: true });
  if (choice.type !== "merge") return writeEdit(state, choiceEdit(now, choice), effects);
  return beginCompaction(beginMerge(state, choice, effects), effects);
}

function beginMerge(state: StorageState, merge: Merge, effects: StorageEffect[]): StorageState {
  const { tree: now, config, nextTicket: ticket } = state;
  const { cf, runs, fromLevel, toLevel, bottom, covered, cuts } = merge;
  const bytes = totalBytes(runs.flat());
  const numbers = Math.ceil(bytes / config.lsm.tableBytes) + cuts.length + SPARE_NUMBERS;
  const common = commonOf(state, numbers);
  const filter = now.filters[cf];
  const job: Job = {
    type: "compaction",
    ...common,
    options: optionsAt(config.lsm, toLevel),
    bytesPerSecond: paceOf(now.debt, config.lsm),
    cf,
    runs,
    fromLevel,
    toLevel,
    bottom,
    cuts,
    covered,
    filter,
  };
  const { firstNumber } = common;
  const made = { firstNumber, numbers, result: undefined };
  const running = { ticket, merge, ...made, overtaken: false };
  return beginJob(state, job, effects, { compactions: [...now.compactions, running] });
}

/** How a table of this level is written: what will be read for long is worth compressing. */
const optionsAt = ({ table, compressFrom }: LsmConfig, level: number): TableOptions =>
  level < compressFrom ? table : { ...table, compression: "lz4" };

/** What every job is given; its numbers are `numbers` from the next one on. */
function commonOf(
  { config, tree: now }: StorageState,
  numbers: number,
): Pick<
  Job,
  "firstNumber" | "numbers" | "options" | "tableBytes" | "sliceBytes" | "bytesPerSecond"
> {
  return {
    firstNumber: now.nextNumber,
    numbers,
    options: config.lsm.table,
    tableBytes: config.lsm.tableBytes,
    sliceBytes: config.sliceBytes,
    bytesPerSecond: config.lsm.bytesPerSecond,
  };
}

function beginJob(
  state: StorageState,
  job: Job,
  effects: StorageEffect[],
  changes: Partial<TreeState>,
): StorageState {
  const ticket = state.nextTicket;
  effects.push({ type: "job", ticket, job });
  const nextNumber = state.tree.nextNumber + job.numbers;
  return withTree(state, { ...state.tree, ...changes, nextNumber }, ticket);
}

/** Removals make room, so they go first; then edits; then what the owner receives. */
function beginWrite(state: StorageState, effects: StorageEffect[]): StorageState {
  const { tree: now, nextTicket: ticket } = state;
  const numbers = removable(now);
  if (numbers.length > 0) {
    for (const number of numbers) effects.push({ type: "removed", number });
    const operations = numbers.map(
      (number) => ({ type: "remove", file: tableFile(number) }) as const,
    );
    return beginLane(state, { type: "removal", ticket, numbers }, operations, effects);
  }
  const due = now.stalled ? undefined : nextEdit(state);
  if (due !== undefined) return writeEdit(state, due, effects);
  const request = now.files[0];
  if (request === undefined) return state;
  const { operations } = request;
  return beginLane(state, { type: "files", ticket, request }, operations, effects);
}

/** Some of the files that can go: those that no job reads. */
function removable(now: TreeState): readonly number[] {
  if (now.doomed.length === 0) return [];
  const pinned = new Set<number>();
  for (const { merge } of now.compactions) {
    for (const { number } of merge.leaving) pinned.add(number);
  }
  for (const { job } of now.extractions) {
    if (job !== undefined && job.made === undefined) for (const n of job.inputs) pinned.add(n);
  }
  return now.doomed.filter((number) => !pinned.has(number)).slice(0, REMOVALS);
}

function writeEdit(
  state: StorageState,
  { edit, purpose }: NextEdit,
  effects: StorageEffect[],
): StorageState {
  const { tree: now, config, identity, wire, nextTicket: ticket } = state;
  assert(identity !== undefined, "a tree belongs to someone");
  const before = now.manifest;
  const rewrites =
    before === undefined ||
    (before.size >= now.rewriteBytes && isOvergrown(before, config.lsm.manifestBytes));
  const { operations, manifest } = rewrites
    ? rewriteManifest(before, now, edit, identity, wire)
    : appendEdit(before, edit, wire);
  const writing: TreeWriting = { type: "edit", ticket, edit, manifest, rewrites, purpose };
  return beginLane(state, writing, operations, effects);
}

function beginLane(
  state: StorageState,
  writing: TreeWriting,
  operations: readonly DiskOperation[],
  effects: StorageEffect[],
): StorageState {
  effects.push({ type: "write", lane: "table", ticket: writing.ticket, operations });
  return withTree(state, { ...state.tree, writing }, writing.ticket);
}
