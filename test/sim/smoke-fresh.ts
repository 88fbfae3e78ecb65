/** Runs the smoke seeds in a process of their own, last one first, and prints one trace a line. */
import { runSmoke, SMOKES } from "./smoke.ts";

for (const smoke of SMOKES.toReversed()) {
  console.log(`${smoke.scenario.name} ${smoke.seed} ${(await runSmoke(smoke)).trace}`);
}
