/**
 * What is kept of a run so that any moment of it can be looked at: every event by reference, and
 * each server's state by reference wherever it changed. The engine's states are values, so an old
 * reference still says what was; of the world around them only plain copies are kept.
 *
 * A chronicle also holds the run at a given event, for a session that goes on step by step. It only
 * looks and waits: nothing of the world depends on it.
 */
import type { Machine, World, WorldEvent } from "../model.ts";

/** A server from one event on. */
export interface Moment {
  /** The number of the event that led to it; 0 is the beginning. */
  readonly event: number;
  readonly status: Machine["status"];
  readonly state: Machine["state"];
}

/** Mutable: one for each run. The event with number n is at n - 1. */
export interface Chronicle {
  readonly events: WorldEvent[];
  readonly timesUs: number[];
  /** The sequence number by which the queue knew the event. */
  readonly sequences: number[];
  /** The queue's next sequence number after the event: what it scheduled is below. */
  readonly scheduled: number[];
  /** Both lanes of the trace's hash after the event. */
  readonly lows: number[];
  readonly highs: number[];
  /** By server: its moments, in order of events. */
  readonly moments: Moment[][];
  /** The run waits for `hold` before it goes beyond so many events. */
  holdAt: number;
  /** Called with a world in which everybody who could go on has; resolves when it is to go on. */
  readonly hold: (world: World) => Promise<void>;
}

export const chronicleOf = (hold: Chronicle["hold"]): Chronicle => ({
  holdAt: 0,
  hold,
  events: [],
  timesUs: [],
  sequences: [],
  scheduled: [],
  lows: [],
  highs: [],
  moments: [],
});

/** Takes an event down, after it has happened. */
export function takeDown(chronicle: Chronicle, world: World, event: WorldEvent): void {
  const { hash } = world.trace;
  chronicle.events.push(event);
  chronicle.timesUs.push(world.timeUs);
  chronicle.sequences.push(world.due.sequence);
  chronicle.scheduled.push(world.queue.nextSequence);
  chronicle.lows.push(hash.low);
  chronicle.highs.push(hash.high);
  for (const { node, status, state } of world.servers) {
    const moments = (chronicle.moments[node] ??= []);
    const last = moments.at(-1);
    if (last !== undefined && last.state === state && last.status === status) continue;
    moments.push({ event: chronicle.events.length, status, state });
  }
}

/** The server as it was after so many events; undefined before it was first looked at. */
export function momentAt(chronicle: Chronicle, node: number, event: number): Moment | undefined {
  const moments = chronicle.moments[node] ?? [];
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((moments[middle] as Moment).event <= event) low = middle + 1;
    else high = middle;
  }
  return moments[low - 1];
}

/** How many events were over at a virtual time, those of that instant included. */
export function eventsUntil(chronicle: Chronicle, timeUs: number): number {
  const { timesUs } = chronicle;
  let low = 0;
  let high = timesUs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesUs[middle] as number) <= timeUs) low = middle + 1;
    else high = middle;
  }
  return low;
}
