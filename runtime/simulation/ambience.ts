/**
 * The world around a program, of which a run that is to repeat itself may know nothing: clocks,
 * timers, chance, the network. Globals are replaced by traps that tell who asks for them.
 */

/** Told of a call, as in `Date.now()`. May throw: then it is not made. */
export type Asked = (name: string) => void;

/** Functions, by where they are. */
const CALLS: readonly (readonly [owner: object, key: string, name: string])[] = [
  [Math, "random", "Math.random()"],
  [performance, "now", "performance.now()"],
  [crypto, "randomUUID", "crypto.randomUUID()"],
  [crypto, "getRandomValues", "crypto.getRandomValues()"],
  ...["setTimeout", "setInterval", "setImmediate", "fetch"].map((key): [object, string, string] => [
    globalThis,
    key,
    `${key}()`,
  ]),
];

/**
 * Sets the traps, which stay until the function that is given back is called. Dates of a given time
 * may be made, and `instanceof Date` be asked (msgpack does); only reading the clock is trapped.
 * Globals of the names in `untouchable` may not even be read.
 */
export function trapAmbience(asked: Asked, untouchable: readonly string[] = []): () => void {
  const undo: (() => void)[] = [];
  const replace = (owner: object, key: string, trap: PropertyDescriptor): void => {
    const original = Object.getOwnPropertyDescriptor(owner, key);
    const enumerable = original?.enumerable ?? false;
    Object.defineProperty(owner, key, { configurable: true, enumerable, ...trap });
    undo.push(() => {
      if (original === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, original);
    });
  };
  for (const [owner, key, name] of CALLS) {
    const original = Reflect.get(owner, key) as Callable;
    const value = function (this: unknown, ...args: unknown[]): unknown {
      asked(name);
      return original.apply(this, args);
    };
    replace(owner, key, { writable: true, value });
  }
  replace(globalThis, "Date", { writable: true, value: clocklessDate(Date, asked) });
  for (const key of untouchable) {
    const original: unknown = Reflect.get(globalThis, key);
    const get = (): unknown => {
      asked(key);
      return original;
    };
    replace(globalThis, key, { get });
  }
  return () => {
    for (const one of undo.toReversed()) one();
  };
}

type Callable = (this: unknown, ...args: unknown[]) => unknown;

function clocklessDate(original: DateConstructor, asked: Asked): DateConstructor {
  const now = (): number => {
    asked("Date.now()");
    return original.now();
  };
  return new Proxy(original, {
    apply(target) {
      asked("Date()");
      return target();
    },
    construct(target, args: unknown[], newTarget) {
      if (args.length === 0) asked("new Date()");
      return Reflect.construct(target, args, newTarget) as object;
    },
    get: (target, key, receiver) =>
      key === "now" ? now : (Reflect.get(target, key, receiver) as unknown),
  });
}
