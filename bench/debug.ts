/**
 * The debugger of the simulator: how long it takes to go back a million events and to look round
 * there. What it is compared with is the way forth, which a debugger that keeps nothing would have
 * to go again.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Going } from "./debug/child.ts";
import { printTable } from "./measure.ts";
import { positive } from "./options.ts";

export const name = "debug";
export const summary = "going back a million events of a run, against running them again";

/** Going back, and any look round, takes at most so long. */
const TARGET_MS = 1000;

/** A chronicle keeps about two kilobytes an event. */
const HEAP_MB = 12_000;

export const options = {
  events: { type: "string", default: "1000000", argument: "N", help: "length of the run" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const going = await go(positive("events", values.events));
  console.log(
    `\n${going.events.toLocaleString("en")} events of calm, ` +
      `${going.virtualSeconds.toFixed(0)} virtual seconds: forth in ` +
      `${going.forthSeconds.toFixed(1)} s, ${going.residentMb.toFixed(0)} MB resident\n`,
  );
  printTable(
    ["command", "ms", "target", ""],
    going.looks.map(({ command, ms }) => [
      command,
      ms.toFixed(2),
      `<= ${TARGET_MS}`,
      ms <= TARGET_MS ? "met" : "not met",
    ]),
  );
}

async function go(events: number): Promise<Going> {
  const file = fileURLToPath(new URL("debug/child.js", import.meta.url));
  const execArgv = [`--max-old-space-size=${HEAP_MB}`];
  const child = fork(file, [String(events)], { execArgv });
  let said: Going | undefined;
  child.on("message", (going: Going) => (said = going));
  await new Promise((done) => child.on("close", done));
  if (said === undefined) throw new Error("the run was not gone through to its end");
  return said;
}
