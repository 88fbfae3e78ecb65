/**
 * Collecting a thread's garbage at a time of our choosing. The collector counts what arrays hold
 * outside its heap as pressing only when tens of megabytes of it lie there; a thread that makes
 * tables would keep the process that much larger, though it needs a few at a time.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What collects all garbage of the thread that asks for it: milliseconds for a small heap. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
