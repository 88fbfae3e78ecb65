/**
 * The event loop: takes the earliest event and gives it to the machine, client or call it is for.
 */
import type { Ask, AskOrigin, Call, Client, Outcome, Owner, World, WorldEvent } from "./model.ts";
import { unreachable } from "../engine/base/assert.ts";
import { takeDown } from "./debug/chronicle.ts";
import { nextTime, schedule, takeNext } from "./event-queue.ts";
import { look, noteOutcome } from "./film/recorder.ts";
import { diskDone, cancel, receive, serve, start, tick, turn } from "./machines/machine.ts";
import { placementAnswered } from "./machines/store.ts";
import { mix, mixBytes, mixNumber } from "./trace/hash.ts";
import { labelOf } from "./trace/label.ts";
import { attempt, sendCancel, settleAttempt } from "./transport.ts";

/**
 * Runs until the next event is later than `untilUs`, or a check was violated, or `untilEvents` are
 * over: the time is then that of the last of them.
 */
export async function runUntil(
  world: World,
  untilUs: number,
  untilEvents: number = Infinity,
): Promise<void> {
  const { queue, due, checks, trace } = world;
  if (world.stirred) await settle(world);
  while (nextTime(queue) <= untilUs && checks.violation === undefined) {
    if (world.events >= untilEvents) return;
    if (world.chronicle !== undefined && world.events >= world.chronicle.holdAt) {
      await world.chronicle.hold(world);
    }
    takeNext(queue, due);
    world.timeUs = due.time;
    world.events += 1;
    mixNumber(trace.hash, due.time);
    trace.recording?.labels.push(labelOf(world, due.event));
    dispatch(world, due.event);
    if (world.film !== undefined) look(world.film, world, due.event);
    if (world.chronicle !== undefined) takeDown(world.chronicle, world, due.event);
    trace.recording?.hashes.push(trace.hash.low);
    // Few events stir anybody: a wait at each would cost more than the event.
    if (world.stirred) await settle(world);
  }
  if (checks.violation === undefined) world.timeUs = Math.max(world.timeUs, untilUs);
}

/** Lets everybody go on who waited for a promise that is settled now. */
async function settle(world: World): Promise<void> {
  while (world.stirred) {
    world.stirred = false;
    await world.drain();
  }
}

/** Each type of event mixes its number, its node and what it carries into the trace. */
function dispatch(world: World, event: WorldEvent): void {
  const { hash } = world.trace;
  switch (event.type) {
    case "message": {
      mix(hash, (event.to << 4) | 1);
      if (event.payload instanceof Uint8Array) mixBytes(hash, event.payload);
      const machine = world.servers[event.to];
      if (machine !== undefined) receive(world, event.from, machine, event.payload);
      break;
    }
    case "tick":
      mix(hash, (event.machine.node << 4) | 2);
      if (event.machine.incarnation === event.incarnation) tick(world, event.machine);
      break;
    case "turn":
      mix(hash, (event.machine.node << 4) | 3);
      if (event.machine.incarnation === event.incarnation) turn(world, event.machine);
      break;
    case "disk":
      mix(hash, (event.machine.node << 4) | 4);
      if (event.machine.incarnation === event.incarnation) {
        diskDone(world, event.machine, event.track);
      }
      break;
    case "start":
      mix(hash, (event.machine.node << 4) | 5);
      if (event.machine.incarnation === event.incarnation) start(world, event.machine);
      break;
    case "request":
      mix(hash, (event.call.to.node << 4) | 6);
      mix(hash, event.call.id);
      serve(world, event.call.to, event.call);
      break;
    case "answer":
      mix(hash, (event.call.from << 4) | 7);
      mix(hash, event.call.id);
      if (!isPutOff(world, event, clientOf(event.call.owner)))
        answered(world, event.call, event.outcome);
      break;
    case "deadline":
      mix(hash, (event.call.from << 4) | 8);
      if (!event.call.over && !isPutOff(world, event, clientOf(event.call.owner))) {
        sendCancel(world, event.call);
        answered(world, event.call, { type: "lost" });
      }
      break;
    case "cancel":
      mix(hash, (event.call.to.node << 4) | 9);
      cancel(world, event.call);
      break;
    case "retry":
      mix(hash, 10);
      if (!isPutOff(world, event, clientOf(event.ask.origin))) retry(world, event.ask);
      break;
    case "wake":
      mix(hash, (event.client.node << 4) | 11);
      mix(hash, event.tag);
      if (!isPutOff(world, event, event.client)) event.client.wake(event.tag);
      break;
    case "action":
      mix(hash, 12);
      event.run();
      break;
    default:
      unreachable(event);
  }
}

/** Whether the event has to wait because its client stands still. It then comes again. */
function isPutOff(world: World, event: WorldEvent, client: Client | undefined): boolean {
  if (world.still.size === 0 || client === undefined) return false;
  const until = world.still.get(client);
  if (until === undefined) return false;
  if (until <= world.timeUs) {
    world.still.delete(client);
    return false;
  }
  schedule(world.queue, until, event);
  return true;
}

/** The client that waits for what comes of a call. */
function clientOf(owner: Owner | AskOrigin): Client | undefined {
  const from = owner.type === "ask" ? owner.ask.origin : owner;
  return from.type === "client" ? from.client : undefined;
}

/** The outcome of a call reaches its owner, unless the owner has stopped waiting. */
function answered(world: World, call: Call, outcome: Outcome): void {
  if (call.over) return;
  call.over = true;
  if (world.film !== undefined) noteOutcome(world.film, world.timeUs, call, outcome);
  if (call.owner.type === "client") {
    call.owner.client.answered(call.owner.tag, outcome);
    return;
  }
  const { ask } = call.owner;
  if (settleAttempt(world, ask, outcome)) askAnswered(world, ask, outcome);
}

function askAnswered(world: World, ask: Ask, outcome: Outcome): void {
  const { origin } = ask;
  if (origin.type === "client") origin.client.answered(origin.tag, outcome);
  else placementAnswered(world, origin, outcome);
}

/** Asks the next member, unless the store that asked has gone. */
function retry(world: World, ask: Ask): void {
  const { origin } = ask;
  if (origin.type === "store" && origin.machine.incarnation !== origin.incarnation) return;
  attempt(world, ask);
}
