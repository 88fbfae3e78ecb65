/** Marks of the placement driver. */
import type { PlacementState } from "../../engine/placement/index.ts";
import type { World } from "../model.ts";
import { reached } from "./marks.ts";

/** Looks at a member that was `before` a step of the same life. */
export function markPlacement(world: World, before: PlacementState, state: PlacementState): void {
  const old = before.leadership;
  const { leadership } = state;
  if (old === leadership || old === undefined || leadership === undefined) return;
  if (leadership.oracle.limit > old.oracle.limit) reached(world, "window extended");
  if (leadership.operators !== old.operators && leadership.operators.size > old.operators.size) {
    reached(world, "operator begun");
  }
}

/** A call that a member refuses. */
export function markRefusal(world: World, method: string | undefined): void {
  if (method === "Tso") reached(world, "oracle refused");
}
