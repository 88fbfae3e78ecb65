/** The smoke seeds under a version of Node, each time in a fresh process. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Recording } from "../../sim/trace/trace.ts";
import type { Place } from "./place.ts";

const SCRIPT = fileURLToPath(new URL("../sim/smoke-fresh.js", import.meta.url));
/** A recording has a line for each of a hundred thousand events. */
const MOST_BYTES = 1 << 28;

/** `binary` is that version's program. */
export function underNode(version: string, binary: string): Place {
  const run = (args: readonly string[]): string =>
    execFileSync(binary, [SCRIPT, ...args], { encoding: "utf8", maxBuffer: MOST_BYTES });
  let traces: ReadonlyMap<string, string> | undefined;
  return {
    name: `under ${version}`,
    async traces() {
      traces ??= new Map(
        run([])
          .trim()
          .split("\n")
          .map((line) => {
            const [scenario, seed, trace = ""] = line.split(" ");
            return [`${scenario} ${seed}`, trace] as const;
          }),
      );
      return Promise.resolve(traces);
    },
    recording: ({ scenario, seed }) =>
      Promise.resolve(JSON.parse(run([scenario.name, seed])) as Recording),
    leave: () => Promise.resolve(),
  };
}
