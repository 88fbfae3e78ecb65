/**
 * Failures that were found and mended, and the smallest schedules of planted bugs: the engine as it
 * is passes them all.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as drain } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import { decodeSchedule } from "../../sim/decisions/file.ts";
import { runSeed } from "../../sim/run.ts";
import { suite } from "../harness.ts";

const test = suite("sim/regressions");

const folder = new URL("../../../scenarios/regressions/", import.meta.url);

for (const name of readdirSync(fileURLToPath(folder)).sort()) {
  if (!name.endsWith(".schedule")) continue;
  test(`what ${name} was made of no longer fails`, async () => {
    const decoded = decodeSchedule(readFileSync(new URL(name, folder)));
    assert.ok(decoded.ok, decoded.ok ? "" : decoded.reason);
    if (!decoded.ok) return;
    const { scenario: wanted, seed, schedule } = decoded.file;
    const scenario = SCENARIOS.find((one) => one.name === wanted);
    assert.ok(scenario, `there is a scenario ${wanted}`);
    const { violation } = await runSeed(scenario, seed, drain, { ...DEFAULT_OPTIONS, schedule });
    assert.is(violation, undefined, violation?.text);
  });
}

test.run();
