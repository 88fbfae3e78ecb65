/**
 * What waits for a simulated disk. Work of one track is performed in the order it was given; the
 * tracks go on side by side, each as fast as its own draws let it.
 */
import { assert } from "../../engine/base/assert.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import type { DiskOperation, Lane } from "../../engine/storage/disk.ts";

/** A lane of write effects, or the job with this ticket, whose slices come one after another. */
export type Track = Lane | Ticket;

/** Performed as one: the first failure ends it. */
export interface Work {
  readonly ticket: Ticket;
  readonly operations: readonly DiskOperation[];
}

interface Line {
  readonly waiting: Work[];
  /** Whether the first of them is being performed. */
  started: boolean;
}

export class Tracks {
  readonly #lines = new Map<Track, Line>();

  /** Puts work behind what waits on its track. */
  submit(track: Track, work: Work): void {
    const line = this.#lines.get(track);
    if (line === undefined) this.#lines.set(track, { waiting: [work], started: false });
    else line.waiting.push(work);
  }

  /** The first work of a track, started now; undefined where none can be. */
  start(track: Track): Work | undefined {
    const line = this.#lines.get(track);
    if (line === undefined || line.started || line.waiting.length === 0) return undefined;
    line.started = true;
    return line.waiting[0];
  }

  /** Takes the started work of a track away. */
  finish(track: Track): Work {
    const line = this.#lines.get(track);
    const work = line?.waiting.shift();
    assert(line?.started === true && work !== undefined, "work was started on this track");
    line.started = false;
    // Lanes are used for ever; each job has a track of its own.
    if (line.waiting.length === 0 && typeof track !== "string") this.#lines.delete(track);
    return work;
  }

  /** Tracks whose next work has not begun. */
  waiting(): readonly Track[] {
    return [...this.#lines].flatMap(([track, { started, waiting }]) =>
      started || waiting.length === 0 ? [] : [track],
    );
  }

  /** Tracks whose first work is being performed. */
  running(): readonly Track[] {
    return [...this.#lines].flatMap(([track, { started }]) => (started ? [track] : []));
  }

  /** Forgets everything, and says what was being performed. */
  clear(): readonly Work[] {
    const cut = [...this.#lines.values()].flatMap(({ started, waiting }) =>
      started ? waiting.slice(0, 1) : [],
    );
    this.#lines.clear();
    return cut;
  }

  clone(): Tracks {
    const copy = new Tracks();
    for (const [track, { waiting, started }] of this.#lines) {
      copy.#lines.set(track, { waiting: [...waiting], started });
    }
    return copy;
  }
}
