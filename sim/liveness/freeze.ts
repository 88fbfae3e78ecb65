/**
 * The end of the faults: whoever has to recover is healed, and all links among them; the failures
 * of the others freeze as they are. No frozen failure may keep a core from recovering that has a
 * majority of every group, so some are put right first:
 *
 * - A link between the core and somebody else is cut with all of the core or with none of it, in
 *   each direction, but for a store that hears nobody, which the placement driver does not hear
 *   either. Raft promises nothing to a member that hears no leader while another one
 *   commits through a bridge. And without check-quorum a leader that hears nobody leads for ever,
 *   so then it is cut off both ways.
 * - A disk has room and performs what it is asked for, however slowly. A leader on a full disk
 *   stays the leader, as everywhere else.
 * - Wall clocks go on. A rate that is wrong stays wrong, as leases allow for that.
 */
import { unreachable } from "../../engine/base/assert.ts";
import { setDrift, thawWall } from "../clock/clock.ts";
import { HEALTHY_DISK } from "../disk/model.ts";
import { schedule } from "../event-queue.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, pause, resume, startLater } from "../machines/process.ts";
import type { Machine, World } from "../model.ts";
import { CALM, cut, healNetwork, isCut, isStopped } from "../network/network.ts";
import type { Link } from "../network/topology.ts";
import { narrate } from "../trace/trace.ts";
import type { LeftOut, Plight } from "./core.ts";

/** How much slower a disk is that is chosen to stay slow. */
const SLOWDOWN = 50;

/** Which ways between a server that is left out and the core do not work. */
interface Severed {
  readonly out: boolean;
  readonly into: boolean;
}

/** Ends all faults but those of the servers that are left out. */
export function freeze(world: World, leftOut: LeftOut): void {
  world.phase = "liveness";
  world.clientsActive = false;
  world.leftOut = leftOut;
  const links = frozenLinks(world, leftOut);
  healNetwork(world.network, CALM);
  cut(world.network, links);
  for (const machine of world.servers) {
    const plight = leftOut.get(machine);
    machine.disk.straighten();
    machine.trap = undefined;
    thawWall(machine.clock, world.timeUs, false);
    if (plight === undefined) recover(world, machine);
    else leave(world, machine, plight);
  }
  schedule(world.queue, world.timeUs, { type: "action", name: "healed", run: () => undefined });
}

/** A clock keeps its rate's usual small error, and what it shows. */
function recover(world: World, machine: Machine): void {
  machine.disk.become(HEALTHY_DISK);
  setDrift(machine.clock, world.timeUs, 0);
  resume(world, machine);
  if (machine.status === "down") startLater(world, machine, 100_000);
}

function leave(world: World, machine: Machine, plight: Plight): void {
  const { slowdown, sticking, stuckUs } = machine.disk.model;
  const slow = plight === "slow disk" ? Math.max(slowdown, SLOWDOWN) : slowdown;
  machine.disk.become({ ...HEALTHY_DISK, slowdown: slow, sticking, stuckUs });
  if (plight === "still") pause(machine);
  else if (plight === "down" && isAlive(machine)) crash(world, machine, "process");
  // Whoever was about to start it again does not.
  if (machine.status === "down") machine.incarnation += 1;
  narrate(
    world.trace,
    world.timeUs,
    "phase",
    `${machine.name} is left out: ${stateOf(world, machine)}`,
  );
}

/** Cut for good: between the core and the others, and among the others what is cut already. */
function frozenLinks(world: World, leftOut: LeftOut): readonly Link[] {
  const { servers, network, knobs, timeUs } = world;
  const stops = (from: Machine, to: Machine): boolean =>
    isStopped(network, from.node, to.node, timeUs);
  const core = servers.filter((machine) => !leftOut.has(machine));
  const links: Link[] = [];
  for (const [machine, plight] of leftOut) {
    const { node } = machine;
    const severed = severedBy(plight, {
      out: core.some((other) => stops(machine, other)),
      into: core.some((other) => stops(other, machine)),
    });
    const isChecked = machine.kind === "placement" || knobs.checkQuorum;
    const isBoth = !isChecked && (severed.out || severed.into);
    for (const { node: other, kind } of core) {
      // A store that reports but hears nothing is up for the placement driver, which would send it
      // one new peer after another for ever.
      const isLure = machine.kind === "store" && kind === "placement" && severed.into;
      const both = isBoth || isLure;
      if (severed.out || both) links.push([node, other]);
      if (severed.into || both) links.push([other, node]);
    }
    for (const other of leftOut.keys()) {
      if (stops(machine, other)) links.push([node, other.node]);
    }
  }
  return links;
}

function severedBy(plight: Plight, now: Severed): Severed {
  switch (plight) {
    case "cut off":
      return { out: true, into: true };
    case "mute":
      return { ...now, out: true };
    case "deaf":
      return { ...now, into: true };
    case "as it is":
    case "down":
    case "still":
    case "slow disk":
      return now;
    default:
      return unreachable(plight);
  }
}

/** Whether a server that is left out still works with the core, as one of several. */
export const takesPart = (world: World, machine: Machine): boolean =>
  !world.leftOut.has(machine) || (machine.status === "up" && linksOf(world, machine) === "");

/** What is wrong with it, in words. */
function stateOf(world: World, machine: Machine): string {
  const { status, disk, clock } = machine;
  const { slowdown, sticking } = disk.model;
  const drift = clock.driftMillionths;
  const words = [
    status === "up" ? "" : status === "paused" ? "it stands still" : `it is ${status}`,
    linksOf(world, machine),
    slowdown > 1 ? `its disk is ${slowdown} times slower` : "",
    sticking > 0 ? "its disk is stuck now and then" : "",
    Math.abs(drift) > 100 ? `its clocks are wrong by ${drift / 10_000} %` : "",
  ].filter((word) => word !== "");
  return words.length > 0 ? words.join(", ") : "nothing is wrong with it";
}

/** What of its links with the core does not work: nothing where it is one of several. */
function linksOf({ network, servers, leftOut }: World, { node }: Machine): string {
  const other = servers.find((machine) => !leftOut.has(machine))?.node;
  if (other === undefined) return "";
  const out = isCut(network, node, other);
  const into = isCut(network, other, node);
  if (out && into) return "it is cut off";
  return out ? "nobody hears it" : into ? "it hears nobody" : "";
}
