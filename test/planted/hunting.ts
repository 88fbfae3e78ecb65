/** Hunts in a copy that has the bug, as a process of its own: the copy's modules are not ours. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import type { PlantedBug } from "./bug.ts";
import type { Catch } from "./hunt.ts";

/** Runs up to `budget` seeds from `first` on in the planted copy at `copy`. */
export function huntFor(
  copy: string,
  bug: PlantedBug,
  first: number,
  budget: number,
): Promise<Catch> {
  const script = join(copy, "dist/test/planted/hunt.js");
  const args = [script, bug.scenarios.join(","), String(first), String(budget)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 1 << 24 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout) as Catch);
    });
  });
}
