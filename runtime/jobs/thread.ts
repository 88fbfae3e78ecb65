/**
 * Jobs on a thread of their own: it reads and writes the store's directory by itself, so that only
 * the order and the outcome of a job cross between threads. Jobs take turns slice by slice.
 */
import type { MessagePort } from "node:worker_threads";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { DirectoryReader } from "../files/reader.ts";
import { DirectoryWriter } from "../files/writer.ts";
import { endedWith, refused } from "./code.ts";
import type { JobCode, JobOrder, JobEnded } from "./code.ts";
import { GarbageCollector } from "./garbage.ts";
import { Pace, bytesOf } from "./pace.ts";

/** Runs every job that comes through `port` and answers with its outcome. */
export function serveJobs(port: MessagePort, directory: string, code: JobCode): void {
  const reader = new DirectoryReader(directory);
  const writer = new DirectoryWriter(directory);
  const garbage = new GarbageCollector();
  port.on("message", (order: JobOrder) => {
    void run(order, reader, writer, code, garbage).then((outcome) => {
      // A table that is removed keeps its room on the disk for as long as it is open here.
      reader.close();
      writer.closeFiles();
      port.postMessage(outcome);
      garbage.rest();
    });
  });
}

async function run(
  { ticket, job }: JobOrder,
  reader: DirectoryReader,
  writer: DirectoryWriter,
  code: JobCode,
  garbage: GarbageCollector,
): Promise<JobEnded> {
  const pace = new Pace(job.bytesPerSecond, performance.now());
  const slices = code(job, reader);
  for (;;) {
    const next = slices.next();
    if (next.done === true) return endedWith(ticket, next.value);
    const failure = writer.perform(next.value);
    if (failure !== undefined) return refused(ticket, failure);
    const written = bytesOf(next.value);
    garbage.wrote(written);
    const delayMs = pace.delay(written, performance.now());
    await (delayMs > 0 ? sleep(delayMs) : turn());
  }
}
