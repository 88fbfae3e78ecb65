/**
 * The last of the three fences around the engine: what the compiler and the linter cannot see, such
 * as a library that reads the clock, is trapped while it runs.
 */
import { trapAmbience } from "../runtime/simulation/ambience.ts";

/** What the engine may not even look at. */
const UNTOUCHABLE = ["performance", "crypto", "process", "queueMicrotask"] as const;

/**
 * Runs `body` with every ambient source of nondeterminism replaced by a trap that throws; puts all
 * of them back afterwards: of an asynchronous one when it has settled.
 */
export function withoutAmbience<T>(body: () => T): T {
  const undo = trapAmbience(refuse, UNTOUCHABLE);
  try {
    const result = body();
    if (result instanceof Promise) return result.finally(undo) as T;
    undo();
    return result;
  } catch (error) {
    undo();
    throw error;
  }
}

/** What runs here must not ask: frames of the project but for the runtime's own. */
const WATCHED = /\/dist\/(?:bench|engine|scenarios|sim|test)\//;

/**
 * Throws where watched code is on the stack. An asynchronous body leaves turns of the event loop to
 * others in between, such as a socket of an earlier test that times out; they get what they ask
 * for.
 */
function refuse(name: string): void {
  if (WATCHED.test(wholeStack())) throw new Error(`nondeterminism: ${name}`);
}

function wholeStack(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const { stack = "" } = new Error("who asks?");
  Error.stackTraceLimit = stackTraceLimit;
  // What asks for the stack is in a file of the tests itself.
  return stack.replaceAll(import.meta.url, "");
}
