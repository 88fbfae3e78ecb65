import type { World } from "../model.ts";

/** Notes a strike of the fault injector, where the run is filmed. */
export function noteFault(world: World, type: string, text: string, lastsUs: number): void {
  const { film, timeUs } = world;
  film?.faults.push({ type, timeUs, endUs: timeUs + lastsUs, text });
}
