/**
 * What waits for a machine's next turn. Like a real process, a machine takes everything that has
 * arrived since its last turn at once.
 */
import type { PlacementInput } from "../../engine/placement/types.ts";
import type { StoreInput } from "../../engine/store/types.ts";
import type { Machine, PlacementMachine, StoreMachine, World } from "../model.ts";
import { schedule } from "../event-queue.ts";

/** Gives a store an input; one for a process that is down is lost. */
export function giveStore(world: World, machine: StoreMachine, input: StoreInput): void {
  if (!isAlive(machine)) return;
  machine.inbox.push(input);
  wake(world, machine);
}

export function givePlacement(
  world: World,
  machine: PlacementMachine,
  input: PlacementInput,
): void {
  if (!isAlive(machine)) return;
  machine.inbox.push(input);
  wake(world, machine);
}

/** Whether there is a process, running or paused. */
export const isAlive = (machine: Machine): boolean =>
  machine.status === "up" || machine.status === "paused";

/**
 * Schedules a turn where inputs wait and none is due. A paused machine takes its turn when it goes
 * on.
 */
export function wake(world: World, machine: Machine): void {
  if (machine.turnDue || machine.status !== "up" || machine.inbox.length === 0) return;
  machine.turnDue = true;
  const time = Math.max(world.timeUs + world.knobs.turnDelayUs, machine.busyUntilUs);
  schedule(world.queue, time, { type: "turn", machine, incarnation: machine.incarnation });
}
