/** What those who run jobs know of them: where their code is handed in, and what they say. */
import type { Ticket } from "../../engine/base/ids.ts";
import type { DiskOperation, DiskReader } from "../../engine/storage/disk.ts";
import type { Job, JobFailure, JobOutcome, TreeInput } from "../../engine/storage/lsm/types.ts";
import type { OperationFailure } from "../files/operations.ts";

/** The pure code of all jobs: yields slices to be performed before it is asked for the next. */
export type JobCode = (job: Job, disk: DiskReader) => JobSlices;

export type JobSlices = Generator<readonly DiskOperation[], JobOutcome, void>;

/** How a job ended, as its machine is told. */
export type JobEnded = Extract<TreeInput, { readonly type: "job_done" | "job_failed" }>;

/** To a worker: begin this one. */
export interface JobOrder {
  readonly ticket: Ticket;
  readonly job: Job;
}

export const endedWith = (ticket: Ticket, outcome: JobOutcome): JobEnded =>
  outcome.ok
    ? { type: "job_done", ticket, result: outcome.result }
    : { type: "job_failed", ticket, failure: outcome.failure };

/** A slice that the disk refused ends its job. */
export const refused = (ticket: Ticket, { reason, file }: OperationFailure): JobEnded =>
  failed(ticket, reason, file, `the disk answers ${reason} to a slice of the job`);

/** The job ended and no table is to blame. */
export const failed = (
  ticket: Ticket,
  reason: JobFailure["reason"],
  file: string,
  detail: string,
): JobEnded => ({
  type: "job_failed",
  ticket,
  failure: { reason, file, offset: 0, detail, damage: undefined },
});
