/**
 * The life of a server process: start from its disk, tick, receive, take turns. What only stores or
 * only placement members do is in `store.ts` and `placement.ts`, what both share in `process.ts`.
 */
import type { Ticket } from "../../engine/base/ids.ts";
import type { Call, Machine, Payload, World } from "../model.ts";
import { AssertionError } from "../../engine/base/assert.ts";
import { violated } from "../checkers/verdict.ts";
import { trueDelay } from "../clock/clock.ts";
import type { Track } from "../disk/tracks.ts";
import { schedule } from "../event-queue.ts";
import { sendAnswer } from "../transport.ts";
import { isAlive, wake } from "./inbox.ts";
import { finishSlice } from "./jobs.ts";
import { finishWrite } from "./process.ts";
import * as placement from "./placement.ts";
import * as store from "./store.ts";

/** The process starts and reads its disk. */
export function start(world: World, machine: Machine): void {
  if (machine.status !== "down") return;
  machine.status = "up";
  machine.incarnation += 1;
  machine.starts += 1;
  machine.turnDue = false;
  machine.busyUntilUs = world.timeUs;
  guarded(world, machine, () => {
    if (machine.kind === "store") store.open(world, machine);
    else placement.open(world, machine);
  });
  machine.busyUntilUs += machine.disk.takeReadingUs();
  if (machine.status === "up") scheduleTick(world, machine);
}

/** One turn of the process: everything in its inbox goes into one step. */
export function turn(world: World, machine: Machine): void {
  machine.turnDue = false;
  if (machine.status !== "up" || machine.inbox.length === 0) return;
  machine.busyUntilUs = world.timeUs + world.knobs.turnUs;
  guarded(world, machine, () => {
    if (machine.kind === "store") store.turn(world, machine);
    else placement.turn(world, machine);
  });
  machine.busyUntilUs += machine.disk.takeReadingUs();
}

/** The disk has finished what was first on a track. */
export function diskDone(world: World, machine: Machine, track: Track): void {
  if (typeof track === "string") finishWrite(world, machine, track);
  else if (machine.kind === "store") finishSlice(world, machine, track);
}

/** Timers of a process that stands still pile up no ticks. */
export function tick(world: World, machine: Machine): void {
  const waiting = machine.status === "paused" && machine.inbox.at(-1)?.type === "tick";
  if (!waiting) machine.inbox.push({ type: "tick" });
  wake(world, machine);
  scheduleTick(world, machine);
}

function scheduleTick(world: World, machine: Machine): void {
  const time = world.timeUs + trueDelay(machine.clock, machine.tickMs * 1000);
  schedule(world.queue, time, { type: "tick", machine, incarnation: machine.incarnation });
}

/** A message from another server. One for a process that is down is lost. */
export function receive(world: World, from: number, machine: Machine, payload: Payload): void {
  if (!isAlive(machine)) return;
  if (machine.kind === "store") store.receive(world, from, machine, payload);
  else placement.receive(world, from, machine, payload);
}

/** A call arrives. A process that is down refuses the connection. */
export function serve(world: World, machine: Machine, call: Call): void {
  if (!isAlive(machine)) {
    sendAnswer(world, call, { type: "lost" });
    return;
  }
  const ticket = machine.nextTicket as Ticket;
  machine.nextTicket += 1;
  call.ticket = ticket;
  machine.serving.set(ticket, call);
  if (machine.kind === "store") store.request(machine, ticket, call);
  else placement.request(machine, ticket, call);
  wake(world, machine);
}

/** The caller of a call has gone. */
export function cancel(world: World, call: Call): void {
  const machine = call.to;
  if (call.ticket === undefined || machine.serving.get(call.ticket) !== call) return;
  machine.serving.delete(call.ticket);
  machine.inbox.push({ type: "cancelled", ticket: call.ticket });
  call.ticket = undefined;
  wake(world, machine);
}

/**
 * Runs engine code: whatever it throws is a broken promise of the engine, told with the node's
 * name.
 */
function guarded(world: World, machine: Machine, body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const what = error instanceof AssertionError ? "an assertion failed" : "the engine threw";
    violated(world, "assertions", `${machine.name}: ${what}: ${error.message}`, error.stack);
  }
}
