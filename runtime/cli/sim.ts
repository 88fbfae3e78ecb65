/** Node under the `sim` command: standard output, the clock, files, and worker processes. */
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { performance } from "node:perf_hooks";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { SCENARIOS } from "../../scenarios/index.ts";
import { type Host, type Job, main, runJob } from "../../sim/cli.ts";

import { CAMPAIGNS } from "./campaign-files.ts";
import { writePicture } from "./picture.ts";
import { serveWeb, writeWeb } from "./web.ts";
import { startWorkers, WORKER } from "./sim-workers.ts";
import { tinted, wantsColour } from "./tint.ts";

const HOST: Host = {
  write: (text) => void process.stdout.write(wantsColour(process.stdout) ? tinted(text) : text),
  writeError: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY,
  columns: process.stdout.columns || 80,
  elapsedMs: () => performance.now(),
  drain: () => turnOfTheLoop(),
  async readLines(prompt, answer) {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    lines.setPrompt(prompt());
    if (process.stdin.isTTY) lines.prompt();
    for await (const line of lines) {
      if (!(await answer(line))) break;
      lines.setPrompt(prompt());
      if (process.stdin.isTTY) lines.prompt();
    }
    lines.close();
  },
  startWorkers,
  campaigns: CAMPAIGNS,
  writePicture,
  writeWeb,
  serveWeb,
  readFile(path) {
    try {
      return { ok: true, bytes: readFileSync(path) };
    } catch (error) {
      return { ok: false, problem: error instanceof Error ? error.message : String(error) };
    }
  },
  writeFile(path, content) {
    try {
      writeFileSync(path, content);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};

/** Runs `rutile sim` with the arguments behind `sim`; sets the exit status of the process. */
export async function sim(argv: readonly string[]): Promise<void> {
  // Whoever reads the story may stop in the middle, as `head` does: the rest is for nobody.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  process.exitCode = await main(argv, SCENARIOS, HOST);
}

/** The other end: runs what it is given until nobody gives it anything. */
function work(): void {
  // Ctrl-C reaches the whole group, and whoever gives the jobs says what becomes of them.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit());
  process.on("message", (job: Job) => {
    void runJob(job, SCENARIOS, HOST).then((summary) => process.send?.(summary));
  });
}

if (process.argv[2] === WORKER && process.send !== undefined) work();
