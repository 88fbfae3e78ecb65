/**
 * What stays in memory when there is not room for all: a clock. Everything remembered stands on a
 * ring; a hand goes around, spares once what was used since it last came by, and takes the rest.
 * What was read only once, as by a long scan, is taken first.
 */
import { assert } from "../../base/assert.ts";

/** Something remembered. */
export interface Resident {
  /** Bytes of memory it takes. */
  readonly weight: number;
  /** Set by whoever uses it again. */
  used: boolean;
  /** Its place on the ring, or -1. The clock's own. */
  place: number;
}

export class Clock<R extends Resident> {
  /** The sum of all weights. */
  weight = 0;
  private readonly ring: R[] = [];
  private hand = 0;

  add(resident: R): void {
    assert(resident.place < 0, "a resident enters once");
    // At its end the hand has come around: who enters stands behind all others, not under it.
    if (this.hand >= this.ring.length) this.hand = 0;
    resident.place = this.ring.length;
    this.ring.push(resident);
    this.weight += resident.weight;
  }

  remove(resident: R): void {
    const { place } = resident;
    assert(this.ring[place] === resident, "a resident stands where it believes to");
    const last = this.ring.pop()!;
    if (last !== resident) {
      this.ring[place] = last;
      last.place = place;
    }
    // The last has often just entered: behind the hand it has a whole round before it.
    if (place === this.hand) this.hand += 1;
    resident.place = -1;
    this.weight -= resident.weight;
  }

  /** The next one to go, which the caller removes. There is one. */
  victim(): R {
    assert(this.ring.length > 0, "only what stands on the ring can go");
    for (;;) {
      if (this.hand >= this.ring.length) this.hand = 0;
      const resident = this.ring[this.hand]!;
      if (!resident.used) return resident;
      resident.used = false;
      this.hand += 1;
    }
  }
}
