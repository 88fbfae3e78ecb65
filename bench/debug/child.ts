/** A long run that is gone through, in a process with room for it: sends what each look took. */
import { setImmediate as drain } from "node:timers/promises";
import { calm } from "../../scenarios/calm.ts";
import { branchOf, debuggerOf } from "../../sim/debug/branches.ts";
import { answer } from "../../sim/debug/commands.ts";
import { sessionOf } from "../../sim/debug/session.ts";

/** A command, and the milliseconds until it was answered: by the clock, which is what one waits. */
export interface Look {
  readonly command: string;
  readonly ms: number;
}

export interface Going {
  readonly events: number;
  readonly virtualSeconds: number;
  /** What the way there took, in seconds. */
  readonly forthSeconds: number;
  readonly looks: readonly Look[];
  readonly residentMb: number;
}

/** Faults and clients go on for longer than anybody looks. */
const LONG_MS = 1_000_000_000;

async function go(events: number): Promise<Going> {
  const scenario = { ...calm, safetyMs: LONG_MS };
  const debug = await debuggerOf(() => sessionOf(scenario, "1", drain));
  const looks: Look[] = [];
  const look = async (command: string): Promise<string> => {
    const begun = performance.now();
    const said = await answer(debug, command);
    looks.push({ command, ms: performance.now() - begun });
    return said;
  };
  const begun = performance.now();
  await answer(debug, `goto ${events}`);
  const forthSeconds = (performance.now() - begun) / 1000;
  const { chronicle } = branchOf(debug).session;
  const last = await answer(debug, "nodes");
  // One event has happened at least: before it nobody is up.
  const commands = [`back ${events - 1}`, "nodes", "node store 1", "pending", `diff ${events}`];
  for (const command of commands) await look(command);
  await look(`goto ${events >>> 1}`);
  await look("pending message");
  await look(`goto ${events}`);
  if ((await look("nodes")) !== last) throw new Error("the end is not what it was");
  return {
    events: chronicle.events.length,
    virtualSeconds: (chronicle.timesUs.at(-1) ?? 0) / 1_000_000,
    forthSeconds,
    looks,
    residentMb: process.resourceUsage().maxRSS / 1024,
  };
}

process.send?.(await go(Number(process.argv[2])), () => process.exit());
