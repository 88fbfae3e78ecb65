/** One line for every input and effect of the tree. */
import { unreachable } from "../../base/assert.ts";
import type { TableMeta } from "../table/types.ts";
import type { Job, TreeEffect, TreeInput } from "./types.ts";

export function describeTreeInput(input: TreeInput): string {
  switch (input.type) {
    case "freeze":
      return `freeze ${input.marks.length} groups`;
    case "ingest":
      return `ingest region=${input.mark.region} index=${input.mark.applied} ${list(input.tables)}`;
    case "extract":
      return `extract region=${input.region} ticket=${input.ticket}`;
    case "files":
      return `files ticket=${input.ticket} ${input.operations.length} operations`;
    case "discard":
      return `discard ${input.numbers.join(",")}`;
    case "job_done":
      return `job_done ticket=${input.ticket} ${list(input.result.tables)}`;
    case "job_failed": {
      const { reason, file } = input.failure;
      return `job_failed ticket=${input.ticket} ${reason} ${file}`;
    }
    case "quarantine":
      return `quarantine region=${input.region}`;
    case "filter":
      return `filter ${input.cf}: ${input.filter.type}`;
    case "release":
      return `release ticket=${input.ticket}`;
    case "rest":
      return "rest";
    case "retry":
      return "retry";
    default:
      return unreachable(input);
  }
}

export function describeTreeEffect(effect: TreeEffect): string {
  switch (effect.type) {
    case "job":
      return `job ticket=${effect.ticket}: ${describeJob(effect.job)}`;
    case "flushed":
      return `flushed ${effect.marks.length} groups`;
    case "extracted":
      return `extracted ticket=${effect.ticket} index=${effect.mark.applied} ${list(effect.tables)}`;
    case "extract_failed":
      return `extract_failed ticket=${effect.ticket} ${effect.failure.reason}`;
    case "damaged":
      return `damaged ${effect.damage.file} at ${effect.damage.offset}`;
    case "files_written":
      return `files_written ticket=${effect.ticket}`;
    case "files_failed":
      return `files_failed ticket=${effect.ticket} ${effect.reason} ${effect.file}`;
    case "removed":
      return `removed table=${effect.number}`;
    case "stalled":
      return `stalled ${effect.reason} ${effect.file}`;
    default:
      return unreachable(effect);
  }
}

function describeJob(job: Job): string {
  const into = `tables ${job.firstNumber}..${job.firstNumber + job.numbers - 1}`;
  switch (job.type) {
    case "flush":
      return `flush ${job.memtable.bytes} bytes into ${into}`;
    case "compaction": {
      const runs = job.runs.map(list).join(" ");
      return `compact ${job.cf} ${job.fromLevel}->${job.toLevel} ${runs} into ${into}`;
    }
    case "extract":
      return `extract into ${into}`;
    default:
      return unreachable(job);
  }
}

const list = (tables: readonly TableMeta[]): string =>
  `[${tables.map(({ number }) => number).join(",")}]`;
