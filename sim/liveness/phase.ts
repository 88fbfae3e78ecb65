/**
 * The liveness phase: faults end (`freeze.ts`), and whoever has to recover must converge in bounded
 * virtual time. What has not is a violation, unless it is proved by name that it cannot
 * (`excuses/excuse.ts`): then that is told, and the rest must have converged.
 */
import { lacks, missing } from "../checkers/convergence.ts";
import { passed, violated } from "../checkers/verdict.ts";
import { excuseOf } from "../excuses/excuse.ts";
import { refillAll } from "../faults/orders.ts";
import type { World } from "../model.ts";
import { narrate } from "../trace/trace.ts";
import type { Audit } from "../workloads/audit.ts";
import { runUntil } from "../world.ts";
import type { LeftOut } from "./core.ts";
import { freeze } from "./freeze.ts";
import { type Latecomer, wait } from "./latecomer.ts";

/** How often convergence is looked for. */
const POLL_US = 250_000;

/** Until everything has converged and been audited, or is excused, or time is up. */
export async function recover(
  world: World,
  audit: Audit,
  withinMs: number,
  leftOut: LeftOut,
  latecomer: Latecomer | undefined,
): Promise<void> {
  const deadlineUs = world.timeUs + (latecomer?.lateUs ?? 0) + withinMs * 1000;
  await heal(world, withinMs, leftOut, latecomer);
  // What is lost cannot be read: there is nothing for an auditor to do.
  if (isOver(world) || world.checks.excuses.length > 0) return;
  narrate(world.trace, world.timeUs, "phase", "converged; the auditor reads everything");
  audit.client.start();
  while (!isOver(world) && !audit.done && world.timeUs < deadlineUs) {
    await runUntil(world, world.timeUs + POLL_US);
    // The auditor reads what nobody has read since: damage that lay hidden may come to light.
    if (!isOver(world) && !audit.done && isExcused(world)) return;
  }
  if (!isOver(world) && !audit.done) {
    const text = `${withinMs / 1000} s after the faults ended the auditor still ${audit.doing}`;
    violated(world, "convergence", text);
  }
  // The probes must have reached all replicas too.
  while (!isOver(world) && missing(world) !== undefined && world.timeUs < deadlineUs) {
    await runUntil(world, world.timeUs + POLL_US);
  }
}

/**
 * Ends the faults, and goes on until everything has converged, within `withinMs` of the last one's
 * return.
 */
export async function heal(
  world: World,
  withinMs: number,
  leftOut: LeftOut,
  latecomer?: Latecomer,
): Promise<void> {
  const who = leftOut.size === 0 ? "everything" : "all that are not left out";
  narrate(world.trace, world.timeUs, "phase", `faults end; ${who} must converge`);
  freeze(world, leftOut);
  if (latecomer !== undefined) await wait(world, latecomer);
  const deadlineUs = world.timeUs + withinMs * 1000;
  // A leader may still lead that has just lost its followers for good.
  if (leftOut.size > 0) await runUntil(world, world.timeUs + 3000 * world.knobs.electionMs);
  let problem = missing(world);
  while (!isOver(world) && problem !== undefined && world.timeUs < deadlineUs) {
    if (isExcused(world)) return;
    refillAll(world);
    await runUntil(world, world.timeUs + POLL_US);
    problem = missing(world);
  }
  if (isOver(world)) return;
  if (problem === undefined) passed(world, "convergence");
  else if (!isExcused(world)) {
    violated(world, "convergence", `${withinMs / 1000} s after the faults ended ${problem}`);
  }
}

/**
 * Whether all that has not converged is excused; it is then told. What is lost is lost for good, so
 * there is nothing to wait for.
 */
function isExcused(world: World): boolean {
  const excuses = new Set<string>();
  for (const lack of lacks(world)) {
    const excuse = excuseOf(world, lack);
    if (excuse === undefined) return false;
    excuses.add(excuse);
  }
  for (const excuse of excuses) {
    narrate(world.trace, world.timeUs, "check", `excused: ${excuse}`);
    world.checks.excuses.push(excuse);
  }
  return excuses.size > 0;
}

const isOver = (world: World): boolean =>
  world.checks.violation !== undefined || world.phase === "over";
