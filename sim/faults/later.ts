import type { World } from "../model.ts";
import { schedule } from "../event-queue.ts";

/** Does something later, but only while the safety phase lasts: what is left then is healed. */
export function later(world: World, delayUs: number, name: string, body: () => void): void {
  const run = (): void => {
    if (world.phase === "safety") body();
  };
  schedule(world.queue, world.timeUs + delayUs, { type: "action", name, run });
}
