/** `sim debug`: a session at the terminal, or by lines that come from elsewhere. */
import { debuggerOf } from "../debug/branches.ts";
import { answer, promptOf } from "../debug/commands.ts";
import { sessionOf } from "../debug/session.ts";
import type { Scenario } from "../scenario.ts";
import type { Host } from "./host.ts";

/** Answers lines until one says `quit`. */
export async function runDebug(scenario: Scenario, seed: string, host: Host): Promise<number> {
  const debug = await debuggerOf(() => sessionOf(scenario, seed, host.drain));
  await host.readLines(
    () => promptOf(debug),
    async (line) => {
      if (/^\s*(q|quit)\s*$/.test(line)) return false;
      host.write(await answer(debug, line));
      return true;
    },
  );
  return 0;
}
