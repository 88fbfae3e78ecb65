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
  for (const name of AMBIENT) replace(globalThis, name, { get: trap(name) });
  replace(globalThis, "Date", { value: clocklessDate() });
  replace(Math, "random", { value: trap("Math.random()") });
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

const trap = (name: string) => (): never => {
  throw new Error(`nondeterminism: ${name}`);
};

function clocklessDate(): DateConstructor {
  return new Proxy(Date, {
    apply: trap("Date()"),
    construct: (target, args: unknown[], newTarget) =>
      args.length === 0
        ? trap("new Date()")()
        : (Reflect.construct(target, args, newTarget) as object),
    get: (target, property, receiver) =>
      property === "now"
        ? trap("Date.now()")
        : (Reflect.get(target, property, receiver) as unknown),
  });
}
