/**
 * The jobs of a store in virtual time. The code of a job is run to its end at once, as its inputs
 * never change; the slices it yields go to the disk one by one, as far apart as the job may write,
 * so that a crash or another's write can fall between any two.
 */
import { assert } from "../../engine/base/assert.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import type { DiskOperation } from "../../engine/storage/disk.ts";
import { runStoreJob } from "../../engine/store/jobs.ts";
import type { Job, JobOutcome } from "../../engine/storage/lsm/types.ts";
import { onBeginning, onEnding } from "../disk/luck.ts";
import type { StoreMachine, World } from "../model.ts";
import { schedule } from "../event-queue.ts";
import { giveStore } from "./inbox.ts";

/** A job whose slices are being written. */
export interface RunningJob {
  readonly bytesPerSecond: number;
  /** Those not handed to the disk yet. */
  readonly slices: (readonly DiskOperation[])[];
  /** What it says when they are written. */
  readonly outcome: JobOutcome;
}

export function beginJob(world: World, machine: StoreMachine, ticket: Ticket, job: Job): void {
  const slices: (readonly DiskOperation[])[] = [];
  const code = runStoreJob(job, machine.disk.observer());
  let next = code.next();
  for (; next.done !== true; next = code.next()) slices.push(next.value);
  const { bytesPerSecond } = job;
  machine.jobs.set(ticket, { bytesPerSecond, slices, outcome: next.value });
  nextSlice(world, machine, ticket);
}

/** Hands the next slice to the disk; behind the last one the job is done. */
function nextSlice(world: World, machine: StoreMachine, ticket: Ticket): void {
  const job = machine.jobs.get(ticket);
  assert(job !== undefined, "a slice is of a job that runs");
  const slice = job.slices.shift();
  if (slice === undefined) {
    end(world, machine, ticket, job.outcome);
    return;
  }
  machine.disk.submitSlice(ticket, slice);
  const durationUs = machine.disk.start(onBeginning(machine.diskLuck, ticket), ticket);
  assert(durationUs !== undefined, "the slices of a job are written one at a time");
  const { incarnation } = machine;
  const paceUs = job.bytesPerSecond === 0 ? 0 : (bytesOf(slice) * 1e6) / job.bytesPerSecond;
  const time = world.timeUs + Math.max(durationUs, Math.floor(paceUs));
  schedule(world.queue, time, { type: "disk", machine, incarnation, track: ticket });
}

/** The disk has performed a slice, or refused it, which ends the job. */
export function finishSlice(world: World, machine: StoreMachine, ticket: Ticket): void {
  const answer = machine.disk.finish(onEnding(machine.diskLuck, ticket), ticket);
  if (answer.type === "written") {
    nextSlice(world, machine, ticket);
    return;
  }
  const { reason, file } = answer;
  const detail = `the disk answers ${reason}`;
  const failure = { reason, file, offset: 0, detail, damage: undefined };
  end(world, machine, ticket, { ok: false, failure });
}

function end(world: World, machine: StoreMachine, ticket: Ticket, outcome: JobOutcome): void {
  machine.jobs.delete(ticket);
  giveStore(
    world,
    machine,
    outcome.ok
      ? { type: "job_done", ticket, result: outcome.result }
      : { type: "job_failed", ticket, failure: outcome.failure },
  );
}

function bytesOf(operations: readonly DiskOperation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    if (operation.type === "append") bytes += operation.bytes.length;
  }
  return bytes;
}
