/**
 * Jobs for the tests of their runner. `tableBytes` of a job is the number of its slices, each of
 * which appends `sliceBytes` bytes to the file `made-<firstNumber>`; the numbers below end badly.
 */
import type { DiskOperation, DiskReader } from "../../engine/storage/disk.ts";
import type { Job } from "../../engine/storage/lsm/types.ts";
import type { JobSlices } from "../../runtime/jobs/code.ts";

export const THROWS = 1001;
export const DIES = 1002;
export const IS_REFUSED = 1003;
export const FINDS_DAMAGE = 1004;

export function* countingCode(job: Job, disk: DiskReader): JobSlices {
  const file = `made-${job.firstNumber}`;
  if (job.firstNumber === FINDS_DAMAGE) {
    const detail = "a block is damaged";
    return {
      ok: false,
      failure: { reason: "corrupt", file, offset: 7, detail, damage: undefined },
    };
  }
  yield [{ type: "create", file }];
  for (let i = 0; i < job.tableBytes; i++) {
    if (i === 2 && job.firstNumber === THROWS) throw new Error("a rule is broken");
    if (i === 2 && job.firstNumber === DIES) process.exit(3);
    const bytes = new Uint8Array(job.sliceBytes).fill(i);
    const operations: DiskOperation[] = [{ type: "append", file, bytes }];
    if (i === 2 && job.firstNumber === IS_REFUSED) operations.push({ type: "sync", file: "none" });
    yield operations;
  }
  yield [{ type: "sync", file }, { type: "sync_directory" }];
  const writtenBytes = disk.size(file) ?? 0;
  const read = disk.read("input", 0, 1000);
  const readBytes = read.ok ? read.bytes.length : 0;
  return { ok: true, result: { tables: [], readBytes, writtenBytes } };
}
