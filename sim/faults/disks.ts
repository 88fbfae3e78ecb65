/**
 * Faults of disks, within what the engine promises to survive: slow ones; syncs that fail, after
 * which the unsynced part is any mix of old and new; no space left. A store whose disk failed
 * stops; whoever starts it again finds the disk repaired, or stops again.
 */
import type { DiskModel } from "../disk/model.ts";
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Struck } from "./nemesis.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { HEALTHY_DISK } from "../disk/model.ts";
import { between, pick } from "../random.ts";
import { seconds } from "../trace/trace.ts";

export function disturbDisk(
  world: World,
  type: "slow_disk" | "failing_disk" | "full_disk",
  lastsUs: number,
  random: Random,
): Struck {
  const machine = pick(random, world.servers);
  const { disk, name } = machine;
  const until = `for ${seconds(lastsUs)}`;
  const become = (model: Partial<DiskModel>, text: string): Struck => {
    disk.become({ ...HEALTHY_DISK, ...model });
    return { text: `the disk of ${name} ${text} ${until}`, end: () => disk.become(HEALTHY_DISK) };
  };
  switch (type) {
    case "slow_disk": {
      const slowdown = pick(random, [5, 30, 200, 2000]);
      return become({ slowdown }, `is ${slowdown} times slower`);
    }
    case "failing_disk": {
      const percent = pick(random, [1, 10, 100]);
      return become(
        { syncFailure: percent / 100, writeFailure: percent / 1000 },
        `fails ${percent} % of its syncs`,
      );
    }
    case "full_disk": {
      let used = 0;
      for (const file of disk.list()) used += disk.size(file) ?? 0;
      return become({ capacityBytes: used + between(random, 0, 20_000) }, "is full");
    }
    default:
      return unreachable(type);
  }
}
