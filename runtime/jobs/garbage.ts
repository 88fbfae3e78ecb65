/**
 * Collecting a thread's garbage at times of our choosing. The collector counts what arrays hold
 * outside its heap as pressing only when tens of megabytes of it lie there; a thread that makes
 * tables would keep the process that much larger, though it needs a few at a time.
 *
 * Nearly all of it is young when it is of no use any more, and to collect that alone takes a
 * millisecond; to look at everything takes 15, as long as it takes to merge 5 MB. So the latter
 * is done seldom, for what has grown old meanwhile: a twelfth of what was written.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes that may be written until what is young is collected, and until everything is. */
const YOUNG_BYTES = 4 << 20;
const ALL_BYTES = 32 << 20;

/** Collects all garbage of the thread that asked for it, or what is young. */
type Collect = (options?: { readonly type: "minor" }) => void;

export function garbageCollector(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}

/** Of the thread that makes it. */
export class GarbageCollector {
  readonly #collect: Collect = garbageCollector();
  #sinceYoung = 0;
  #sinceAll = 0;

  /** So much was written since the last call: collects if it is time. */
  wrote(bytes: number): void {
    this.#sinceYoung += bytes;
    this.#sinceAll += bytes;
    if (this.#sinceYoung >= YOUNG_BYTES) this.rest();
  }

  /** There is time: nothing is under way. */
  rest(): void {
    this.#sinceYoung = 0;
    if (this.#sinceAll < ALL_BYTES) {
      this.#collect({ type: "minor" });
    } else {
      this.#sinceAll = 0;
      this.#collect();
    }
  }
}
