/**
 * Runs the smoke seeds in a process of their own, last one first, and prints one trace a line; told
 * a scenario and a seed, the recording of that run as JSON.
 */
import { runSmoke, SMOKES } from "./smoke.ts";

const [scenario, seed] = process.argv.slice(2);
if (scenario === undefined) {
  for (const smoke of SMOKES.toReversed()) {
    console.log(`${smoke.scenario.name} ${smoke.seed} ${(await runSmoke(smoke)).trace}`);
  }
} else {
  const smoke = SMOKES.find((one) => one.scenario.name === scenario && one.seed === seed);
  if (smoke === undefined) throw new Error(`${scenario} ${seed} is no smoke seed`);
  console.log(JSON.stringify((await runSmoke(smoke)).recording));
}
