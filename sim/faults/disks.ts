/**
 * Faults of disks, within what the engine promises to survive: slow ones; operations that are
 * stuck; syncs that fail, after which the unsynced part is any mix of old and new; no space left. A
 * store whose log could not be written stops; whoever starts it again finds the disk repaired, or
 * stops again.
 */
import type { DiskModel } from "../disk/model.ts";
import type { Machine, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Fault } from "../scenario.ts";
import type { Struck } from "./strike.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { HEALTHY_DISK } from "../disk/model.ts";
import { between, chance, pick } from "../random.ts";
import { machineCalled } from "./targets.ts";

type DiskFault = Extract<
  Fault,
  { type: "slow_disk" | "sticking_disk" | "failing_disk" | "full_disk" }
>;

export type DiskStrike = { readonly machine: string } & (
  | { readonly type: "slow_disk"; readonly times: number }
  | { readonly type: "sticking_disk"; readonly stuckUs: number; readonly percent: number }
  /** The next sync fails, and no other. */
  | { readonly type: "failing_sync" }
  | { readonly type: "failing_disk"; readonly percent: number }
  /** There is no room, whatever is asked for, in so many of a hundred operations. */
  | { readonly type: "refusing_disk"; readonly percent: number }
  | { readonly type: "full_disk"; readonly roomBytes: number }
);

export function drawDisk(world: World, fault: DiskFault, random: Random): DiskStrike | undefined {
  const machine = (fault.of === "one" ? world.stores[0] : pick(random, world.servers))?.name;
  if (machine === undefined) return undefined;
  switch (fault.type) {
    case "slow_disk":
      return { type: "slow_disk", machine, times: pick(random, fault.times) };
    case "sticking_disk": {
      const stuckUs = between(random, 20, 3000) * 1000;
      return { type: "sticking_disk", machine, stuckUs, percent: pick(random, [0.1, 1, 10]) };
    }
    case "failing_disk":
      if (chance(random, 250_000)) return { type: "failing_sync", machine };
      return { type: "failing_disk", machine, percent: pick(random, [1, 10, 100]) };
    case "full_disk": {
      if (chance(random, 250_000)) {
        return { type: "refusing_disk", machine, percent: pick(random, [1, 20]) };
      }
      const rooms = [0, between(random, 0, 20_000), between(random, 0, 200_000)];
      return { type: "full_disk", machine, roomBytes: pick(random, rooms) };
    }
    default:
      return unreachable(fault);
  }
}

export function disturbDisk(world: World, strike: DiskStrike): Struck | undefined {
  const machine = machineCalled(world, strike.machine);
  if (machine === undefined) return undefined;
  const { disk } = machine;
  switch (strike.type) {
    case "slow_disk":
      return afflict(machine, { slowdown: strike.times });
    case "sticking_disk":
      return afflict(machine, { sticking: strike.percent / 100, stuckUs: strike.stuckUs });
    case "failing_sync":
      disk.failSyncs(1);
      return { end: undefined };
    case "failing_disk": {
      const { percent } = strike;
      return afflict(machine, { syncFailure: percent / 100, writeFailure: percent / 1000 });
    }
    case "refusing_disk":
      return afflict(machine, { spaceFailure: strike.percent / 100 });
    case "full_disk":
      return afflict(machine, { capacityBytes: disk.usedBytes + strike.roomBytes });
    default:
      return unreachable(strike);
  }
}

/** The disk is like this until the fault ends. Other faults of the same disk stay as they are. */
function afflict({ disk }: Machine, change: Partial<DiskModel>): Struck {
  disk.become({ ...disk.model, ...change });
  const end = (): void => {
    const healthy = Object.entries(HEALTHY_DISK).filter(([property]) => property in change);
    disk.become({ ...disk.model, ...Object.fromEntries(healthy) });
  };
  return { end };
}
