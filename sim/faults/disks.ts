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
import type { Struck } from "./nemesis.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { HEALTHY_DISK } from "../disk/model.ts";
import { between, chance, pick } from "../random.ts";
import { seconds } from "../trace/trace.ts";

export type DiskFault = Extract<
  Fault,
  { type: "slow_disk" | "sticking_disk" | "failing_disk" | "full_disk" }
>;

export function disturbDisk(
  world: World,
  fault: DiskFault,
  lastsUs: number,
  random: Random,
): Struck | undefined {
  const machine = fault.of === "one" ? world.stores[0] : pick(random, world.servers);
  if (machine === undefined) return undefined;
  const { disk } = machine;
  const until = (model: Partial<DiskModel>, text: string): Struck =>
    afflict(machine, model, `${text} for ${seconds(lastsUs)}`);
  switch (fault.type) {
    case "slow_disk": {
      const slowdown = pick(random, fault.times);
      return until({ slowdown }, `is ${slowdown} times slower`);
    }
    case "sticking_disk": {
      const stuckUs = between(random, 20, 3000) * 1000;
      const percent = pick(random, [0.1, 1, 10]);
      const text = `is stuck for ${seconds(stuckUs)} in ${percent} % of its operations`;
      return until({ sticking: percent / 100, stuckUs }, text);
    }
    case "failing_disk": {
      if (chance(random, 250_000)) {
        disk.failSyncs(1);
        return { text: `the disk of ${machine.name} fails its next sync`, end: undefined };
      }
      const percent = pick(random, [1, 10, 100]);
      return until(
        { syncFailure: percent / 100, writeFailure: percent / 1000 },
        `fails ${percent} % of its syncs`,
      );
    }
    case "full_disk": {
      if (chance(random, 250_000)) {
        const percent = pick(random, [1, 20]);
        return until({ spaceFailure: percent / 100 }, `has no room for ${percent} % of operations`);
      }
      const room = pick(random, [0, between(random, 0, 20_000), between(random, 0, 200_000)]);
      return until({ capacityBytes: disk.usedBytes + room }, `has room for ${room} bytes`);
    }
    default:
      return unreachable(fault);
  }
}

/** The disk is like this until the fault ends. Other faults of the same disk stay as they are. */
function afflict({ disk, name }: Machine, change: Partial<DiskModel>, text: string): Struck {
  disk.become({ ...disk.model, ...change });
  const end = (): void => {
    const healthy = Object.entries(HEALTHY_DISK).filter(([property]) => property in change);
    disk.become({ ...disk.model, ...Object.fromEntries(healthy) });
  };
  return { text: `the disk of ${name} ${text}`, end };
}
