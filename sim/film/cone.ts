/**
 * The causal past of a moment, by Lamport's happens-before: of each node everything up to its last
 * message that reached the moment, directly or through others. A node's own events are in order,
 * so one time a node says all of it.
 */

/** One copy of a message that was taken in at the other end. */
export interface Arrival {
  /** Of the message, for whoever asks. */
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly sentUs: number;
  /** Not before `sentUs`. */
  readonly arrivedUs: number;
}

export interface Cone {
  /** By node: what happened up to here can have had influence; -1 where nothing can. */
  readonly cutUs: readonly number[];
  /** The messages that are the last of their nodes to do so, in order of sending. */
  readonly frontier: readonly number[];
}

/**
 * The past of what `nodes` (of `count`) are at `timeUs`. What happens at one instant at one node
 * counts as one event: the past may then be too large by that instant, never too small.
 */
export function coneOf(
  count: number,
  arrivals: readonly Arrival[],
  nodes: readonly number[],
  timeUs: number,
): Cone {
  const cutUs = Array.from({ length: count }, () => -1);
  const last = Array.from({ length: count }, () => -1);
  for (const node of nodes) cutUs[node] = timeUs;
  const latestFirst = arrivals.slice().sort((a, b) => b.arrivedUs - a.arrivedUs);
  // What arrives later has moved all cuts already; only those of one instant can move each other's.
  for (let begin = 0; begin < latestFirst.length;) {
    const instant = (latestFirst[begin] as Arrival).arrivedUs;
    let end = begin;
    while (latestFirst[end]?.arrivedUs === instant) end += 1;
    for (let moved = true; moved;) {
      moved = false;
      for (let i = begin; i < end; i++) {
        const { row, from, to, sentUs } = latestFirst[i] as Arrival;
        if (instant > (cutUs[to] as number) || sentUs <= (cutUs[from] as number)) continue;
        cutUs[from] = sentUs;
        last[from] = row;
        moved = true;
      }
    }
    begin = end;
  }
  const frontier = last.filter((row) => row >= 0).sort((a, b) => a - b);
  return { cutUs, frontier };
}
