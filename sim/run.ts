/**
 * One run: the safety phase with faults and clients, then the liveness phase, in which everything
 * is healed and must converge in bounded virtual time, then the audit and the checks of what the
 * clients saw.
 */
import type { Violation } from "./checkers/verdict.ts";
import type { Built, Options } from "./build.ts";
import type { Knobs } from "./knobs.ts";
import type { Drain, World } from "./model.ts";
import type { Scenario } from "./scenario.ts";
import type { Line, Recording } from "./trace/trace.ts";
import { build, DEFAULT_OPTIONS } from "./build.ts";
import { passed, violated } from "./checkers/verdict.ts";
import { compareAll, missing } from "./checkers/convergence.ts";
import { checkHistories } from "./checkers/histories.ts";
import { checkTables } from "./checkers/tables.ts";
import { checkRecords } from "./checkers/record-audit.ts";
import { setDrift, thawWall } from "./clock/clock.ts";
import { drawsOf } from "./decisions/decisions.ts";
import { HEALTHY_DISK } from "./disk/model.ts";
import { schedule } from "./event-queue.ts";
import { unleash } from "./faults/nemesis.ts";
import { resume, startLater } from "./machines/process.ts";
import { CALM, healNetwork } from "./network/network.ts";
import { between } from "./random.ts";
import { narrate, traceText } from "./trace/trace.ts";
import { checkInserts } from "./workloads/audit.ts";
import { runUntil } from "./world.ts";

export interface RunResult {
  readonly scenario: string;
  readonly seed: string;
  readonly violation: Violation | undefined;
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
  /** Keys whose history could not be decided within the budget. */
  readonly undecided: number;
  readonly recording: Recording | undefined;
}

/** How often convergence is looked for. */
const POLL_US = 250_000;

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
  for (const client of world.clients) client.start();
  const safetyUs = Math.min(scenario.safetyMs * 1000, options.schedule.safetyUs ?? Infinity);
  await runUntil(world, Math.min(safetyUs, options.untilUs ?? Infinity));
  const brokenOff = options.untilUs !== undefined && options.untilUs <= safetyUs;
  if (brokenOff) world.phase = "over";
  if (!over(world)) await converge(built, scenario);
  let undecided = 0;
  if (!over(world)) checkInserts(world, built.audit, built.inserts);
  if (!over(world)) checkStores(world);
  if (!over(world)) undecided = checkHistories(world).undecided;
  world.phase = "over";
  options.inspect?.(world);
  return {
    scenario: scenario.name,
    seed,
    violation: world.checks.violation,
    trace: traceText(world.trace),
    events: world.events,
    virtualUs: world.timeUs,
    lines: world.trace.lines,
    knobs: world.knobs,
    faults,
    operations: world.checks.history.counts,
    checks: world.checks.looks,
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

/** The liveness phase: until everything has converged and been audited, or time is up. */
async function converge(built: Built, scenario: Scenario): Promise<void> {
  const { world, audit } = built;
  const deadlineUs = world.timeUs + scenario.livenessMs * 1000;
  await heal(world, scenario.livenessMs);
  if (over(world)) return;
  narrate(world.trace, world.timeUs, "phase", "converged; the auditor reads everything");
  audit.client.start();
  while (!over(world) && !audit.done && world.timeUs < deadlineUs) {
    await runUntil(world, world.timeUs + POLL_US);
  }
  if (!over(world) && !audit.done) {
    const text = `${scenario.livenessMs / 1000} s after the faults ended the auditor still ${audit.doing}`;
    violated(world, "convergence", text);
  }
  // The probes must have reached all replicas too.
  while (!over(world) && missing(world) !== undefined && world.timeUs < deadlineUs) {
    await runUntil(world, world.timeUs + POLL_US);
  }
}

/** Ends all faults, and goes on until everything has converged, within `withinMs`. */
export async function heal(world: World, withinMs: number): Promise<void> {
  narrate(world.trace, world.timeUs, "phase", "faults end; everything must converge");
  endFaults(world);
  const deadlineUs = world.timeUs + withinMs * 1000;
  let problem = missing(world);
  while (!over(world) && problem !== undefined && world.timeUs < deadlineUs) {
    await runUntil(world, world.timeUs + POLL_US);
    problem = missing(world);
  }
  if (over(world)) return;
  if (problem === undefined) passed(world, "convergence");
  else violated(world, "convergence", `${withinMs / 1000} s after the faults ended ${problem}`);
}

/** Clocks keep their rate's usual small error, and what they show. */
function endFaults(world: World): void {
  world.phase = "liveness";
  world.clientsActive = false;
  healNetwork(world.network, CALM);
  for (const machine of world.servers) {
    machine.disk.become(HEALTHY_DISK);
    machine.disk.straighten();
    thawWall(machine.clock, world.timeUs, false);
    setDrift(machine.clock, world.timeUs, 0);
    resume(world, machine);
    if (machine.status === "down") startLater(world, machine, 100_000);
  }
  schedule(world.queue, world.timeUs, { type: "action", name: "healed", run: () => undefined });
}
