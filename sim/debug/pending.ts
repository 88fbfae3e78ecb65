/** What is on its way at a moment: scheduled by then, and not taken yet. */
import type { World, WorldEvent } from "../model.ts";
import type { Chronicle } from "./chronicle.ts";

export interface Pending {
  readonly timeUs: number;
  readonly sequence: number;
  readonly event: WorldEvent;
}

/** In the order in which it comes, after so many events. */
export function pendingAt(chronicle: Chronicle, world: World, at: number): readonly Pending[] {
  const below = chronicle.scheduled[at - 1] ?? 1;
  const pending: Pending[] = [];
  const add = (timeUs: number, sequence: number, event: WorldEvent): void => {
    if (sequence < below) pending.push({ timeUs, sequence, event });
  };
  // What has been taken since, and what the run as far as it has gone still waits for.
  for (let i = at; i < chronicle.events.length; i++) {
    add(
      chronicle.timesUs[i] as number,
      chronicle.sequences[i] as number,
      chronicle.events[i] as WorldEvent,
    );
  }
  const { times, sequences, events } = world.queue;
  events.forEach((event, i) => add(times[i] as number, sequences[i] as number, event));
  return pending.sort((a, b) => a.timeUs - b.timeUs || a.sequence - b.sequence);
}
