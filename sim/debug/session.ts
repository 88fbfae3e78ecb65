/** A run that somebody goes through: it runs only as far as somebody wanted to look. */
import { DEFAULT_OPTIONS } from "../build.ts";
import { type Schedule, WHOLE } from "../decisions/schedule.ts";
import type { Drain, World } from "../model.ts";
import { type RunResult, runSeed } from "../run.ts";
import type { Scenario } from "../scenario.ts";
import { type Chronicle, chronicleOf } from "./chronicle.ts";

/** Mutable. */
export interface Session {
  readonly chronicle: Chronicle;
  /** As far as it has run; what it holds is of that moment, not of `at`. */
  readonly world: World;
  /** After how many events one looks at it. */
  at: number;
  /** Set where the run is over. */
  result: RunResult | undefined;
  /** Runs until so many events are over, or the run is. */
  readonly reach: (event: number) => Promise<void>;
}

/** Builds the world of a seed and holds it before its first event. */
export async function sessionOf(
  scenario: Scenario,
  seed: string,
  drain: Drain,
  schedule: Schedule = WHOLE,
): Promise<Session> {
  let arrive: () => void = () => undefined;
  let release: () => void = () => undefined;
  let world: World | undefined;
  const chronicle = chronicleOf(
    (held) =>
      new Promise((resolve) => {
        world = held;
        release = resolve;
        arrive();
      }),
  );
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const run = runSeed(scenario, seed, drain, { ...DEFAULT_OPTIONS, chronicle, schedule });
  await Promise.race([arrived, run]);
  if (world === undefined) throw new Error("a run has events");
  const session: Session = { chronicle, world, at: 0, result: undefined, reach };
  const over = run.then((result) => void (session.result = result));
  return session;

  async function reach(event: number): Promise<void> {
    if (session.result !== undefined || event <= chronicle.events.length) return;
    chronicle.holdAt = event;
    const held = new Promise<void>((resolve) => (arrive = resolve));
    release();
    await Promise.race([held, over]);
  }
}
