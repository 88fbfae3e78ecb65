/**
 * The last of the three fences around the engine: what the compiler and the linter cannot see, such
 * as a library that reads the clock, is trapped while it runs.
 */

const AMBIENT = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "performance",
  "crypto",
  "fetch",
  "process",
] as const;

/**
 * Runs `body` with every ambient source of nondeterminism replaced by a trap that throws; puts all
 * of them back afterwards: of an asynchronous one when it has settled.
 *
 * `Date` stays a constructor that `instanceof` can ask about (msgpack does); only reading the clock
 * is trapped, and dates of a given time may be made.
 */
export function withoutAmbience<T>(body: () => T): T {
  const restore: (() => void)[] = [];
  const replace = (owner: object, name: string, trapped: PropertyDescriptor): void => {
    const original = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { configurable: true, ...trapped });
    restore.push(() => {
      if (original === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, original);
    });
  };
  for (const name of AMBIENT) {
    const original: unknown = Reflect.get(globalThis, name);
    replace(globalThis, name, { get: trap(name, () => original) });
  }
  replace(globalThis, "Date", { value: clocklessDate() });
  replace(Math, "random", { value: trap("Math.random()", Math.random) });
  const undo = (): void => {
    for (const one of restore.toReversed()) one();
  };
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
 * others in between, such as a socket of an earlier test that times out; they get the `original`.
 */
const trap =
  <T>(name: string, original: () => T) =>
  (): T => {
    if (WATCHED.test(wholeStack())) throw new Error(`nondeterminism: ${name}`);
    return original();
  };

function wholeStack(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const { stack = "" } = new Error("who asks?");
  Error.stackTraceLimit = stackTraceLimit;
  // The traps themselves are in a file of the tests.
  return stack.replaceAll(import.meta.url, "");
}

function clocklessDate(): DateConstructor {
  return new Proxy(Date, {
    apply: (target) => trap("Date()", () => target())(),
    construct: (target, args: unknown[], newTarget) => {
      const made = (): object => Reflect.construct(target, args, newTarget) as object;
      return args.length === 0 ? trap("new Date()", made)() : made();
    },
    get: (target, property, receiver) =>
      property === "now"
        ? trap("Date.now()", () => target.now)()
        : (Reflect.get(target, property, receiver) as unknown),
  });
}
