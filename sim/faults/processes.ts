/** Faults of processes: crashes, losses of power, standstills. */
import { excuseHearts } from "../checkers/heartbeats.ts";
import { isAlive } from "../machines/inbox.ts";
import { crash, pause, resume, startLater } from "../machines/process.ts";
import type { World } from "../model.ts";
import { between, chance, pick, type Random } from "../random.ts";
import type { Among, Fault } from "../scenario.ts";
import type { Struck } from "./strike.ts";
import { clientCalled, machineCalled, machinesOf } from "./targets.ts";

export type ProcessStrike = Crash | Blackout | Pause | PausedClient;

interface Crash {
  readonly type: "crash";
  readonly machine: string;
  /** Whether what was not synced may be lost. */
  readonly power: boolean;
}

/** All servers go down within a moment and come back one by one. */
interface Blackout {
  readonly type: "blackout";
  readonly starts: readonly { readonly machine: string; readonly afterUs: number }[];
}

interface Pause {
  readonly type: "pause";
  readonly machine: string;
}

interface PausedClient {
  readonly type: "pause_client";
  readonly client: string;
}

export function drawCrash(
  world: World,
  { of, power }: Extract<Fault, { type: "crash" }>,
  random: Random,
): Crash | undefined {
  const lossy = power === "always" || (power === "sometimes" && chance(random, 500_000));
  const candidates = machinesOf(world, of).filter(isAlive);
  if (candidates.length === 0) return undefined;
  return { type: "crash", machine: pick(random, candidates).name, power: lossy };
}

export function crashOne(
  world: World,
  { machine: name, power }: Crash,
  lastsUs: number,
): Struck | undefined {
  const machine = machineCalled(world, name);
  if (machine === undefined || !isAlive(machine)) return undefined;
  crash(world, machine, power ? "power" : "process");
  startLater(world, machine, lastsUs);
  return { end: undefined };
}

export const drawBlackout = (world: World, lastsUs: number, random: Random): Blackout => ({
  type: "blackout",
  starts: world.servers.map(({ name }) => ({
    machine: name,
    afterUs: lastsUs + between(random, 0, 500_000),
  })),
});

export function blackOut(world: World, { starts }: Blackout): Struck {
  for (const { machine: name, afterUs } of starts) {
    const machine = machineCalled(world, name);
    if (machine === undefined) continue;
    if (isAlive(machine)) crash(world, machine, "power");
    startLater(world, machine, afterUs);
  }
  return { end: undefined };
}

export function drawPause(world: World, of: Among, random: Random): Pause | undefined {
  const candidates = machinesOf(world, of).filter(({ status }) => status === "up");
  if (candidates.length === 0) return undefined;
  return { type: "pause", machine: pick(random, candidates).name };
}

export function pauseOne(world: World, strike: Pause): Struck | undefined {
  const machine = machineCalled(world, strike.machine);
  if (machine?.status !== "up") return undefined;
  pause(machine);
  const { incarnation } = machine;
  const end = (): void => {
    if (machine.incarnation === incarnation) resume(world, machine);
  };
  return { end };
}

export const drawPausedClient = (world: World, random: Random): PausedClient | undefined =>
  world.clients.length === 0
    ? undefined
    : { type: "pause_client", client: pick(random, world.clients).name };

export function pauseClient(
  world: World,
  { client: name }: PausedClient,
  lastsUs: number,
): Struck | undefined {
  const client = clientCalled(world, name);
  if (client === undefined) return undefined;
  const until = world.timeUs + lastsUs;
  world.still.set(client, Math.max(until, world.still.get(client) ?? 0));
  excuseHearts(world, client, until);
  return { end: undefined };
}
