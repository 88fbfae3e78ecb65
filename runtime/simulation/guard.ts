/**
 * Catches code under simulation that asks the real world: its clock, its timers, its chance. Such a
 * run could not be repeated. The call is named, with the line that made it, and throws.
 *
 * Globals are replaced while simulations run. Who calls is told from the stack: test runners, which
 * keep timers of their own meanwhile, live under `node_modules`, and get what they ask for.
 */
import { fileURLToPath } from "node:url";

const HINTS: Readonly<Record<string, string>> = {
  "Date.now()": "nowMs()",
  "new Date()": "nowMs()",
  "Date()": "nowMs()",
  "performance.now()": "nowMs()",
  "Math.random()": "random()",
  "crypto.randomUUID()": "random()",
  "crypto.getRandomValues()": "random()",
  "setTimeout()": "sleep()",
  "setInterval()": "sleep()",
  "setImmediate()": "sleep()",
  "fetch()": "a client of the cluster",
};

/** Where this package lies, whoever has installed it. */
const OURS = fileURLToPath(new URL("../../", import.meta.url));
const OUR_ROOMS = ["engine", "runtime", "sim", "scenarios"].map((room) => `${OURS}${room}/`);

/** What a simulation was found to ask. */
export class NondeterminismError extends Error {
  override readonly name = "NondeterminismError";
}

export interface Guard {
  /** The first call that was caught, also where the code under simulation has swallowed it. */
  readonly caught: () => NondeterminismError | undefined;
  readonly end: () => void;
}

let guards: Set<{ caught: NondeterminismError | undefined }> | undefined;
let restore: (() => void)[] = [];

/** Watches until `end`. Several may watch at once; each is told of every call. */
export function guard(): Guard {
  const own: { caught: NondeterminismError | undefined } = { caught: undefined };
  if (guards === undefined) {
    guards = new Set();
    restore = replaceAll();
  }
  guards.add(own);
  return {
    caught: () => own.caught,
    end: () => {
      guards?.delete(own);
      if (guards?.size !== 0) return;
      for (const undo of restore.toReversed()) undo();
      guards = undefined;
    },
  };
}

function replaceAll(): (() => void)[] {
  const undo: (() => void)[] = [];
  const replace = (owner: object, key: string, made: (original: Callable) => unknown): void => {
    const original = Object.getOwnPropertyDescriptor(owner, key);
    const value = Reflect.get(owner, key) as Callable;
    Object.defineProperty(owner, key, {
      configurable: true,
      writable: true,
      enumerable: original?.enumerable ?? false,
      value: made(value),
    });
    undo.push(() => {
      if (original === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, original);
    });
  };
  const trapped = (owner: object, key: string, name: string): void => {
    replace(
      owner,
      key,
      (original) =>
        function (this: unknown, ...args: unknown[]): unknown {
          refuse(name);
          return original.apply(this, args);
        },
    );
  };
  trapped(Math, "random", "Math.random()");
  trapped(performance, "now", "performance.now()");
  trapped(crypto, "randomUUID", "crypto.randomUUID()");
  trapped(crypto, "getRandomValues", "crypto.getRandomValues()");
  for (const timer of ["setTimeout", "setInterval", "setImmediate", "fetch"]) {
    trapped(globalThis, timer, `${timer}()`);
  }
  replace(globalThis, "Date", (original) => clocklessDate(original as unknown as DateConstructor));
  return undo;
}

type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** Dates of a given time may be made; only reading the clock is caught. */
function clocklessDate(original: DateConstructor): DateConstructor {
  const now = (): number => {
    refuse("Date.now()");
    return original.now();
  };
  return new Proxy(original, {
    apply(target) {
      refuse("Date()");
      return target();
    },
    construct(target, args: unknown[], newTarget) {
      if (args.length === 0) refuse("new Date()");
      return Reflect.construct(target, args, newTarget) as object;
    },
    get: (target, key, receiver) =>
      key === "now" ? now : (Reflect.get(target, key, receiver) as unknown),
  });
}

/** Throws where the user's own code is on the stack. */
function refuse(name: string): void {
  const line = culprit();
  if (line === undefined) return;
  const hint = HINTS[name] ?? "the simulation";
  const error = new NondeterminismError(
    `${name} at ${line}: the real world is not part of the simulation; ask for ${hint} instead`,
  );
  for (const own of guards ?? []) own.caught ??= error;
  throw error;
}

/** As opposed to Node's own modules. */
const IN_A_FILE = /^(?:file:\/\/|\/|[A-Za-z]:\\)/;

/** The innermost line of code that is neither a library's nor Node's nor ours. */
function culprit(): string | undefined {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const { stack = "" } = new Error("who asks?");
  Error.stackTraceLimit = stackTraceLimit;
  for (const frame of stack.split("\n").slice(1)) {
    const [, line = ""] = /(?:\(|at (?:async )?)([^()]*:\d+:\d+)\)?$/.exec(frame) ?? [];
    if (!IN_A_FILE.test(line) || line.includes("/node_modules/")) continue;
    const path = line.startsWith("file://") ? fileURLToPath(line.replace(/(:\d+:\d+)$/, "")) : line;
    if (OUR_ROOMS.some((room) => path.startsWith(room))) continue;
    return line.replace("file://", "");
  }
  return undefined;
}
