/**
 * The pending events of a world: a four-ary heap ordered by (time, sequence). The sequence number
 * is given when an event is scheduled, so two events of one instant happen in the order in which
 * they were asked for, and no order depends on the shape of the heap.
 *
 * Keys live in arrays of numbers beside the events: events have many shapes, and comparing their
 * fields in place cost three times as much.
 */
import { assert } from "../engine/base/assert.ts";

export interface EventQueue<E> {
  readonly times: number[];
  readonly sequences: number[];
  readonly events: E[];
  /** Number of the next event. */
  nextSequence: number;
}

/** An event with the place in the order of events it was given. */
export interface Due<E> {
  time: number;
  sequence: number;
  event: E;
}

export const emptyQueue = <E>(): EventQueue<E> => ({
  times: [],
  sequences: [],
  events: [],
  nextSequence: 1,
});

export const queueSize = <E>(queue: EventQueue<E>): number => queue.events.length;

/** The time of the earliest event; Infinity where there is none. */
export const nextTime = <E>(queue: EventQueue<E>): number => queue.times[0] ?? Infinity;

/** Schedules `event`, behind all that were scheduled for the same time. */
export function schedule<E>(queue: EventQueue<E>, time: number, event: E): void {
  const { times, sequences, events } = queue;
  const sequence = queue.nextSequence;
  queue.nextSequence = sequence + 1;
  let hole = events.length;
  times.push(time);
  sequences.push(sequence);
  events.push(event);
  // The newest sequence number is the greatest, so only a later time moves down.
  while (hole > 0) {
    const parent = (hole - 1) >> 2;
    const parentTime = times[parent] as number;
    if (parentTime <= time) break;
    times[hole] = parentTime;
    sequences[hole] = sequences[parent] as number;
    events[hole] = events[parent] as E;
    hole = parent;
  }
  times[hole] = time;
  sequences[hole] = sequence;
  events[hole] = event;
}

/** Takes the earliest event out, into `due`: one object serves a whole run. */
export function takeNext<E>(queue: EventQueue<E>, due: Due<E>): void {
  const { times, sequences, events } = queue;
  assert(events.length > 0, "an event is pending");
  due.time = times[0] as number;
  due.sequence = sequences[0] as number;
  due.event = events[0] as E;
  const time = times.pop() as number;
  const sequence = sequences.pop() as number;
  const event = events.pop() as E;
  if (events.length > 0) sink(queue, time, sequence, event);
}

/** Fills the hole at the root by the given event, moving smaller ones up. */
function sink<E>(queue: EventQueue<E>, time: number, sequence: number, event: E): void {
  const { times, sequences, events } = queue;
  const size = events.length;
  let hole = 0;
  for (;;) {
    const firstChild = hole * 4 + 1;
    if (firstChild >= size) break;
    const end = firstChild + 4 < size ? firstChild + 4 : size;
    let child = firstChild;
    let childTime = times[child] as number;
    for (let other = firstChild + 1; other < end; other++) {
      const otherTime = times[other] as number;
      if (
        otherTime < childTime ||
        (otherTime === childTime && (sequences[other] as number) < (sequences[child] as number))
      ) {
        child = other;
        childTime = otherTime;
      }
    }
    if (childTime > time || (childTime === time && (sequences[child] as number) > sequence)) break;
    times[hole] = childTime;
    sequences[hole] = sequences[child] as number;
    events[hole] = events[child] as E;
    hole = child;
  }
  times[hole] = time;
  sequences[hole] = sequence;
  events[hole] = event;
}
