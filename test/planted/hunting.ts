/** Hunts in a copy that has the bug, as a process of its own: the copy's modules are not ours. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import type { PlantedBug } from "./bug.ts";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { decodeSchedule } from "../../sim/decisions/file.ts";
import { sizeOf } from "../../sim/shrink/shrink.ts";
import type { Catch, Shrunk } from "./hunt.ts";

/** Where a hunt begins and what it may cost. */
export interface Hunt {
  readonly first: number;
  /** Most seeds. */
  readonly seeds: number;
  /** Most seconds of a processor; no seed begins after them. */
  readonly cpuSeconds: number;
  readonly strategy: string;
}

/** Hunts in the planted copy at `copy`. */
export function huntFor(copy: string, bug: PlantedBug, hunt: Hunt): Promise<Catch> {
  const { first, seeds, strategy, cpuSeconds } = hunt;
  const args = [bug.scenarios.join(","), first, seeds, strategy, cpuSeconds].map(String);
  return run(join(copy, "dist/test/planted/hunt.js"), args).then(
    (said) => JSON.parse(said) as Catch,
  );
}

/** Enough for most: a run that fails only at its end takes seconds. */
const SHRINK_RUNS = 600;

/** Cuts a catch down in the same copy; undefined where the failure could not be laid down. */
export async function shrinkIn(
  copy: string,
  { scenario, seed, strategy = "random" }: Catch,
): Promise<Shrunk | undefined> {
  if (scenario === undefined || seed === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "rutile-shrink-"));
  const path = join(folder, "schedule");
  try {
    const runs = ["--runs", String(SHRINK_RUNS), "--out", path];
    const args = [
      "sim",
      "shrink",
      scenario,
      "--seed",
      String(seed),
      "--strategy",
      strategy,
      ...runs,
    ];
    await run(join(copy, "dist/runtime/cli.js"), args);
    const file = readFileSync(path);
    const decoded = decodeSchedule(file);
    return decoded.ok ? { decisions: sizeOf(decoded.file.schedule), file } : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(script: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, ...args], { maxBuffer: 1 << 24 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
}
