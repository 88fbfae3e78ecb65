/** What has become of jobs. */
import { fail } from "../../base/assert.ts";
import type { Ticket } from "../../base/ids.ts";
import type { StorageEffect } from "../types.ts";
import type { Extraction, TreeState } from "./state.ts";
import type { JobFailure, JobResult } from "./types.ts";

/** The job of this ticket has made its tables, and they are durable. */
export function onJobDone(
  tree: TreeState,
  ticket: Ticket,
  result: JobResult,
  effects: StorageEffect[],
): TreeState {
  const { flush, compactions, extractions } = tree;
  if (flush.type === "running" && flush.ticket === ticket) {
    return { ...tree, flush: { type: "ready", tables: result.tables } };
  }
  if (compactions.some((running) => running.ticket === ticket)) {
    return {
      ...tree,
      compactions: compactions.map((running) =>
        running.ticket === ticket ? { ...running, result } : running,
      ),
    };
  }
  const extraction = extractionOf(tree, ticket);
  const { job } = extraction;
  const made = result.tables.map(({ number }) => number);
  if (extraction.released) {
    return without(tree, extraction, made);
  }
  effects.push({
    type: "extracted",
    ticket: extraction.ticket,
    mark: job.mark,
    tables: result.tables,
  });
  const done = { ...extraction, job: { ...job, made } };
  return {
    ...tree,
    extractions: extractions.map((other) => (other.ticket === extraction.ticket ? done : other)),
  };
}

/**
 * The job of this ticket could not be done. What it has written is not trusted, and removed;
 * compactions and flushes are tried again when there is hope.
 */
export function onJobFailed(
  tree: TreeState,
  ticket: Ticket,
  failure: JobFailure,
  effects: StorageEffect[],
): TreeState {
  const { flush, compactions } = tree;
  const { reason, file, damage } = failure;
  if (flush.type === "running" && flush.ticket === ticket) {
    effects.push({ type: "stalled", reason, file });
    const doomed = [...tree.doomed, ...numbersOf(flush)];
    return { ...tree, flush: { type: "idle" }, stalled: true, doomed };
  }
  const compaction = compactions.find((running) => running.ticket === ticket);
  if (compaction !== undefined) {
    const left = {
      ...tree,
      compactions: compactions.filter((running) => running !== compaction),
      doomed: [...tree.doomed, ...numbersOf(compaction)],
      settled: false,
    };
    if (damage !== undefined) {
      effects.push({ type: "damaged", damage });
      if (compaction.overtaken) return left;
      return { ...left, damaged: new Set([...tree.damaged, damage.table]) };
    }
    effects.push({ type: "stalled", reason, file });
    return { ...left, stalled: true };
  }
  const extraction = extractionOf(tree, ticket);
  if (!extraction.released) {
    effects.push({ type: "extract_failed", ticket: extraction.ticket, failure });
  }
  return without(tree, extraction, numbersOf(extraction.job));
}

/** The numbers that a job may have used. */
const numbersOf = (job: {
  readonly firstNumber: number;
  readonly numbers: number;
}): readonly number[] => Array.from({ length: job.numbers }, (_, i) => job.firstNumber + i);

function extractionOf(
  { extractions }: TreeState,
  ticket: Ticket,
): Extraction & { readonly job: NonNullable<Extraction["job"]> } {
  for (const extraction of extractions) {
    const { job } = extraction;
    if (job?.ticket === ticket) return { ...extraction, job };
  }
  return fail(`no job has ticket ${ticket}`);
}

const without = (
  tree: TreeState,
  { ticket }: Extraction,
  numbers: readonly number[],
): TreeState => ({
  ...tree,
  extractions: tree.extractions.filter((other) => other.ticket !== ticket),
  doomed: [...tree.doomed, ...numbers],
});
