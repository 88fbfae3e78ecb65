/**
 * The loop of one machine of the engine: what has arrived in a turn of the event loop goes into one
 * step, and the step's effects are performed in order behind it. So one write to the disk serves
 * all requests of a turn, however many connections they came by.
 *
 * Steps run in the check phase (`setImmediate`), which comes right after all sockets and files that
 * were ready have been read; a microtask would run after the first of them.
 */
import type { Now } from "../../engine/base/time.ts";
import { readClocks } from "../clock.ts";

export interface Machine<State, Input, Effect> {
  readonly step: (
    state: State,
    now: Now,
    inputs: readonly Input[],
  ) => { readonly state: State; readonly effects: readonly Effect[] };
}

export interface DriverOptions<State, Input, Effect> {
  readonly machine: Machine<State, Input, Effect>;
  readonly state: State;
  /** What opening the machine asked for; performed before the first step. */
  readonly effects: readonly Effect[];
  readonly perform: (effect: Effect) => void;
  readonly tick: Input;
  readonly tickMs: number;
  /**
   * The machine is wrong (an assertion failed), or performing an effect threw. The driver has
   * stopped.
   */
  readonly failed: (error: unknown) => void;
}

export interface Driver<State, Input> {
  /** Queues an input for the step at the end of this turn. */
  readonly push: (input: Input) => void;
  start(): void;
  /** Takes no more inputs and makes no more steps. */
  stop(): void;
  readonly state: State;
  /** Counts for the metrics. */
  readonly counts: DriverCounts;
}

export interface DriverCounts {
  steps: number;
  inputs: number;
  effects: number;
  /** Milliseconds spent in steps and in performing effects. */
  busyMs: number;
}

export function createDriver<State, Input, Effect>(
  options: DriverOptions<State, Input, Effect>,
): Driver<State, Input> {
  const { machine, perform } = options;
  const counts: DriverCounts = { steps: 0, inputs: 0, effects: 0, busyMs: 0 };
  let state = options.state;
  let queue: Input[] = [];
  let scheduled = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const stop = (): void => {
    stopped = true;
    queue = [];
    clearInterval(timer);
  };

  const turn = (): void => {
    scheduled = false;
    if (stopped || queue.length === 0) return;
    const inputs = queue;
    queue = [];
    const now = readClocks();
    try {
      const next = machine.step(state, now, inputs);
      state = next.state;
      performAll(next.effects);
    } catch (error) {
      stop();
      options.failed(error);
    }
    counts.steps += 1;
    counts.inputs += inputs.length;
    counts.busyMs += performance.now() - now.monotonicMs;
  };

  const performAll = (effects: readonly Effect[]): void => {
    counts.effects += effects.length;
    for (const effect of effects) {
      // A `stop` among them ends the rest.
      if (stopped) return;
      perform(effect);
    }
  };

  const push = (input: Input): void => {
    if (stopped) return;
    queue.push(input);
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };

  return {
    push,
    stop,
    counts,
    get state() {
      return state;
    },
    start() {
      try {
        performAll(options.effects);
      } catch (error) {
        stop();
        options.failed(error);
      }
      if (!stopped) timer = setInterval(() => push(options.tick), options.tickMs);
      push(options.tick);
    },
  };
}
