/**
 * What stores and placement members have in common as processes: they answer calls, write to their
 * disks, log, crash, pause and go on.
 */
import type { StoreId, Ticket } from "../../engine/base/ids.ts";
import type { LogEffect } from "../../engine/base/log.ts";
import type { DiskInput, Lane, WriteEffect } from "../../engine/storage/disk.ts";
import type { Machine, Outcome, StoreMachine, World } from "../model.ts";
import type { Crash } from "../disk/disk.ts";
import { drawsOf } from "../decisions/decisions.ts";
import { onBeginning, onEnding } from "../disk/luck.ts";
import { schedule } from "../event-queue.ts";
import type { Trap } from "../faults/traps.ts";
import { nameOf } from "../names.ts";
import { below, chance } from "../random.ts";
import { violated } from "../checkers/verdict.ts";
import { markLine } from "../search/store-marks.ts";
import { narrate, seconds } from "../trace/trace.ts";
import { sendAnswer } from "../transport.ts";
import { givePlacement, giveStore, wake } from "./inbox.ts";

/** Answers the call of this ticket, unless it was cancelled. */
export function answer(world: World, machine: Machine, ticket: Ticket, outcome: Outcome): void {
  const call = machine.serving.get(ticket);
  if (call === undefined) return;
  machine.serving.delete(ticket);
  sendAnswer(world, call, outcome);
}

/** Hands a write to the disk. */
export function write(world: World, machine: Machine, effect: WriteEffect): void {
  machine.disk.submit(effect);
  startWrite(world, machine, effect.lane);
}

function startWrite(world: World, machine: Machine, track: Lane): void {
  const durationUs = machine.disk.start(onBeginning(machine.diskLuck, track), track);
  if (durationUs === undefined) return;
  const { incarnation } = machine;
  schedule(world.queue, world.timeUs + durationUs, { type: "disk", machine, incarnation, track });
}

/** The disk has finished a write. A paused process hears of it when it goes on. */
export function finishWrite(world: World, machine: Machine, track: Lane): void {
  const input: DiskInput = machine.disk.finish(onEnding(machine.diskLuck, track), track);
  machine.inbox.push(input);
  startWrite(world, machine, track);
  wake(world, machine);
}

/** The process ends where it stands; with `power` the disk also loses what was not synced. */
export function crash(world: World, machine: Machine, kind: Crash): void {
  if (machine.status === "down" || machine.status === "broken") return;
  machine.status = "down";
  machine.incarnation += 1;
  machine.turnDue = false;
  machine.inbox = [];
  machine.trap = undefined;
  const name = `crash/${machine.name}/${machine.starts}`;
  machine.disk.crash(kind, drawsOf(world.decisions, name));
  machine.state = undefined;
  if (machine.kind === "store") machine.jobs.clear();
  const isTold = (who: string, millionths: number): boolean =>
    chance(drawsOf(world.decisions, `${name}/told/${who}`), millionths);
  for (const call of machine.serving.values()) {
    // A lost machine leaves its callers waiting; a dead process resets their connections.
    if (kind === "process" || isTold(nameOf(world, call.from), 300_000)) {
      sendAnswer(world, call, { type: "lost" });
    }
  }
  machine.serving.clear();
  tellPeers(world, machine, (peer) => isTold(peer.name, 500_000));
}

/** The process ends between two effects of a step. */
export function fallInto(world: World, machine: Machine, trap: Trap): void {
  const { after, power, downUs } = trap;
  const text = `${machine.name} ${power ? "loses power" : "crashes"} behind a ${after} of a step`;
  narrate(world.trace, world.timeUs, "fault", `${text} for ${seconds(downUs)}`);
  crash(world, machine, power ? "power" : "process");
  startLater(world, machine, downUs);
}

/**
 * The store loses its disk with all that was on it. What starts next is a new store at an address
 * of its own: nothing reaches it that was sent to the old one.
 */
export function loseDisk(
  world: World,
  machine: StoreMachine,
  why: string = "its disk was lost",
): void {
  const { node, config, losses } = machine;
  crash(world, machine, "power");
  machine.status = "down";
  machine.disk.erase();
  machine.seen.clear();
  losses.push({
    timeUs: world.timeUs,
    store: machine.id,
    incarnation: machine.incarnation,
    why,
  });
  machine.id = 0 as StoreId;
  const host = `store${node + 1}-${losses.length + 1}`;
  machine.config = { ...config, address: `${host}:20160`, statusAddress: `${host}:20180` };
  const { events } = world.queue;
  for (const [i, event] of events.entries()) {
    const isForIt =
      (event.type === "message" && event.to === node) ||
      (event.type === "request" && event.call.to === machine);
    if (isForIt) events[i] = { type: "action", name: "nobody there", run: () => undefined };
  }
}

/** Some of the others notice at once that their connection to a crashed process is gone. */
function tellPeers(world: World, crashed: Machine, isTold: (peer: Machine) => boolean): void {
  if (crashed.kind === "store") {
    for (const peer of world.stores) {
      if (peer === crashed || crashed.id === 0 || !isTold(peer)) continue;
      giveStore(world, peer, { type: "unreachable", store: crashed.id });
    }
    return;
  }
  for (const peer of world.members) {
    if (peer === crashed || !isTold(peer)) continue;
    givePlacement(world, peer, { type: "unreachable", member: crashed.id });
  }
}

/** Starts the process after `delayUs`, unless something else has started it by then. */
export function startLater(world: World, machine: Machine, delayUs: number): void {
  schedule(world.queue, world.timeUs + delayUs, {
    type: "start",
    machine,
    incarnation: machine.incarnation,
  });
}

/** The process stands still: time passes, inputs pile up, nothing is done. */
export function pause(machine: Machine): void {
  if (machine.status === "up") machine.status = "paused";
}

export function resume(world: World, machine: Machine): void {
  if (machine.status !== "paused") return;
  machine.status = "up";
  machine.turnDue = false;
  wake(world, machine);
}

/** The engine asks for the process to end; an operator starts it again a little later. */
export function stopped(world: World, machine: Machine, reason: string): void {
  narrate(world.trace, world.timeUs, "node", `${machine.name} stops: ${reason}`);
  crash(world, machine, "process");
  const random = drawsOf(world.decisions, `operator/${machine.name}/${machine.starts}`);
  startLater(world, machine, 500_000 + below(random, 1_500_000));
}

/** What a node logs above debug level becomes part of the story, up to a limit. */
export function logged(world: World, machine: Machine, effect: LogEffect): void {
  markLine(world, effect);
  if (effect.level !== "error" && effect.level !== "warn") return;
  const fields = Object.entries(effect.fields).map(([name, value]) => `${name}=${value}`);
  const text = `${machine.name}: ${[effect.message, ...fields].join(" ")}`;
  narrate(world.trace, world.timeUs, "node", text);
}

/** Its data could not be opened: without injected corruption that is a broken promise. */
export function refuseToStart(
  world: World,
  machine: Machine,
  problem: {
    readonly reason: string;
    readonly file: string;
    readonly offset: number;
    readonly detail: string;
  },
): void {
  machine.status = "broken";
  const place = `${problem.file} at ${problem.offset}`;
  const text = `${machine.name} cannot open its data: ${problem.reason}, ${place}: ${problem.detail}`;
  violated(world, "recovery", text);
}
