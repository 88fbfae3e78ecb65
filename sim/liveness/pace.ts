/**
 * Metastability: a cluster that has got over its faults must also be as fast as one that never had
 * any. A single client puts one value after another; what a put takes is compared with what its way
 * takes where nobody else wants anything: a cluster still busy with what the faults have left
 * behind (retries, debts of compactions, queues that feed themselves) is slower than that.
 */
import type { World } from "../model.ts";
import { takesPart } from "./freeze.ts";

/** Puts of the probe. */
export const PROBE_PUTS = 20;

/**
 * How many times as long as `calmPutUs` a put may take on average. In a hundred runs it took from
 * 0.2 to 0.62 of that, so a cluster must come back to a quarter of its speed in calm.
 */
const SLACK = 2;

/** Of one message in calm, and of one sync of a healthy disk, at most. */
const MESSAGE_US = 700;
const SYNC_US = 500;

/**
 * What a put takes in calm at most: two messages between client and leader, two between leader and
 * follower, a sync on both, and a turn of a server for each of the six.
 */
export const calmPutUs = ({ knobs: { turnDelayUs, turnUs } }: World): number =>
  4 * MESSAGE_US + 2 * SYNC_US + 6 * (turnDelayUs + turnUs);

/**
 * What is wrong with the pace of the probe's puts, which took `tookUs` together; undefined where
 * nothing is. Once is no proof: debts that were left may still be paid off, and whoever asks again
 * must find the cluster fast before the time to recover is up.
 */
export function slowness(world: World, tookUs: number): string | undefined {
  // A leader that stays on a slow disk is as slow as that.
  const slowed = [...world.leftOut.keys()].some(
    (machine) => takesPart(world, machine) && hasSlowDisk(machine.disk.model),
  );
  const eachUs = tookUs / PROBE_PUTS;
  const calmUs = calmPutUs(world);
  if (slowed || eachUs <= SLACK * calmUs) return undefined;
  const [each, calm] = [eachUs, calmUs].map((us) => `${(us / 1000).toFixed(1)} ms`);
  return `finds that a put takes ${each} on average, where calm ones take ${calm}`;
}

const hasSlowDisk = (model: { readonly slowdown: number; readonly sticking: number }): boolean =>
  model.slowdown > 1 || model.sticking > 0;
