/**
 * One run: the safety phase with faults and clients, then the liveness phase, in which whoever has
 * to recover must converge in bounded virtual time and is audited, then the checks of what the
 * clients saw.
 */
import type { Violation } from "./checkers/verdict.ts";
import type { Options } from "./build.ts";
import type { Knobs } from "./knobs.ts";
import type { Drain, World } from "./model.ts";
import type { Scenario } from "./scenario.ts";
import type { Line, Recording } from "./trace/trace.ts";
import { build, DEFAULT_OPTIONS } from "./build.ts";
import { compareAll } from "./checkers/convergence.ts";
import { checkHistories } from "./checkers/histories.ts";
import { checkTables } from "./checkers/tables.ts";
import { checkRecords } from "./checkers/record-audit.ts";
import { drawsOf } from "./decisions/decisions.ts";
import { unleash } from "./faults/nemesis.ts";
import { drawLeftOut } from "./liveness/core.ts";
import { drawLatecomer } from "./liveness/latecomer.ts";
import { recover } from "./liveness/phase.ts";
import { startLater } from "./machines/process.ts";
import { between } from "./random.ts";
import type { MarkName } from "./search/marks.ts";
import type { Novelty } from "./search/novelty.ts";
import { applyStrategy } from "./search/strategy.ts";
import { traceText } from "./trace/trace.ts";
import { checkInserts } from "./workloads/audit.ts";
import { runUntil } from "./world.ts";

export interface RunResult {
  readonly scenario: string;
  readonly seed: string;
  readonly violation: Violation | undefined;
  /** Why not everything has converged, where that is proved to be right. */
  readonly excuses: readonly string[];
  readonly trace: string;
  readonly events: number;
  readonly virtualUs: number;
  readonly lines: readonly Line[];
  readonly knobs: Knobs;
  readonly faults: readonly string[];
  /** By kind of operation, how often it ended in each way. */
  readonly operations: ReadonlyMap<string, { ok: number; refused: number; unknown: number }>;
  /** By check, how often it looked. */
  readonly checks: ReadonlyMap<string, number>;
  /** By situation, how often it was met (`search/marks.ts`). */
  readonly marks: ReadonlyMap<MarkName, number>;
  /** By abstract state, when the run first came to it; empty where nobody counts. */
  readonly novelty: Novelty;
  /** Keys whose history could not be decided within the budget. */
  readonly undecided: number;
  readonly recording: Recording | undefined;
}

/** Runs one seed of a scenario from beginning to end. `drain` is the host's (`model.ts`). */
export async function runSeed(
  scenario: Scenario,
  seed: string,
  drain: Drain,
  options: Options = DEFAULT_OPTIONS,
): Promise<RunResult> {
  const built = build(scenario, seed, drain, options);
  const { world } = built;
  startServers(world);
  const faults = unleash(world, scenario);
  applyStrategy(world, scenario);
  for (const client of world.clients) client.start();
  const safetyUs = Math.min(scenario.safetyMs * 1000, options.schedule.safetyUs ?? Infinity);
  await runUntil(world, Math.min(safetyUs, options.untilUs ?? Infinity));
  const brokenOff = options.untilUs !== undefined && options.untilUs <= safetyUs;
  if (brokenOff) world.phase = "over";
  if (!over(world)) {
    const leftOut = drawLeftOut(world);
    const latecomer = drawLatecomer(world, leftOut);
    await recover(world, built.audit, scenario.livenessMs, leftOut, latecomer);
  }
  options.onChecks?.();
  let undecided = 0;
  const isWhole = world.checks.excuses.length === 0;
  if (!over(world) && isWhole) checkInserts(world, built.audit, built.inserts);
  if (!over(world) && isWhole) checkStores(world);
  if (!over(world)) undecided = checkHistories(world).undecided;
  world.phase = "over";
  options.inspect?.(world);
  return {
    scenario: scenario.name,
    seed,
    violation: world.checks.violation,
    excuses: world.checks.excuses,
    trace: traceText(world.trace),
    events: world.events,
    virtualUs: world.timeUs,
    lines: world.trace.lines,
    knobs: world.knobs,
    faults,
    operations: world.checks.history.counts,
    checks: world.checks.looks,
    marks: world.marks,
    novelty: world.novelty ?? new Map(),
    undecided,
    recording: world.trace.recording,
  };
}

/** Once all has converged: what the stores hold. */
export function checkStores(world: World): void {
  compareAll(world);
  if (!over(world)) checkTables(world);
  if (!over(world)) checkRecords(world);
}

const over = (world: World): boolean =>
  world.checks.violation !== undefined || world.phase === "over";

/** Starts them one after another, within a fifth of a second. */
export function startServers(world: World): void {
  for (const machine of world.servers) {
    const random = drawsOf(world.decisions, `start/${machine.name}`);
    startLater(world, machine, between(random, 0, 200_000));
  }
}
