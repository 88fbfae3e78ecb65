/**
 * Metastability: a cluster that has got over its faults must also be as fast as one that never had
 * any. A single client puts one value after another; what a put takes is compared with what its way
 * takes where nobody else wants anything: a cluster still busy with what the faults have left
 * behind (retries, debts of compactions, queues that feed themselves) is slower than that.
 */
import type { World } from "../model.ts";
import { violated } from "../checkers/verdict.ts";
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

/** Judges the probe's puts, which took `tookUs` together. */
export function checkPace(world: World, tookUs: number): void {
  // Where writers may not wait in line, one that is refused comes back when it is told to.
  if (world.knobs.lineBytes === 0) return;
  // A leader that stays on a slow disk is as slow as that.
  const slowed = [...world.leftOut.keys()].some(
    (machine) => takesPart(world, machine) && hasSlowDisk(machine.disk.model),
  );
  const eachUs = tookUs / PROBE_PUTS;
  const calmUs = calmPutUs(world);
  if (slowed || eachUs <= SLACK * calmUs) return;
  const [each, calm] = [eachUs, calmUs].map((us) => `${(us / 1000).toFixed(1)} ms`);
  const text = `all has converged, but a put takes ${each} on average, where calm ones take ${calm}`;
  violated(world, "convergence", text);
}

const hasSlowDisk = (model: { readonly slowdown: number; readonly sticking: number }): boolean =>
  model.slowdown > 1 || model.sticking > 0;
