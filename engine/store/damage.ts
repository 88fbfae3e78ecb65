/** What is done at the end of a step about damage that was met in its course. */
import { concerned, isSound } from "../region/damage.ts";
import { drive } from "../region/drive.ts";
import { quarantine } from "../region/quarantine.ts";
import type { StoreTurn } from "./turn.ts";

/** Takes every replica out of service whose data has been found damaged in this step. */
export function settleDamage(turn: StoreTurn): void {
  isSound(turn);
  for (let damage = turn.damage.pop(); damage !== undefined; damage = turn.damage.pop()) {
    for (const replica of concerned(turn, damage)) {
      drive(turn, quarantine(turn, replica, damage), { type: "request_snapshot" });
    }
  }
}
