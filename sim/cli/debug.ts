/** `sim debug`: a session at the terminal, or by lines that come from elsewhere. */
import { debuggerOf } from "../debug/branches.ts";
import { answer, promptOf } from "../debug/commands.ts";
import { sessionOf } from "../debug/session.ts";
import { searchedBy } from "../decisions/schedule.ts";
import type { Scenario } from "../scenario.ts";
import { type Strategy, strategyText } from "../search/strategy.ts";
import type { Host } from "./host.ts";

/** Answers lines until one says `quit`. */
export async function runDebug(
  scenario: Scenario,
  seed: string,
  strategy: Strategy,
  host: Host,
): Promise<number> {
  const schedule = searchedBy(strategy);
  const debug = await debuggerOf(() => sessionOf(scenario, seed, host.drain, schedule));
  const searched = strategy.type === "random" ? "" : `, ${strategyText(strategy)}`;
  if (host.isTerminal) {
    host.write(`${scenario.name}, seed ${seed}${searched}; "help" lists the commands\n`);
  }
  await host.readLines(
    () => promptOf(debug),
    async (line) => {
      if (/^\s*(q|quit)\s*$/.test(line)) return false;
      host.write(await answer(debug, line, host.isTerminal ? host.columns : Infinity));
      return true;
    },
  );
  return 0;
}
