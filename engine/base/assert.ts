/**
 * Assertions. A failed assertion means a wrong program: nothing in the engine catches it, a real
 * node stops, and the simulator reports the seed.
 */

/** The error of a failed assertion. The only error class of the engine. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Asserts `condition`; `message` is a sentence that says what must hold, or makes one. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) {
    throw new AssertionError(typeof message === "string" ? message : message());
  }
}

/** Ends an exhaustive `switch`: compiles only where every variant is handled. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}

/** Stops at a place that a right program never reaches. */
export function fail(message: string): never {
  throw new AssertionError(message);
}
