/** The jobs of a store's tree, with what a store knows of versions. */
import type { DiskOperation, DiskReader } from "../storage/disk.ts";
import { garbageFilter } from "../mvcc/garbage-filter.ts";
import { runJob } from "../storage/lsm/jobs/job.ts";
import type { Job, JobOutcome } from "../storage/lsm/types.ts";

/** The slices of `job`. Reads its tables through `disk`. */
export const runStoreJob = (
  job: Job,
  disk: DiskReader,
): Generator<readonly DiskOperation[], JobOutcome, void> => runJob(job, disk, garbageFilter);
