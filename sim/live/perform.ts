/**
 * Does to the world what a deed says, by the same functions as the fault injector's. What makes no
 * sense at that moment (a crash of what is down, a cut of what is cut) does nothing.
 */
import { unreachable } from "../../engine/base/assert.ts";
import { freezeWall, setDrift, stepWall, thawWall } from "../clock/clock.ts";
import { HEALTHY_DISK } from "../disk/model.ts";
import { linksCalled, machineCalled } from "../faults/targets.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, pause, resume, startLater } from "../machines/process.ts";
import type { Machine, World } from "../model.ts";
import { cut, healNetwork, isCut, mend } from "../network/network.ts";
import type { Link } from "../network/topology.ts";
import type { Deed, Operation } from "./deed.ts";

export function perform(world: World, deed: Exclude<Deed, Operation>): void {
  switch (deed.type) {
    case "cut":
      cut(world.network, linksThat(world, deed.links, false));
      return;
    case "mend":
      mend(world.network, linksThat(world, deed.links, true));
      return;
    case "heal":
      healAll(world);
      return;
    default: {
      const machine = machineCalled(world, deed.machine);
      if (machine !== undefined) performOn(world, machine, deed);
    }
  }
}

/** The links that are cut, or that are not. */
const linksThat = (
  world: World,
  links: Extract<Deed, { type: "cut" }>["links"],
  cutNow: boolean,
): Link[] =>
  linksCalled(world, links).filter(([from, to]) => isCut(world.network, from, to) === cutNow);

function performOn(
  world: World,
  machine: Machine,
  deed: Extract<Deed, { readonly machine: string }>,
): void {
  const { clock, disk } = machine;
  switch (deed.type) {
    case "crash":
      if (isAlive(machine)) crash(world, machine, deed.power ? "power" : "process");
      return;
    case "start":
      if (machine.status === "down") startLater(world, machine, 0);
      return;
    case "pause":
      pause(machine);
      return;
    case "resume":
      resume(world, machine);
      return;
    case "clock_drift":
      setDrift(clock, world.timeUs, deed.millionths);
      return;
    case "clock_step":
      stepWall(clock, deed.us);
      return;
    case "clock_freeze":
      freezeWall(clock, world.timeUs);
      return;
    case "clock_thaw":
      thawWall(clock, world.timeUs, false);
      return;
    case "slow_disk":
      disk.become({ ...disk.model, slowdown: deed.times });
      return;
    case "failing_sync":
      disk.failSyncs(1);
      return;
    case "full_disk":
      disk.become({ ...disk.model, capacityBytes: disk.usedBytes });
      return;
    case "mend_disk":
      mendDisk(machine);
      return;
    default:
      unreachable(deed);
  }
}

function mendDisk({ disk }: Machine): void {
  disk.become(HEALTHY_DISK);
  disk.straighten();
}

/** The network stays what it is by nature: only what somebody did to it is taken back. */
function healAll(world: World): void {
  healNetwork(world.network, world.network.profile);
  for (const machine of world.servers) {
    mendDisk(machine);
    thawWall(machine.clock, world.timeUs, false);
    setDrift(machine.clock, world.timeUs, 0);
    resume(world, machine);
    if (machine.status === "down") startLater(world, machine, 0);
  }
}
