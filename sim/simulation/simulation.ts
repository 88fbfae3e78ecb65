/**
 * A user's own code against a simulated cluster: in virtual time, with faults around it that a seed
 * draws, and with every check of the engine on.
 */
import type { Ports } from "../../engine/client/ports.ts";
import { assert } from "../../engine/base/assert.ts";
import { build, DEFAULT_OPTIONS } from "../build.ts";
import type { Violation } from "../checkers/verdict.ts";
import { unleash } from "../faults/nemesis.ts";
import type { Drain, World } from "../model.ts";
import { EVERYBODY } from "../liveness/core.ts";
import { heal } from "../liveness/phase.ts";
import { checkStores, startServers } from "../run.ts";
import { formatLine, type Line, narrate, traceText } from "../trace/trace.ts";
import { endpointsOf } from "../workloads/async-client.ts";
import { runUntil } from "../world.ts";
import { RECOVERY_MS, type SimulationOptions, scenarioOf } from "./options.ts";
import { processOf, type SimulatedProcess } from "./process.ts";

/** How often it is asked whether the code has come to its end. */
const STEP_US = 10_000;

/** What came of a simulation. */
export interface SimulationRun<T> {
  readonly end:
    | { readonly type: "returned"; readonly value: T }
    | { readonly type: "threw"; readonly error: unknown }
    /** The engine has broken a promise of its own. */
    | { readonly type: "violated"; readonly violation: Violation }
    | { readonly type: "late" };
  /** Of all that happened: equal where two runs did the same. */
  readonly trace: string;
  readonly events: number;
  readonly virtualMs: number;
  /** The story: faults, leaders, processes. */
  readonly lines: readonly Line[];
}

/** The first process of a user's program, and what it may do to the world around it. */
export interface Simulation extends SimulatedProcess {
  /**
   * Runs `body` as another process of the program, on a node of its own. Several at once are what
   * makes a program distributed: `await Promise.all([…])`. Rejects with what `body` throws.
   */
  readonly process: <T>(body: (process: SimulatedProcess) => Promise<T>) => Promise<T>;
  /**
   * Ends all faults and waits until the cluster has recovered from them: every store up, every
   * region led, all replicas equal. What is read then is what is left for good.
   */
  readonly heal: () => Promise<void>;
  /** Writes a line into the story that is told of a failure. */
  readonly note: (text: string) => void;
}

/** How a simulation goes, shared by its code and its loop. Mutable. */
class Course {
  readonly world: World;
  readonly #options: Required<SimulationOptions>;
  /** Of all processes that there may be. */
  readonly #ports: readonly Ports[];
  #processes = 0;
  #unleashed = false;
  /** Who waits for the cluster to recover. */
  #healing: (() => void)[] = [];
  #recovered = false;

  constructor(world: World, options: Required<SimulationOptions>, ports: readonly Ports[]) {
    this.world = world;
    this.#options = options;
    this.#ports = ports;
  }

  /** What the code under test is given. */
  simulation(): Simulation {
    const { world } = this;
    return {
      ...this.#nextProcess(),
      process: async (body) => body(this.#nextProcess()),
      heal: () => this.#heal(),
      note: (text) => narrate(world.trace, world.timeUs, "client", text),
    };
  }

  unleash(): void {
    if (this.#unleashed || this.world.phase !== "safety") return;
    this.#unleashed = true;
    unleash(this.world, scenarioOf(this.#options));
  }

  /** Heals where the code has asked for it, between two steps of the world. */
  async proceed(): Promise<void> {
    if (this.#healing.length === 0) return;
    await heal(this.world, RECOVERY_MS, EVERYBODY);
    this.#recovered = true;
    this.world.stirred = true;
    for (const healed of this.#healing.splice(0)) healed();
  }

  #nextProcess(): SimulatedProcess {
    const ports = this.#ports[this.#processes];
    if (ports === undefined) {
      const most = this.#options.processes;
      throw new Error(`the simulation has ${most} processes; the option \`processes\` allows more`);
    }
    this.#processes += 1;
    return processOf(`process ${this.#processes}`, ports, endpointsOf(this.world));
  }

  #heal(): Promise<void> {
    if (this.#recovered) return Promise.resolve();
    return new Promise((resolve) => {
      this.#healing.push(resolve);
    });
  }
}

/**
 * Runs `setup` in peace and then `body` among faults; when it has come to its end the cluster must
 * recover, and what it holds is checked. `drain` is the host's (`model.ts`). The options must have
 * been found right (`problemOf`).
 */
export async function runSimulation<T>(
  setup: ((simulation: Simulation) => Promise<void>) | undefined,
  body: (simulation: Simulation) => Promise<T>,
  options: Required<SimulationOptions>,
  drain: Drain,
): Promise<SimulationRun<T>> {
  const joined: Ports[] = [];
  const guests = Array.from({ length: options.processes }, (_, i) => ({
    name: `process ${i + 1}`,
    live: (ports: Ports): Promise<void> => {
      joined.push(ports);
      return Promise.resolve();
    },
  }));
  const scenario = scenarioOf(options);
  const { world } = build(scenario, String(options.seed), drain, { ...DEFAULT_OPTIONS, guests });
  startServers(world);
  for (const client of world.clients) client.start();
  const course = new Course(world, options, joined);
  const end = await follow(course, setup, body, options.limitMs * 1000);
  return {
    end,
    trace: traceText(world.trace),
    events: world.events,
    virtualMs: world.timeUs / 1000,
    lines: world.trace.lines,
  };
}

type End<T> = SimulationRun<T>["end"];

async function follow<T>(
  course: Course,
  setup: ((simulation: Simulation) => Promise<void>) | undefined,
  body: (simulation: Simulation) => Promise<T>,
  limitUs: number,
): Promise<End<T>> {
  const { world } = course;
  const simulation = course.simulation();
  const code: { end: End<T> | undefined } = { end: undefined };
  void (async (): Promise<void> => {
    try {
      await setup?.(simulation);
      course.unleash();
      code.end = { type: "returned", value: await body(simulation) };
    } catch (error) {
      code.end = { type: "threw", error };
    }
  })();
  world.stirred = true;
  while (world.checks.violation === undefined && code.end === undefined) {
    if (world.timeUs >= limitUs) return { type: "late" };
    await runUntil(world, world.timeUs + STEP_US);
    await course.proceed();
  }
  if (code.end?.type === "threw") return code.end;
  if (world.phase === "safety" && world.checks.violation === undefined) {
    await heal(world, RECOVERY_MS, EVERYBODY);
  }
  if (world.checks.violation === undefined) checkStores(world);
  const { violation } = world.checks;
  if (violation !== undefined) return { type: "violated", violation };
  assert(code.end !== undefined, "the loop ends with the code or with a violation");
  return code.end;
}

/** The last `most` lines of the story, for people. */
export const storyOf = (lines: readonly Line[], most: number): string =>
  lines.slice(-most).map(formatLine).join("\n");
