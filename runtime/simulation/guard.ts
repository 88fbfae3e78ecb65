/**
 * Catches code under simulation that asks the real world: its clock, its timers, its chance. Such a
 * run could not be repeated. The call is named, with the line that made it, and throws.
 *
 * Globals are replaced while simulations run (`ambience.ts`). Who calls is told from the stack:
 * test runners, which keep timers of their own meanwhile, live under `node_modules`, and get what
 * they ask for.
 */
import { fileURLToPath } from "node:url";
import { trapAmbience } from "./ambience.ts";

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
let restore: () => void = () => undefined;

/** Watches until `end`. Several may watch at once; each is told of every call. */
export function guard(): Guard {
  const own: { caught: NondeterminismError | undefined } = { caught: undefined };
  if (guards === undefined) {
    guards = new Set();
    restore = trapAmbience(refuse);
  }
  guards.add(own);
  return {
    caught: () => own.caught,
    end: () => {
      guards?.delete(own);
      if (guards?.size !== 0) return;
      restore();
      guards = undefined;
    },
  };
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
